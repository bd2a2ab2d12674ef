# Fuzz entries. Each is built twice: as a test that runs its corpus (always), and with
# --enable-fuzzers and CC=clang as a libFuzzer program beside it (tests/fuzz/lf_NAME).
fuzz_tests = tests/fuzz/fuzz_http tests/fuzz/fuzz_icmp tests/fuzz/fuzz_vrrp tests/fuzz/fuzz_control \
	tests/fuzz/fuzz_trailer tests/fuzz/fuzz_pair tests/fuzz/fuzz_dns tests/fuzz/fuzz_resolution
check_PROGRAMS += $(fuzz_tests)
TESTS += $(fuzz_tests)
fuzz_core = tests/fuzz/fuzz.h src/base/addr.c src/base/reason.c
fuzz_http_sources = tests/fuzz/fuzz_http.c src/core/http.c src/core/http_request.c $(fuzz_core)
fuzz_icmp_sources = tests/fuzz/fuzz_icmp.c src/core/icmp.c $(fuzz_core)
fuzz_resolution_sources = tests/fuzz/fuzz_resolution.c src/core/resolution.c $(fuzz_core)
fuzz_dns_sources = tests/fuzz/fuzz_dns.c src/core/dns.c $(fuzz_core)
fuzz_vrrp_sources = tests/fuzz/fuzz_vrrp.c src/core/vrrp.c $(fuzz_core)
fuzz_trailer_sources = tests/fuzz/fuzz_trailer.c src/core/trailer.c $(fuzz_core)
fuzz_pair_sources = tests/fuzz/fuzz_pair.c src/core/pair.c src/core/trailer.c $(fuzz_core)

tests_fuzz_fuzz_http_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_http.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_http_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"http"'
tests_fuzz_fuzz_http_LDADD = libcore.la libbase.la
tests_fuzz_fuzz_icmp_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_icmp.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_icmp_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"icmp"'
tests_fuzz_fuzz_icmp_LDADD = libcore.la libbase.la
tests_fuzz_fuzz_vrrp_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_vrrp.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_vrrp_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"vrrp"'
tests_fuzz_fuzz_vrrp_LDADD = libcore.la libbase.la
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_control.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_control_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"control"'
tests_fuzz_fuzz_control_LDADD = libcontrol.la $(JANSSON_LIBS)
tests_fuzz_fuzz_trailer_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_trailer.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_trailer_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"trailer"'
tests_fuzz_fuzz_trailer_LDADD = libcore.la libbase.la
tests_fuzz_fuzz_pair_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_pair.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_pair_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"pair"'
tests_fuzz_fuzz_pair_LDADD = libcore.la libbase.la
tests_fuzz_fuzz_resolution_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_resolution.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_resolution_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"resolution"'
tests_fuzz_fuzz_resolution_LDADD = libcore.la libbase.la
tests_fuzz_fuzz_dns_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_dns.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_dns_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"dns"'
tests_fuzz_fuzz_dns_LDADD = libcore.la libbase.la
fuzz_tests += tests/fuzz/fuzz_agent
fuzz_agent_sources = tests/fuzz/fuzz_agent.c src/core/agent.c $(fuzz_core)
tests_fuzz_fuzz_agent_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_agent.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_agent_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"agent"'
tests_fuzz_fuzz_agent_LDADD = libcore.la libbase.la
fuzz_tests += tests/fuzz/fuzz_segment
fuzz_segment_sources = tests/fuzz/fuzz_segment.c src/core/segment.c src/core/icmp.c $(fuzz_core)
tests_fuzz_fuzz_segment_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_segment.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_segment_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"segment"'
tests_fuzz_fuzz_segment_LDADD = libcore.la libbase.la
EXTRA_DIST += tests/fuzz/corpus

