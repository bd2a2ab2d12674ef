check_PROGRAMS += tests/probe/prober
EXTRA_DIST += tests/probe/run tests/probe/bench_haproxy tests/probe/bench_exec
tests_probe_prober_SOURCES = tests/probe/main.c tests/probe/tests.h tests/probe/hostile.c \
	tests/probe/process.c tests/probe/kinds.c tests/probe/datagrams.c tests/probe/names.c tests/probe/bench.c tests/probe/bench.h \
	tests/probe/servers.c tests/probe/servers.h
tests_probe_prober_SOURCES += tests/probe/web.c
tests_probe_prober_SOURCES += tests/probe/cases.c
tests_probe_prober_SOURCES += tests/probe/keep.c
tests_probe_prober_SOURCES += tests/probe/strikes.c
tests_probe_prober_SOURCES += tests/probe/agents.c
tests_probe_prober_SOURCES += tests/probe/source.c
tests_probe_prober_SOURCES += tests/probe/routes.c
tests_probe_prober_SOURCES += tests/probe/lag.c
tests_probe_prober_SOURCES += tests/probe/ports.c
tests_probe_prober_SOURCES += tests/probe/path.c
tests_probe_prober_SOURCES += tests/probe/sockets.c
tests_probe_prober_SOURCES += tests/probe/https.c tests/probe/authority.c tests/probe/authority.h
tests_probe_prober_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/probe
tests_probe_prober_LDADD = libproc.la libprobe.la liblinux.la libipc.la libconf.la libcore.la libbase.la \
	$(EV_LIBS) $(NL_LIBS) $(CONFIG_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) -lpthread
