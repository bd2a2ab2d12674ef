noinst_LTLIBRARIES += libipc.la
libipc_la_SOURCES =
