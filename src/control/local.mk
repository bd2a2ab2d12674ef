noinst_LTLIBRARIES += libcontrol.la
# One a line: they merge.
libcontrol_la_SOURCES =
libcontrol_la_SOURCES += src/control/client.c
libcontrol_la_SOURCES += src/control/client.h
libcontrol_la_SOURCES += src/control/render.c
libcontrol_la_SOURCES += src/control/render.h
libcontrol_la_SOURCES += src/control/render_drain.c
libcontrol_la_SOURCES += src/control/request.c
libcontrol_la_SOURCES += src/control/request.h
libcontrol_la_SOURCES += src/control/server.c
libcontrol_la_SOURCES += src/control/server.h
libcontrol_la_SOURCES += src/control/server_internal.h
libcontrol_la_SOURCES += src/control/session.c
libcontrol_la_SOURCES += src/control/table.c
libcontrol_la_SOURCES += src/control/table.h
libcontrol_la_SOURCES += src/control/request.c src/control/request.h src/control/server.c \
	src/control/server.h src/control/server_internal.h src/control/session.c
libcontrol_la_SOURCES += src/control/client.c src/control/client.h src/control/render.c \
	src/control/render.h src/control/render_internal.h src/control/render_plan.c src/control/table.c src/control/table.h
