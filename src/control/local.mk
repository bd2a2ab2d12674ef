noinst_LTLIBRARIES += libcontrol.la
libcontrol_la_SOURCES =
