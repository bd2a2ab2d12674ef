check_PROGRAMS += tests/pool/pool
EXTRA_DIST += tests/pool/run
tests_pool_pool_SOURCES = tests/pool/main.c tests/pool/bench.c tests/pool/bench.h
tests_pool_pool_SOURCES += tests/pool/tests.h tests/pool/expect.c tests/pool/agents.c tests/pool/programs.c tests/pool/groups.c tests/pool/slow_start.c
tests_pool_pool_SOURCES += tests/pool/departed.c
tests_pool_pool_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/pool
tests_pool_pool_LDADD = libproc.la libcontrol.la liblinux.la libipc.la libconf.la libcore.la \
	libbase.la $(NL_LIBS) $(NFT_LIBS) $(EV_LIBS) $(CONFIG_LIBS) $(CAPNG_LIBS) $(SECCOMP_LIBS) \
	$(JANSSON_LIBS) -lpthread -lm
