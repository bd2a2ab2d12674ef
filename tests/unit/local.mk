
check_PROGRAMS += tests/unit/test_shortage
TESTS += tests/unit/test_shortage
tests_unit_test_shortage_SOURCES = tests/unit/test_shortage.c
tests_unit_test_shortage_LDADD = libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_latency
TESTS += tests/unit/test_latency
tests_unit_test_latency_SOURCES = tests/unit/test_latency.c
tests_unit_test_latency_LDADD = libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_black_hole
TESTS += tests/unit/test_black_hole
tests_unit_test_black_hole_SOURCES = tests/unit/test_black_hole.c
tests_unit_test_black_hole_LDADD = libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_correlated
TESTS += tests/unit/test_correlated
tests_unit_test_correlated_SOURCES = tests/unit/test_correlated.c
tests_unit_test_correlated_LDADD = libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_roster tests/unit/test_ways
TESTS += tests/unit/test_roster tests/unit/test_ways
tests_unit_test_roster_SOURCES = tests/unit/test_roster.c
tests_unit_test_roster_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_ways_SOURCES = tests/unit/test_ways.c
tests_unit_test_ways_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_ramp
TESTS += tests/unit/test_ramp
tests_unit_test_ramp_SOURCES = tests/unit/test_ramp.c
tests_unit_test_ramp_LDADD = libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_flap
TESTS += tests/unit/test_flap
tests_unit_test_flap_SOURCES = tests/unit/test_flap.c
tests_unit_test_flap_LDADD = libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_lasting
TESTS += tests/unit/test_lasting
tests_unit_test_lasting_SOURCES = tests/unit/test_lasting.c
tests_unit_test_lasting_LDADD = libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_health tests/unit/test_cadence tests/unit/test_drain
TESTS += tests/unit/test_health tests/unit/test_cadence tests/unit/test_drain
tests_unit_test_drain_SOURCES = tests/unit/test_drain.c
tests_unit_test_drain_LDADD = libcore.la $(CMOCKA_LIBS)
tests_unit_test_health_SOURCES = tests/unit/test_health.c
tests_unit_test_health_LDADD = libcore.la $(CMOCKA_LIBS)
tests_unit_test_cadence_SOURCES = tests/unit/test_cadence.c
tests_unit_test_cadence_LDADD = libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_icmp tests/unit/test_http
TESTS += tests/unit/test_icmp tests/unit/test_http
tests_unit_test_icmp_SOURCES = tests/unit/test_icmp.c
tests_unit_test_icmp_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_http_SOURCES = tests/unit/test_http.c
tests_unit_test_http_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_vrrp
TESTS += tests/unit/test_vrrp
tests_unit_test_vrrp_SOURCES = tests/unit/test_vrrp.c
tests_unit_test_vrrp_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_addr tests/unit/test_logline tests/unit/test_cursor
check_PROGRAMS += tests/unit/test_reason
TESTS += tests/unit/test_addr tests/unit/test_logline tests/unit/test_cursor
TESTS += tests/unit/test_reason
tests_unit_test_addr_SOURCES = tests/unit/test_addr.c
tests_unit_test_addr_LDADD = libbase.la $(CMOCKA_LIBS)
tests_unit_test_logline_SOURCES = tests/unit/test_logline.c
tests_unit_test_logline_LDADD = libbase.la $(CMOCKA_LIBS)
tests_unit_test_cursor_SOURCES = tests/unit/test_cursor.c
tests_unit_test_cursor_LDADD = $(CMOCKA_LIBS)
tests_unit_test_reason_SOURCES = tests/unit/test_reason.c
tests_unit_test_reason_LDADD = libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_check_line
TESTS += tests/unit/test_check_line
tests_unit_test_check_line_SOURCES = tests/unit/test_check_line.c
tests_unit_test_check_line_LDADD = libipc.la libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_check
TESTS += tests/unit/test_check
tests_unit_test_check_SOURCES = tests/unit/test_check.c
tests_unit_test_check_LDADD = libipc.la libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_channel
TESTS += tests/unit/test_channel
tests_unit_test_channel_SOURCES = tests/unit/test_channel.c
tests_unit_test_channel_LDADD = libipc.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_election tests/unit/test_election_active
check_PROGRAMS += tests/unit/test_leases tests/unit/test_operator
TESTS += tests/unit/test_election tests/unit/test_election_active
TESTS += tests/unit/test_leases tests/unit/test_operator
tests_unit_test_operator_SOURCES = tests/unit/test_operator.c tests/unit/election_bench.h
tests_unit_test_operator_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_election_active_SOURCES = tests/unit/test_election_active.c \
	tests/unit/election_bench.h
