# Programs that need root: built by `make check`, run by tests/netns/run.
netns_programs =
netns_programs += tests/netns/t_addresses
netns_programs += tests/netns/t_announcer
netns_programs += tests/netns/t_arp
netns_programs += tests/netns/t_asker
netns_programs += tests/netns/t_egress
netns_programs += tests/netns/t_hands
netns_programs += tests/netns/t_links
netns_programs += tests/netns/t_macvlan
netns_programs += tests/netns/t_privileges
netns_programs += tests/netns/t_vrrp_socket
check_PROGRAMS += $(netns_programs)
EXTRA_DIST += tests/netns/run

netns_bed = tests/netns/bed.c tests/netns/bed.h
netns_libs = liblinux.la libcore.la libbase.la $(NL_LIBS) $(NFT_LIBS) $(NET_LIBS) $(CAPNG_LIBS) \
	$(SECCOMP_LIBS) $(CMOCKA_LIBS) -lpthread
tests_netns_t_addresses_SOURCES = tests/netns/t_addresses.c $(netns_bed)
tests_netns_t_addresses_LDADD = $(netns_libs)
tests_netns_t_announcer_SOURCES = tests/netns/t_announcer.c $(netns_bed)
tests_netns_t_announcer_LDADD = $(netns_libs)
tests_netns_t_arp_SOURCES = tests/netns/t_arp.c $(netns_bed)
tests_netns_t_arp_LDADD = $(netns_libs)
tests_netns_t_asker_SOURCES = tests/netns/t_asker.c $(netns_bed)
tests_netns_t_asker_LDADD = $(netns_libs)
tests_netns_t_egress_SOURCES = tests/netns/t_egress.c $(netns_bed)
tests_netns_t_egress_LDADD = $(netns_libs)
tests_netns_t_hands_SOURCES = tests/netns/t_hands.c $(netns_bed)
tests_netns_t_hands_LDADD = $(netns_libs)
tests_netns_t_links_SOURCES = tests/netns/t_links.c $(netns_bed)
tests_netns_t_links_LDADD = $(netns_libs)
tests_netns_t_macvlan_SOURCES = tests/netns/t_macvlan.c $(netns_bed)
tests_netns_t_macvlan_LDADD = $(netns_libs)
tests_netns_t_privileges_SOURCES = tests/netns/t_privileges.c $(netns_bed)
tests_netns_t_privileges_LDADD = $(netns_libs)
tests_netns_t_vrrp_socket_SOURCES = tests/netns/t_vrrp_socket.c $(netns_bed)
tests_netns_t_vrrp_socket_LDADD = $(netns_libs)
EXTRA_DIST += tests/netns/t_operator.sh tests/netns/t_unfit.sh tests/netns/t_storm.sh \
	tests/netns/t_hooks.sh tests/netns/t_control.sh tests/netns/t_track.sh tests/netns/t_track_gateways.sh \
	tests/netns/t_track_local.sh tests/lib/nginx.sh
	tests/netns/t_hooks.sh tests/netns/t_control.sh tests/netns/t_track.sh tests/netns/t_track_gateways.sh
	tests/netns/t_hooks.sh tests/netns/t_control.sh tests/netns/t_track.sh tests/netns/t_group.sh \
	tests/netns/t_group_plain.sh tests/lib/group.sh \
	tests/netns/t_group_keepalived.sh tests/netns/t_active_active.sh
EXTRA_DIST += tests/netns/t_keyed.sh tests/netns/t_wire.sh tests/netns/t_stranger.sh tests/netns/t_families.sh
EXTRA_DIST += tests/netns/matrix tests/lib/peers.sh tests/lib/witness.sh tests/lib/watch
	tests/netns/t_hooks.sh tests/netns/t_control.sh tests/netns/t_track.sh
EXTRA_DIST += tests/netns/t_keyed.sh tests/netns/t_wire.sh tests/netns/t_stranger.sh tests/netns/t_families.sh tests/netns/t_blocks.sh tests/netns/t_many.sh
EXTRA_DIST += tests/netns/t_keyed.sh tests/netns/t_wire.sh tests/netns/t_stranger.sh tests/netns/t_families.sh \
	tests/netns/t_envelope.sh
EXTRA_DIST += tests/netns/matrix tests/lib/peers.sh tests/lib/watch
EXTRA_DIST += tests/netns/t_virtual_mac.sh tests/netns/t_virtual_mac_peers.sh
netns_programs += tests/netns/t_questions
tests_netns_t_questions_SOURCES = tests/netns/t_questions.c $(netns_bed)
tests_netns_t_questions_LDADD = $(netns_libs)
EXTRA_DIST += tests/netns/t_wire6.sh
