noinst_LTLIBRARIES += libproc.la
libproc_la_SOURCES =
