noinst_LTLIBRARIES += libcontrol.la
libcontrol_la_SOURCES =
libcontrol_la_SOURCES += src/control/request.c src/control/request.h src/control/server.c \
	src/control/server.h src/control/server_internal.h src/control/session.c
libcontrol_la_SOURCES += src/control/client.c src/control/client.h src/control/render.c \
	src/control/render.h src/control/table.c src/control/table.h
