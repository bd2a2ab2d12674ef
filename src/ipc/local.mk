noinst_LTLIBRARIES += libipc.la
# One a line: they merge.
libipc_la_SOURCES =
libipc_la_SOURCES += src/ipc/channel.c
libipc_la_SOURCES += src/ipc/channel.h
libipc_la_SOURCES += src/ipc/check.c
libipc_la_SOURCES += src/ipc/check.h
libipc_la_SOURCES += src/ipc/check_line.c
libipc_la_SOURCES += src/ipc/messages.h
