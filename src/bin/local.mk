sbin_PROGRAMS += tandemd
tandemd_SOURCES = src/bin/tandemd.c
tandemd_LDADD = libproc.la libauth.la libcontrol.la libprobe.la liblinux.la libipc.la libconf.la libcore.la \
	libbase.la $(NL_LIBS) $(NFT_LIBS) $(EV_LIBS) $(CONFIG_LIBS) $(NET_LIBS) $(SYSTEMD_LIBS) $(CAPNG_LIBS) \
	$(SECCOMP_LIBS) $(JANSSON_LIBS) -lpthread -lm
bin_PROGRAMS += tandemctl
tandemctl_SOURCES = src/bin/tandemctl.c
tandemctl_LDADD = libcontrol.la libconf.la libbase.la $(JANSSON_LIBS) $(EV_LIBS) $(CONFIG_LIBS)
