noinst_LTLIBRARIES += libbase.la
# One a line: they merge.
libbase_la_SOURCES =
libbase_la_SOURCES += src/base/addr.c
libbase_la_SOURCES += src/base/addr.h
libbase_la_SOURCES += src/base/clock.c
libbase_la_SOURCES += src/base/cursor.h
libbase_la_SOURCES += src/base/limits.h
libbase_la_SOURCES += src/base/log.c
libbase_la_SOURCES += src/base/log.h
libbase_la_SOURCES += src/base/logline.c
libbase_la_SOURCES += src/base/logline.h
libbase_la_SOURCES += src/base/mono.h
libbase_la_SOURCES += src/base/reason.c
libbase_la_SOURCES += src/base/reason.h
