/* What the tests of the prober process share. */
#ifndef TANDEM_TESTS_PROBE_TESTS_H
#define TANDEM_TESTS_PROBE_TESTS_H

#include <config.h>

#include "bench.h"

/* A set message for a probe of this kind with quick numbers; the address is the caller's. */
struct bench_probe probe_of_type(uint8_t type);
/* A listener on every address that accepts and closes, in a thread of its own; returns its port. */
uint16_t listen_on_any(void);
long resident_kib(pid_t pid);
/* A file of /proc/sys. Exits the test when it cannot be written. */
void write_sysctl(const char *path, const char *text);
/* A link with these addresses of ours (either may be NULL) where nobody else is, which shows soon. */
void link_without_neighbours(const char *address4, const char *address6);

void test_hostile(void);
void test_https(void);
void test_web(void);
void test_http_cases(void);
void test_http_requests(void);
void test_source(void);
void test_source_taken_away(void);
void test_routes(void);
void test_lagging_results_are_void(void);
void test_always_lagging_prober_has_a_verdict(void);
void test_void_crowd_is_no_storm(void);
void test_ports_are_waited_for(void);
void test_ports_that_others_have(void);
void test_keep_alive(void);
void test_keep_alive_with_few_descriptors(void);
void test_cut_at_each_byte(void);
void test_cut_inside_tls(void);
void test_mutated_answers(void);
void test_https_system_bundle(void);
void test_first_result_decides(void);
void test_rhythm_between_verdicts(void);
void test_starts_are_spread(void);
void test_local_error_is_not_counted(void);
void test_stopped_prober_blames_nobody(void);
void test_stopped_prober_measures_nothing(void);
void test_slow_pool_gets_the_last_word(void);
void test_new_pool_starts_from_nothing(void);
void test_generation_and_clear(void);
void test_timeout_beyond_the_interval(void);
void test_few_descriptors(void);
void test_privileges_are_gone(void);
void test_stops_when_told(void);
void test_half_open_is_never_accepted(void);
void test_data_path(void);
void test_echoes_leave_sockets_alone(void);
void test_marked_sockets(void);
void test_agent(void);
void test_udp(void);
void test_dns(void);
void test_address_apart(void);
void test_two_thousand_targets(void);
void test_sockets_are_used_again_after_a_crowd(void);

#endif
