bin_PROGRAMS += tandemctl
tandemctl_SOURCES = src/bin/tandemctl.c
tandemctl_LDADD = libcontrol.la libbase.la $(JANSSON_LIBS) $(EV_LIBS)
