# the tools that the test beds measure with (tests/lib/lab.sh finds them in the build tree)
check_PROGRAMS += tests/tools/pinger tests/tools/logsink tests/tools/tcpecho tests/tools/tcphold tests/tools/httploop
check_PROGRAMS += tests/tools/flood tests/tools/announced tests/tools/shares tests/tools/manyserver
check_PROGRAMS += tests/tools/execlog
tests_tools_execlog_SOURCES = tests/tools/execlog.c tests/tools/tool.h
check_PROGRAMS += tests/tools/nameserver
tests_tools_nameserver_SOURCES = tests/tools/nameserver.c tests/tools/tool.h
tests_tools_manyserver_SOURCES = tests/tools/manyserver.c tests/tools/tool.h
tests_tools_shares_SOURCES = tests/tools/shares.c tests/tools/tool.h
tests_tools_announced_SOURCES = tests/tools/announced.c tests/tools/tool.h
check_PROGRAMS += tests/tools/flood
# preloaded by tests/vm/t_clock; never with the sanitizers, which want to be first
check_DATA = tests/tools/wallclock.so
CLEANFILES += tests/tools/wallclock.so
EXTRA_DIST += tests/tools/wallclock.c tests/vm/t_clock
tests/tools/wallclock.so: tests/tools/wallclock.c
	$(AM_V_GEN)$(MKDIR_P) tests/tools && $(CC) -std=c11 -O2 -Wall -Wextra -shared -fPIC -o $@ $(top_srcdir)/tests/tools/wallclock.c
tests_tools_flood_SOURCES = tests/tools/flood.c tests/tools/tool.h
tests_tools_pinger_SOURCES = tests/tools/pinger.c tests/tools/tool.h
tests_tools_logsink_SOURCES = tests/tools/logsink.c tests/tools/tool.h
tests_tools_tcpecho_SOURCES = tests/tools/tcpecho.c tests/tools/tool.h
tests_tools_tcphold_SOURCES = tests/tools/tcphold.c tests/tools/tool.h
tests_tools_httploop_SOURCES = tests/tools/httploop.c tests/tools/tool.h
TESTS += tests/conformance
EXTRA_DIST += tests/conformance
EXTRA_DIST += tests/lib/lab.sh tests/lib/build.sh tests/lib/story.sh tests/netns/figures tests/netns/figures_keyed tests/netns/figures_load \
	tests/netns/figures_busy \
	tests/lib/figure.sh tests/demo
EXTRA_DIST += tests/vm/all tests/vm/t_survival tests/vm/t_plan tests/vm/t_load
EXTRA_DIST += tests/lib/scenario.sh tests/netns/t_processes.sh tests/netns/t_reload.sh \
	tests/netns/t_refuse.sh tests/netns/t_roles.sh tests/netns/t_hostile.sh
EXTRA_DIST += tests/vm/t_schedulers tests/vm/t_traffic tests/vm/t_modules
check_PROGRAMS += tests/tools/nonetfilter
tests_tools_nonetfilter_SOURCES = tests/tools/nonetfilter.c
tests_tools_nonetfilter_LDADD = $(SECCOMP_LIBS)
EXTRA_DIST += .ci/run
EXTRA_DIST += tests/check
EXTRA_DIST += tests/demo
EXTRA_DIST += tests/lib/build.sh
EXTRA_DIST += tests/lib/figure.sh
EXTRA_DIST += tests/lib/group.sh
EXTRA_DIST += tests/lib/lab.sh
EXTRA_DIST += tests/lib/nginx.sh
EXTRA_DIST += tests/lib/peers.sh
EXTRA_DIST += tests/lib/scenario.sh
EXTRA_DIST += tests/lib/clock.sh
EXTRA_DIST += tests/lib/servers.sh
EXTRA_DIST += tests/lib/story.sh
EXTRA_DIST += tests/lib/watch
EXTRA_DIST += tests/lib/witness.sh
EXTRA_DIST += tests/tidy
EXTRA_DIST += tests/vm/all
EXTRA_DIST += tests/vm/run
EXTRA_DIST += tests/vm/t_schedulers
EXTRA_DIST += tests/vm/t_survival
EXTRA_DIST += tests/tools/logs_as.py
EXTRA_DIST += tests/tools/probed.py
check_PROGRAMS += tests/tools/prober_calls
tests_tools_prober_calls_SOURCES = tests/tools/prober_calls.c
tests_tools_prober_calls_LDADD = libproc.la liblinux.la $(CAPNG_LIBS) $(SECCOMP_LIBS)