tests_unit_test_election_active_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_election_SOURCES = tests/unit/test_election.c tests/unit/election_bench.h
tests_unit_test_election_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_leases_SOURCES = tests/unit/test_leases.c tests/unit/election_bench.h
tests_unit_test_leases_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_conf tests/unit/test_pack
TESTS += tests/unit/test_conf tests/unit/test_pack
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c
tests_unit_test_conf_LDADD = libconf.la $(CMOCKA_LIBS)
tests_unit_test_pack_SOURCES = tests/unit/test_pack.c
tests_unit_test_pack_LDADD = libconf.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_override
TESTS += tests/unit/test_override
tests_unit_test_override_SOURCES = tests/unit/test_override.c
tests_unit_test_override_LDADD = libconf.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_ca_file
TESTS += tests/unit/test_ca_file
tests_unit_test_ca_file_SOURCES = tests/unit/test_ca_file.c
tests_unit_test_ca_file_LDADD = libconf.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_heap
TESTS += tests/unit/test_heap
tests_unit_test_heap_SOURCES = tests/unit/test_heap.c
tests_unit_test_heap_LDADD = libprobe.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_request tests/unit/test_control
TESTS += tests/unit/test_request tests/unit/test_control
tests_unit_test_request_SOURCES = tests/unit/test_request.c
tests_unit_test_request_LDADD = libcontrol.la $(JANSSON_LIBS) $(CMOCKA_LIBS)
tests_unit_test_control_SOURCES = tests/unit/test_control.c
tests_unit_test_control_LDADD = libcontrol.la libbase.la $(JANSSON_LIBS) $(EV_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_render
TESTS += tests/unit/test_render
tests_unit_test_render_SOURCES = tests/unit/test_render.c
tests_unit_test_render_LDADD = libcontrol.la libbase.la $(JANSSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_arp
TESTS += tests/unit/test_arp
tests_unit_test_arp_SOURCES = tests/unit/test_arp.c
tests_unit_test_arp_LDADD = liblinux.la libbase.la $(NET_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_status
TESTS += tests/unit/test_status
tests_unit_test_status_SOURCES = tests/unit/test_status.c
tests_unit_test_status_LDADD = libproc.la libcontrol.la liblinux.la libipc.la libconf.la libcore.la \
	libbase.la $(NL_LIBS) $(NFT_LIBS) $(EV_LIBS) $(CONFIG_LIBS) $(CAPNG_LIBS) $(SECCOMP_LIBS) \
	$(JANSSON_LIBS) $(CMOCKA_LIBS) -lpthread -lm

check_PROGRAMS += tests/unit/test_table tests/unit/test_plan tests/unit/test_pool
TESTS += tests/unit/test_table tests/unit/test_plan tests/unit/test_pool
tests_unit_test_table_SOURCES = tests/unit/test_table.c
tests_unit_test_table_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_plan_SOURCES = tests/unit/test_plan.c
tests_unit_test_plan_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_pool_SOURCES = tests/unit/test_pool.c
tests_unit_test_pool_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_ipvs_codec
TESTS += tests/unit/test_ipvs_codec
tests_unit_test_ipvs_codec_SOURCES = tests/unit/test_ipvs_codec.c
tests_unit_test_ipvs_codec_LDADD = liblinux.la libcore.la libbase.la $(NL_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_keyed tests/unit/test_keyed_faults
TESTS += tests/unit/test_keyed tests/unit/test_keyed_faults
tests_unit_test_keyed_SOURCES = tests/unit/test_keyed.c tests/unit/keyed_bench.h \
	tests/unit/election_bench.h
tests_unit_test_keyed_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_keyed_faults_SOURCES = tests/unit/test_keyed_faults.c tests/unit/keyed_bench.h \
	tests/unit/election_bench.h
tests_unit_test_keyed_faults_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_last_word
TESTS += tests/unit/test_last_word
tests_unit_test_last_word_SOURCES = tests/unit/test_last_word.c tests/unit/keyed_bench.h \
	tests/unit/election_bench.h
tests_unit_test_last_word_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_pair tests/unit/test_belief
TESTS += tests/unit/test_pair tests/unit/test_belief
tests_unit_test_belief_SOURCES = tests/unit/test_belief.c tests/unit/pair_bench.h
tests_unit_test_belief_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_pair_SOURCES = tests/unit/test_pair.c tests/unit/pair_bench.h
tests_unit_test_pair_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_auth
TESTS += tests/unit/test_auth
tests_unit_test_auth_SOURCES = tests/unit/test_auth.c
tests_unit_test_auth_LDADD = libauth.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_key_file
TESTS += tests/unit/test_key_file
tests_unit_test_key_file_SOURCES = tests/unit/test_key_file.c
tests_unit_test_key_file_LDADD = libconf.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_trailer
TESTS += tests/unit/test_trailer
tests_unit_test_trailer_SOURCES = tests/unit/test_trailer.c
tests_unit_test_trailer_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_protocol
TESTS += tests/unit/test_protocol tests/unit/vectors.py
EXTRA_DIST += tests/unit/vectors.py
tests_unit_test_protocol_SOURCES = tests/unit/test_protocol.c
tests_unit_test_protocol_LDADD = libauth.la libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_nd
TESTS += tests/unit/test_nd
tests_unit_test_nd_SOURCES = tests/unit/test_nd.c
tests_unit_test_nd_LDADD = liblinux.la libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_fitness tests/unit/test_track
TESTS += tests/unit/test_fitness tests/unit/test_track
check_PROGRAMS += tests/unit/test_reach
TESTS += tests/unit/test_reach
tests_unit_test_reach_SOURCES = tests/unit/test_reach.c
tests_unit_test_reach_LDADD = libcore.la $(CMOCKA_LIBS)
tests_unit_test_fitness_SOURCES = tests/unit/test_fitness.c
tests_unit_test_fitness_LDADD = libcore.la $(CMOCKA_LIBS)
tests_unit_test_track_SOURCES = tests/unit/test_track.c
tests_unit_test_track_LDADD = libproc.la libcontrol.la libprobe.la liblinux.la libauth.la libipc.la \
	libconf.la libcore.la libbase.la $(NL_LIBS) $(NFT_LIBS) $(NET_LIBS) $(EV_LIBS) $(CONFIG_LIBS) \
	$(CAPNG_LIBS) $(SECCOMP_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS) -lpthread -lm
check_PROGRAMS += tests/unit/test_scripts
TESTS += tests/unit/test_scripts
tests_unit_test_scripts_SOURCES = tests/unit/test_scripts.c tests/unit/program_bench.h
tests_unit_test_scripts_LDADD = $(tests_unit_test_track_LDADD) $(SYSTEMD_LIBS)
check_PROGRAMS += tests/unit/test_pool_track
TESTS += tests/unit/test_pool_track
tests_unit_test_pool_track_SOURCES = tests/unit/test_pool_track.c
tests_unit_test_pool_track_LDADD = $(tests_unit_test_track_LDADD) $(SYSTEMD_LIBS)
check_PROGRAMS += tests/unit/test_pool_health
TESTS += tests/unit/test_pool_health
tests_unit_test_pool_health_SOURCES = tests/unit/test_pool_health.c
tests_unit_test_pool_health_LDADD = $(tests_unit_test_track_LDADD) $(SYSTEMD_LIBS)
check_PROGRAMS += tests/unit/test_virtual_mac
TESTS += tests/unit/test_virtual_mac
tests_unit_test_virtual_mac_SOURCES = tests/unit/test_virtual_mac.c
tests_unit_test_virtual_mac_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_group tests/unit/test_group_pair
TESTS += tests/unit/test_group tests/unit/test_group_pair
tests_unit_test_group_pair_SOURCES = tests/unit/test_group_pair.c tests/unit/group_bench.h \
	tests/unit/election_bench.h
tests_unit_test_group_pair_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_group_SOURCES = tests/unit/test_group.c tests/unit/group_bench.h \
	tests/unit/election_bench.h
tests_unit_test_group_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_ipvs_connections
TESTS += tests/unit/test_ipvs_connections
tests_unit_test_ipvs_connections_SOURCES = tests/unit/test_ipvs_connections.c
tests_unit_test_ipvs_connections_LDADD = liblinux.la libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_carry
TESTS += tests/unit/test_carry
tests_unit_test_carry_SOURCES = tests/unit/test_carry.c
tests_unit_test_carry_LDADD = $(tests_unit_test_track_LDADD) $(SYSTEMD_LIBS)
check_PROGRAMS += tests/unit/test_wanted
TESTS += tests/unit/test_wanted
tests_unit_test_wanted_SOURCES = tests/unit/test_wanted.c
tests_unit_test_wanted_LDADD = $(tests_unit_test_track_LDADD) $(SYSTEMD_LIBS)

check_PROGRAMS += tests/unit/test_named
TESTS += tests/unit/test_named
tests_unit_test_named_SOURCES = tests/unit/test_named.c
tests_unit_test_named_LDADD = $(tests_unit_test_track_LDADD) $(SYSTEMD_LIBS)

check_PROGRAMS += tests/unit/test_overlay
TESTS += tests/unit/test_overlay
tests_unit_test_overlay_SOURCES = tests/unit/test_overlay.c
tests_unit_test_overlay_LDADD = $(tests_unit_test_track_LDADD) $(SYSTEMD_LIBS)

check_PROGRAMS += tests/unit/test_preview
TESTS += tests/unit/test_preview
tests_unit_test_preview_SOURCES = tests/unit/test_preview.c
tests_unit_test_preview_LDADD = $(tests_unit_test_track_LDADD) $(SYSTEMD_LIBS)

check_PROGRAMS += tests/unit/test_bytes
TESTS += tests/unit/test_bytes
tests_unit_test_bytes_SOURCES = tests/unit/test_bytes.c
tests_unit_test_bytes_LDADD = libconf.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_dns
TESTS += tests/unit/test_dns
tests_unit_test_dns_SOURCES = tests/unit/test_dns.c
tests_unit_test_dns_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_view
TESTS += tests/unit/test_view
tests_unit_test_view_SOURCES = tests/unit/test_view.c
tests_unit_test_view_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_survival tests/unit/test_catch_up
TESTS += tests/unit/test_survival tests/unit/test_catch_up
tests_unit_test_survival_SOURCES = tests/unit/test_survival.c
tests_unit_test_survival_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_catch_up_SOURCES = tests/unit/test_catch_up.c tests/unit/election_bench.h tests/unit/keyed_bench.h
tests_unit_test_catch_up_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_contact
TESTS += tests/unit/test_contact
tests_unit_test_contact_SOURCES = tests/unit/test_contact.c
tests_unit_test_contact_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_relay
TESTS += tests/unit/test_relay
tests_unit_test_relay_SOURCES = tests/unit/test_relay.c
tests_unit_test_relay_LDADD = liblinux.la libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_thread_channel
TESTS += tests/unit/test_thread_channel
tests_unit_test_thread_channel_SOURCES = tests/unit/test_thread_channel.c
tests_unit_test_thread_channel_LDADD = liblinux.la libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_resolution
TESTS += tests/unit/test_resolution
tests_unit_test_resolution_SOURCES = tests/unit/test_resolution.c
tests_unit_test_resolution_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_json_pointer tests/unit/test_body tests/unit/test_http_request tests/unit/test_http_end
TESTS += tests/unit/test_json_pointer tests/unit/test_body tests/unit/test_http_request tests/unit/test_http_end
tests_unit_test_json_pointer_SOURCES = tests/unit/test_json_pointer.c
tests_unit_test_json_pointer_LDADD = libcore.la $(CMOCKA_LIBS)
tests_unit_test_body_SOURCES = tests/unit/test_body.c
tests_unit_test_body_LDADD = libprobe.la libconf.la libcore.la libbase.la $(JANSSON_LIBS) $(CMOCKA_LIBS)
tests_unit_test_http_request_SOURCES = tests/unit/test_http_request.c
tests_unit_test_http_request_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_http_end_SOURCES = tests/unit/test_http_end.c
tests_unit_test_http_end_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_agent
TESTS += tests/unit/test_agent
tests_unit_test_agent_SOURCES = tests/unit/test_agent.c
tests_unit_test_agent_LDADD = libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_lateness
TESTS += tests/unit/test_lateness
tests_unit_test_lateness_SOURCES = tests/unit/test_lateness.c
tests_unit_test_lateness_LDADD = libcore.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_handover
TESTS += tests/unit/test_handover
tests_unit_test_handover_SOURCES = tests/unit/test_handover.c
tests_unit_test_handover_LDADD = $(tests_unit_test_track_LDADD) $(SYSTEMD_LIBS)
check_PROGRAMS += tests/unit/test_exec
TESTS += tests/unit/test_exec
tests_unit_test_exec_SOURCES = tests/unit/test_exec.c tests/unit/program_bench.h
tests_unit_test_exec_LDADD = $(tests_unit_test_track_LDADD) $(SYSTEMD_LIBS)
check_PROGRAMS += tests/unit/test_inquiry
TESTS += tests/unit/test_inquiry
tests_unit_test_inquiry_SOURCES = tests/unit/test_inquiry.c
tests_unit_test_inquiry_LDADD = libcore.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_lag
TESTS += tests/unit/test_lag
tests_unit_test_lag_SOURCES = tests/unit/test_lag.c
tests_unit_test_lag_LDADD = libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_overdue
TESTS += tests/unit/test_overdue
tests_unit_test_overdue_SOURCES = tests/unit/test_overdue.c
tests_unit_test_overdue_LDADD = libcore.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_segment
TESTS += tests/unit/test_segment
tests_unit_test_segment_SOURCES = tests/unit/test_segment.c
tests_unit_test_segment_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_sync_message
TESTS += tests/unit/test_sync_message
tests_unit_test_sync_message_SOURCES = tests/unit/test_sync_message.c
tests_unit_test_sync_message_LDADD = libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_newest
TESTS += tests/unit/test_newest
tests_unit_test_newest_SOURCES = tests/unit/test_newest.c
tests_unit_test_newest_LDADD = liblinux.la libcore.la libbase.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_state_file
TESTS += tests/unit/test_state_file
tests_unit_test_state_file_SOURCES = tests/unit/test_state_file.c
tests_unit_test_state_file_LDADD = libproc.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_pool_state
TESTS += tests/unit/test_pool_state
tests_unit_test_pool_state_SOURCES = tests/unit/test_pool_state.c
tests_unit_test_pool_state_LDADD = $(tests_unit_test_track_LDADD) $(SYSTEMD_LIBS)
