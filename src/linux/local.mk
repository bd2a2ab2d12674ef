noinst_LTLIBRARIES += liblinux.la
liblinux_la_SOURCES =
