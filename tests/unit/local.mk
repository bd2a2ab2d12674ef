
check_PROGRAMS += tests/unit/test_health tests/unit/test_cadence
TESTS += tests/unit/test_health tests/unit/test_cadence
tests_unit_test_health_SOURCES = tests/unit/test_health.c
tests_unit_test_health_LDADD = libcore.la $(CMOCKA_LIBS)
tests_unit_test_cadence_SOURCES = tests/unit/test_cadence.c
tests_unit_test_cadence_LDADD = libcore.la $(CMOCKA_LIBS)
