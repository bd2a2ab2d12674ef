EXTRA_DIST += systemd/tandem.service.in
CLEANFILES += systemd/tandem.service
systemdsystemunit_DATA = systemd/tandem.service
systemd/tandem.service: $(srcdir)/systemd/tandem.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && sed -e 's,[@]sbindir@,$(sbindir),g' $(srcdir)/systemd/tandem.service.in > $@
