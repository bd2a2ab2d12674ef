noinst_LTLIBRARIES += libprobe.la
# One a line: they merge.
libprobe_la_SOURCES =
libprobe_la_SOURCES += src/probe/answer.c
libprobe_la_SOURCES += src/probe/datagram.c
libprobe_la_SOURCES += src/probe/engine.c
libprobe_la_SOURCES += src/probe/engine.h
libprobe_la_SOURCES += src/probe/finish.c
libprobe_la_SOURCES += src/probe/heap.c
libprobe_la_SOURCES += src/probe/heap.h
libprobe_la_SOURCES += src/probe/kind.h
libprobe_la_SOURCES += src/probe/kind_dns.c
libprobe_la_SOURCES += src/probe/kind_http.c
libprobe_la_SOURCES += src/probe/kind_icmp.c
libprobe_la_SOURCES += src/probe/kind_tcp.c
libprobe_la_SOURCES += src/probe/kind_udp.c
libprobe_la_SOURCES += src/probe/stream.c
libprobe_la_SOURCES += src/probe/targets.c
