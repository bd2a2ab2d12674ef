noinst_LTLIBRARIES += libauth.la
# One a line: they merge.
libauth_la_SOURCES =
libauth_la_SOURCES += src/auth/heartbeat_key.c
libauth_la_SOURCES += src/auth/heartbeat_key.h
libauth_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
libauth_la_LIBADD = $(CRYPTO_LIBS)
