noinst_LTLIBRARIES += libcore.la
libcore_la_SOURCES =
# each concern appends its own lines
libcore_la_SOURCES += src/core/vrrp.c src/core/vrrp.h src/core/trailer.c src/core/trailer.h src/core/pair.c src/core/pair.h
libcore_la_SOURCES += src/core/fitness.c src/core/fitness.h src/core/reach.c src/core/reach.h
libcore_la_SOURCES += src/core/election.c src/core/election_keyed.c src/core/election_grouped.c src/core/election_internal.h src/core/election.h src/core/announce.c src/core/announce.h
libcore_la_SOURCES += src/core/group.c src/core/group.h
libcore_la_SOURCES += src/core/health.c src/core/health.h src/core/cadence.c src/core/cadence.h
libcore_la_SOURCES += src/core/table.c src/core/table.h src/core/plan.c src/core/plan.h src/core/pool.c src/core/pool.h src/core/drain.c src/core/drain.h
libcore_la_SOURCES += src/core/icmp.c src/core/icmp.h
libcore_la_SOURCES += src/core/http.c src/core/http_request.c src/core/http.h
libcore_la_SOURCES += src/core/virtual_mac.c src/core/virtual_mac.h
