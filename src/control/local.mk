noinst_LTLIBRARIES += libcontrol.la
# One a line: they merge.
libcontrol_la_SOURCES =
libcontrol_la_SOURCES += src/control/client.c
libcontrol_la_SOURCES += src/control/client.h
libcontrol_la_SOURCES += src/control/render.c
libcontrol_la_SOURCES += src/control/render.h
libcontrol_la_SOURCES += src/control/request.c
libcontrol_la_SOURCES += src/control/request.h
libcontrol_la_SOURCES += src/control/server.c
libcontrol_la_SOURCES += src/control/server.h
libcontrol_la_SOURCES += src/control/server_internal.h
libcontrol_la_SOURCES += src/control/session.c
libcontrol_la_SOURCES += src/control/table.c
libcontrol_la_SOURCES += src/control/table.h
