noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = \
	src/base/addr.c src/base/addr.h \
	src/base/clock.c src/base/mono.h \
	src/base/cursor.h src/base/limits.h \
	src/base/log.c src/base/log.h \
	src/base/logline.c src/base/logline.h \
	src/base/reason.c src/base/reason.h
