noinst_LTLIBRARIES += libproc.la
libproc_la_SOURCES =
libproc_la_SOURCES += src/proc/child.h src/proc/handover.h
libproc_la_SOURCES += src/proc/supervisor.c src/proc/supervisor.h src/proc/children.c \
	src/proc/reload.c src/proc/relay.c src/proc/hooks.c src/proc/withdraw.c \
	src/proc/rundir.c src/proc/rundir.h
