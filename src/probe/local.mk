noinst_LTLIBRARIES += libprobe.la
libprobe_la_SOURCES =
