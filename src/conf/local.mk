noinst_LTLIBRARIES += libconf.la
libconf_la_SOURCES = \
	src/conf/check.c src/conf/check_blocks.c src/conf/check_pool.c \
	src/conf/listen.c src/conf/listen.h \
	src/conf/config.c src/conf/config.h \
	src/conf/key_file.c src/conf/read_heartbeat.c src/conf/digest.c \
	src/conf/errors.c src/conf/errors.h \
	src/conf/keys.c src/conf/keys.h \
	src/conf/pack.c src/conf/pack.h \
	src/conf/print.c src/conf/print.h src/conf/print_pool.c src/conf/printer.h \
	src/conf/read.c src/conf/read.h \
	src/conf/read_pool.c src/conf/read_probe.c src/conf/read_routers.c \
	src/conf/read_track.c \
	src/conf/reader.h src/conf/scope.c src/conf/value.c \
	src/conf/seen.c src/conf/seen.h \
	src/conf/text.c src/conf/text.h \
	src/conf/tokens.c src/conf/tokens.h
libconf_la_LIBADD = libbase.la $(CONFIG_LIBS)
