noinst_LTLIBRARIES += libprobe.la
libprobe_la_SOURCES = \
	src/probe/engine.c src/probe/engine.h src/probe/kind.h \
	src/probe/finish.c src/probe/heap.c src/probe/heap.h \
	src/probe/kind_http.c src/probe/kind_icmp.c src/probe/kind_tcp.c \
	src/probe/stream.c src/probe/targets.c
