check_PROGRAMS += tests/conf/conf_tool
tests_conf_conf_tool_SOURCES = tests/conf/conf_tool.c
tests_conf_conf_tool_LDADD = libconf.la