if FUZZERS
# the decoders are compiled in, so that the fuzzer sees their branches
fuzz_flags = -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
noinst_PROGRAMS += tests/fuzz/lf_http tests/fuzz/lf_icmp tests/fuzz/lf_vrrp tests/fuzz/lf_control
noinst_PROGRAMS += tests/fuzz/lf_trailer tests/fuzz/lf_pair
tests_fuzz_lf_http_SOURCES = $(fuzz_http_sources)
tests_fuzz_lf_http_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_http_LDFLAGS = $(fuzz_flags)
tests_fuzz_lf_icmp_SOURCES = $(fuzz_icmp_sources)
tests_fuzz_lf_icmp_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_icmp_LDFLAGS = $(fuzz_flags)
tests_fuzz_lf_vrrp_SOURCES = $(fuzz_vrrp_sources)
tests_fuzz_lf_vrrp_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_vrrp_LDFLAGS = $(fuzz_flags)
tests_fuzz_lf_trailer_SOURCES = $(fuzz_trailer_sources)
tests_fuzz_lf_trailer_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_trailer_LDFLAGS = $(fuzz_flags)
noinst_PROGRAMS += tests/fuzz/lf_dns tests/fuzz/lf_resolution
tests_fuzz_lf_resolution_SOURCES = $(fuzz_resolution_sources)
tests_fuzz_lf_resolution_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_resolution_LDFLAGS = $(fuzz_flags)
noinst_PROGRAMS += tests/fuzz/lf_segment
tests_fuzz_lf_segment_SOURCES = $(fuzz_segment_sources)
tests_fuzz_lf_segment_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_segment_LDFLAGS = $(fuzz_flags)
noinst_PROGRAMS += tests/fuzz/lf_agent
tests_fuzz_lf_agent_SOURCES = $(fuzz_agent_sources)
tests_fuzz_lf_agent_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_agent_LDFLAGS = $(fuzz_flags)
tests_fuzz_lf_dns_SOURCES = $(fuzz_dns_sources)
tests_fuzz_lf_dns_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_dns_LDFLAGS = $(fuzz_flags)
tests_fuzz_lf_pair_SOURCES = $(fuzz_pair_sources)
tests_fuzz_lf_pair_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_pair_LDFLAGS = $(fuzz_flags)
tests_fuzz_lf_control_SOURCES = tests/fuzz/fuzz_control.c tests/fuzz/fuzz.h src/control/request.c
tests_fuzz_lf_control_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_control_LDFLAGS = $(fuzz_flags)
tests_fuzz_lf_control_LDADD = $(JANSSON_LIBS)
endif

# what processes tell each other
fuzz_tests += tests/fuzz/fuzz_messages tests/fuzz/fuzz_pack
fuzz_messages_sources = tests/fuzz/fuzz_messages.c src/ipc/check.c src/core/agent.c $(fuzz_core)
fuzz_pack_sources = tests/fuzz/fuzz_pack.c src/conf/pack.c src/conf/sound.c src/conf/listen.c src/conf/print.c \
	src/conf/print_pool.c src/conf/config.c src/conf/digest.c src/conf/bytes.c src/conf/host.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_messages_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_messages.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_messages_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"messages"'
tests_fuzz_fuzz_messages_LDADD = libipc.la libcore.la libbase.la
tests_fuzz_fuzz_pack_SOURCES = tests/fuzz/main.c tests/fuzz/fuzz_pack.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_pack_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"pack"' -DFUZZ_STEP=7
tests_fuzz_fuzz_pack_LDADD = libconf.la libcore.la libbase.la $(CONFIG_LIBS) $(PCRE_LIBS)
if FUZZERS
noinst_PROGRAMS += tests/fuzz/lf_messages tests/fuzz/lf_pack
tests_fuzz_lf_messages_SOURCES = $(fuzz_messages_sources)
tests_fuzz_lf_messages_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_messages_LDFLAGS = $(fuzz_flags)
tests_fuzz_lf_pack_SOURCES = $(fuzz_pack_sources)
tests_fuzz_lf_pack_CFLAGS = $(WARN_CFLAGS) $(fuzz_flags)
tests_fuzz_lf_pack_LDFLAGS = $(fuzz_flags)
tests_fuzz_lf_pack_LDADD = libconf.la libcore.la libbase.la $(CONFIG_LIBS) $(PCRE_LIBS)
endif
