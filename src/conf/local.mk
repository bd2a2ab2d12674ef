noinst_LTLIBRARIES += libconf.la
libconf_la_SOURCES =
