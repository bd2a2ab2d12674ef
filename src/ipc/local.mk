noinst_LTLIBRARIES += libipc.la
libipc_la_SOURCES =
libipc_la_SOURCES += src/ipc/channel.c src/ipc/channel.h src/ipc/messages.h
