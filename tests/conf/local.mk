check_PROGRAMS += tests/conf/conf_tool
tests_conf_conf_tool_SOURCES = tests/conf/conf_tool.c tests/conf/dump_keys.c tests/conf/dump_keys.h
tests_conf_conf_tool_LDADD = libconf.la
TESTS += tests/conf/golden
EXTRA_DIST += tests/conf/golden tests/conf/good tests/conf/bad tests/conf/include
TESTS += tests/conf/manual
EXTRA_DIST += tests/conf/manual
