
check_PROGRAMS += tests/unit/test_health tests/unit/test_cadence
TESTS += tests/unit/test_health tests/unit/test_cadence
tests_unit_test_health_SOURCES = tests/unit/test_health.c
tests_unit_test_health_LDADD = libcore.la $(CMOCKA_LIBS)
tests_unit_test_cadence_SOURCES = tests/unit/test_cadence.c
tests_unit_test_cadence_LDADD = libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_icmp tests/unit/test_http
TESTS += tests/unit/test_icmp tests/unit/test_http
tests_unit_test_icmp_SOURCES = tests/unit/test_icmp.c
tests_unit_test_icmp_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_http_SOURCES = tests/unit/test_http.c
tests_unit_test_http_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
