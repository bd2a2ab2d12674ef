noinst_LTLIBRARIES += libproc.la
libproc_la_SOURCES =
libproc_la_SOURCES += src/proc/child.h src/proc/handover.h
libproc_la_SOURCES += src/proc/supervisor.c src/proc/supervisor.h src/proc/children.c \
	src/proc/reload.c src/proc/relay.c src/proc/hooks.c src/proc/program.c src/proc/program.h src/proc/scripts.c src/proc/withdraw.c \
	src/proc/rundir.c src/proc/rundir.h
libproc_la_SOURCES += src/proc/election_process.h src/proc/election_main.c src/proc/election_ports.c \
	src/proc/election_routers.c src/proc/election_perform.c src/proc/election_report.c \
	src/proc/election_receive.c src/proc/election_send.c src/proc/election_pair.c src/proc/election_wire.c
libproc_la_SOURCES += src/proc/election_track.c src/proc/election_gateways.c src/proc/election_blocks.c
libproc_la_SOURCES += src/proc/election_devices.c
libproc_la_SOURCES += src/proc/election_track.c
libproc_la_SOURCES += src/proc/election_group.c
libproc_la_SOURCES += src/proc/election_track.c src/proc/election_gateways.c
libproc_la_SOURCES += src/proc/election_track.c src/proc/election_blocks.c src/proc/election_ours.c
libproc_la_SOURCES += src/proc/election_track.c src/proc/election_fence.c
libproc_la_SOURCES += src/proc/pool_process.h src/proc/pool_main.c src/proc/pool_health.c \
	src/proc/pool_table.c src/proc/pool_plan.c src/proc/pool_plan_log.c src/proc/pool_overlay.c src/proc/pool_overlay.h src/proc/pool_overlay_file.c src/proc/pool_operate.c src/proc/pool_owned.c src/proc/pool_sync.c src/proc/pool_neighbours.c
libproc_la_SOURCES += src/proc/pool_track.c
libproc_la_SOURCES += src/proc/prober.c
libproc_la_SOURCES += src/proc/pool_control.c src/proc/pool_status.c
