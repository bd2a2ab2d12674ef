/*
 * Every kind of bad server against the real prober process: what its verdict and reason are, that
 * it is out after `fall` probes and in after `rise`, and how long either took. All servers turn
 * bad at once and good at once; several rounds fall on different points of the probes' rhythm.
 *
 * Allowed: interval times count plus timeout, plus what the machine did to a sleeping witness
 * meanwhile.
 */
#include "tests.h"

#include "conf/bytes.h"
#include "servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INTERVAL_MS = 200, TIMEOUT_MS = 150, FALL = 3, RISE = 2, ROUNDS = 3 };
enum { ORDINARY_SLACK_MS = 40 };

/* How something that is no server of ours is turned bad. */
enum by_network { NETWORK_NONE, NETWORK_UNREACHABLE, NETWORK_NO_ECHO };

struct bad_case {
	const char *name;
	uint8_t type;              /* enum conf_probe_type */
	misbehaviour bad;
	enum listening listening;
	enum by_network network;
	enum reason reason;
	int32_t detail;            /* 0: not looked at */
	const char *evidence;      /* NULL: not looked at */
	uint8_t family;
	bool half_open;
	bool asks;                 /* tcp: sends a request, and expects 200 OK */
	bool whole;                /* http: expects a pattern, so keeps the body */
};

#define HTTP_BAD(text, behaviour, why) \
	.name = text, .type = CONF_PROBE_HTTP, .bad = behaviour, .reason = why
#define ASKS(text, behaviour, why) .name = text, .type = CONF_PROBE_TCP, .asks = true, \
	.bad = behaviour, .reason = why
#define LISTENS(text, kind, how, why) .name = text, .type = kind, .listening = how, .reason = why
#define NETWORK(text, kind, how, why) .name = text, .type = kind, .network = how, .reason = why

static const struct bad_case cases[] = {
	{HTTP_BAD("http accepts, says nothing", bad_silent, REASON_HTTP_TIMEOUT)},
	{HTTP_BAD("http resets at once", bad_reset, REASON_TCP_RESET)},
	{HTTP_BAD("http closes without an answer", bad_close, REASON_HTTP_CLOSED)},
	{HTTP_BAD("http drips its header", bad_drip_head, REASON_HTTP_TIMEOUT)},
	{HTTP_BAD("http drips its body", bad_drip_body, REASON_HTTP_TIMEOUT)},
	{HTTP_BAD("http header without end", bad_endless_head, REASON_HTTP_TOO_LARGE)},
	{HTTP_BAD("http header line without end", bad_endless_line, REASON_HTTP_TOO_LARGE)},
	{HTTP_BAD("http body without end", bad_endless_body, REASON_HTTP_BODY)},
	{HTTP_BAD("http chunks without end", bad_endless_chunks, REASON_HTTP_BODY)},
	{HTTP_BAD("http garbage", bad_garbage, REASON_HTTP_INVALID)},
	{HTTP_BAD("http port speaks SSH", bad_banner, REASON_HTTP_INVALID),
		.evidence = "SSH-2.0-OpenSSH_9.2p1"},
	{HTTP_BAD("http port answers a TLS alert", bad_tls, REASON_HTTP_INVALID)},
	{HTTP_BAD("http closes in the header", bad_half_head, REASON_HTTP_CLOSED)},
	{HTTP_BAD("http closes in the body", bad_half_body, REASON_HTTP_CLOSED)},
	{HTTP_BAD("http status 500", bad_500, REASON_HTTP_STATUS), .detail = 500,
		.evidence = "HTTP/1.1 500 Broken"},
	{HTTP_BAD("http redirect", bad_redirect, REASON_HTTP_STATUS), .detail = 302},
	{HTTP_BAD("http wrong body", bad_wrong_body, REASON_HTTP_BODY), .evidence = "maintenance"},
	{HTTP_BAD("http flood of 1xx", bad_interim_flood, REASON_HTTP_TOO_LARGE)},
	{HTTP_BAD("http chunk size beyond 64 bits", bad_chunk_size, REASON_HTTP_INVALID)},
	{HTTP_BAD("http lengths in conflict", bad_lengths, REASON_HTTP_INVALID)},
	{HTTP_BAD("http 400 before the request, and reset", bad_early_400, REASON_HTTP_STATUS),
		.detail = 400},
	{HTTP_BAD("http answers after the deadline", bad_late, REASON_HTTP_TIMEOUT)},
	{HTTP_BAD("http upgrades to another protocol", bad_upgrade, REASON_HTTP_STATUS),
		.detail = 101},
	{HTTP_BAD("http chunk of 2^63 bytes without end", bad_huge_chunk, REASON_HTTP_BODY)},
	{HTTP_BAD("http length of 2^62 bytes without end", bad_huge_length, REASON_HTTP_BODY)},
	{HTTP_BAD("http length beyond 2^63", bad_length, REASON_HTTP_INVALID)},
	{HTTP_BAD("http chunk line without end", bad_endless_chunk_line, REASON_HTTP_TOO_LARGE)},
	{HTTP_BAD("http status line without end", bad_endless_status_line, REASON_HTTP_TOO_LARGE)},
	{HTTP_BAD("http empty lines without end", bad_empty_lines, REASON_HTTP_INVALID)},
	{HTTP_BAD("http NUL bytes for ever", bad_nul, REASON_HTTP_INVALID)},
	{HTTP_BAD("http a bare CR in the header", bad_bare_cr, REASON_HTTP_INVALID)},
	{HTTP_BAD("http closes in the status line", bad_half_status, REASON_HTTP_CLOSED)},
	{HTTP_BAD("http body for a 204", bad_204, REASON_HTTP_STATUS), .detail = 204},
	{HTTP_BAD("http resets in the body", bad_reset_body, REASON_TCP_RESET)},
	{HTTP_BAD("http regex, drips its body", bad_drip_body, REASON_HTTP_TIMEOUT), .whole = true},
	{HTTP_BAD("http regex, body without end", bad_endless_body, REASON_HTTP_BODY),
		.whole = true},
	{HTTP_BAD("http regex, chunks without end", bad_endless_chunks, REASON_HTTP_BODY),
		.whole = true},
	{HTTP_BAD("http regex, closes in the body", bad_half_body, REASON_HTTP_CLOSED),
		.whole = true},
	{HTTP_BAD("http regex, resets in the body", bad_reset_body, REASON_TCP_RESET),
		.whole = true},
	{HTTP_BAD("http regex, 2^63 bytes without end", bad_huge_chunk, REASON_HTTP_BODY),
		.whole = true},
	{HTTP_BAD("http over IPv6, status 500", bad_500, REASON_HTTP_STATUS), .detail = 500,
		.family = IP_V6},
	{LISTENS("http refused", CONF_PROBE_HTTP, LISTEN_REFUSE, REASON_TCP_REFUSED)},
	{LISTENS("http drops the SYN", CONF_PROBE_HTTP, LISTEN_FULL, REASON_TCP_TIMEOUT)},
	{LISTENS("tcp refused", CONF_PROBE_TCP, LISTEN_REFUSE, REASON_TCP_REFUSED)},
	{LISTENS("tcp drops the SYN", CONF_PROBE_TCP, LISTEN_FULL, REASON_TCP_TIMEOUT)},
	{LISTENS("tcp over IPv6 refused", CONF_PROBE_TCP, LISTEN_REFUSE, REASON_TCP_REFUSED),
		.family = IP_V6},
	{ASKS("tcp asks, silence", bad_silent, REASON_ANSWER_TIMEOUT)},
	{ASKS("tcp asks, reset at once", bad_reset, REASON_TCP_RESET)},
	{ASKS("tcp asks, closes without an answer", bad_close, REASON_ANSWER_CLOSED)},
	{ASKS("tcp asks, drips without end", bad_drip_wrong, REASON_ANSWER_TIMEOUT)},
	{ASKS("tcp asks, garbage", bad_garbage, REASON_ANSWER_WRONG)},
	{ASKS("tcp asks, garbage without end", bad_endless_garbage, REASON_ANSWER_WRONG)},
	{ASKS("tcp asks, another protocol", bad_banner, REASON_ANSWER_TIMEOUT),
		.evidence = "SSH-2.0-OpenSSH_9.2p1"},
	{ASKS("tcp asks, another answer", bad_500, REASON_ANSWER_CLOSED),
		.evidence = "HTTP/1.1 500 Broken"},
	{LISTENS("tcp asks, refused", CONF_PROBE_TCP, LISTEN_REFUSE, REASON_TCP_REFUSED),
		.asks = true},
	{LISTENS("half-open refused", CONF_PROBE_TCP, LISTEN_REFUSE, REASON_TCP_REFUSED),
		.half_open = true},
	{LISTENS("half-open drops the SYN", CONF_PROBE_TCP, LISTEN_FULL, REASON_TCP_TIMEOUT),
		.half_open = true},
	{LISTENS("half-open over IPv6 drops the SYN", CONF_PROBE_TCP, LISTEN_FULL,
		REASON_TCP_TIMEOUT), .half_open = true, .family = IP_V6},
	{NETWORK("tcp host unreachable", CONF_PROBE_TCP, NETWORK_UNREACHABLE, REASON_UNREACHABLE)},
	{NETWORK("icmp host unreachable", CONF_PROBE_ICMP, NETWORK_UNREACHABLE,
		REASON_ICMP_TIMEOUT)},
	{NETWORK("icmp does not answer", CONF_PROBE_ICMP, NETWORK_NO_ECHO, REASON_ICMP_TIMEOUT)},
	{NETWORK("icmp over IPv6 does not answer", CONF_PROBE_ICMP, NETWORK_NO_ECHO,
		REASON_ICMP_TIMEOUT), .family = IP_V6},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

struct hostile {
	struct bench *bench;
	struct witness *witness;
	struct server servers[CASES];
	uint64_t failures_before[CASES];
	mono network_turned, servers_turned;
};

static bool
has_server(const struct bad_case *c)
{
	return c->network == NETWORK_NONE;
}

/* The address of the "unreachable" cases is there, or nobody on its link answers for it. */
static void
network_turn(bool bad)
{
	write_sysctl("/proc/sys/net/ipv4/icmp_echo_ignore_all", bad ? "1" : "0");
	write_sysctl("/proc/sys/net/ipv6/icmp/echo_ignore_all", bad ? "1" : "0");
	ip(bad ? "address del 10.99.0.1/32 dev lo" : "address add 10.99.0.1/32 dev lo");
}

static void
all_turn(struct hostile *h, bool bad)
{
	size_t i;

	for (i = 0; i < CASES; i++)
		h->failures_before[i] = h->bench->seen[i].last.failures;
	/* first, and alone: ip(8) is forked, and for a moment holds copies of our listeners */
	h->network_turned = mono_now();
	network_turn(bad);
	h->servers_turned = mono_now();
	for (i = 0; i < CASES; i++)
		if (has_server(&cases[i]))
			server_set_bad(&h->servers[i], bad);
}

static mono
turned(const struct hostile *h, uint32_t i)
{
	return has_server(&cases[i]) ? h->servers_turned : h->network_turned;
}

static void
set_case(struct hostile *h, uint32_t i)
{
	const struct bad_case *c = &cases[i];
	struct bench_probe set = probe_of_type(c->type);

	set.probe.interval_ms = INTERVAL_MS;
	set.probe.timeout_ms = TIMEOUT_MS;
	set.probe.fall = FALL;
	set.probe.rise = RISE;
	set.probe.half_open = c->half_open;
	if (c->whole) {
		memset(set.probe.body, 0, sizeof(set.probe.body));
		strcpy(set.probe.regex, "(all in order: )?pool-(member|friend)-is-well$");
	}
	if (c->asks) {
		bytes_parse("GET / HTTP/1.0\\r\\n\\r\\n", &set.probe.send);
		bytes_parse("200 OK", &set.probe.answer);
	}
	if (has_server(c)) {
		h->servers[i].bad = c->bad;
		h->servers[i].listening = c->listening;
		server_start(&h->servers[i], c->family == IP_V6 ? IP_V6 : IP_V4);
		set.address = h->servers[i].at;
	} else {
		set.address.port = 9; /* of the address of network_turn(): nobody listens */
		ip_addr_parse(c->network == NETWORK_UNREACHABLE ? "10.99.0.1" :
			c->family == IP_V6 ? "::1" : "127.0.0.1", &set.address.addr);
	}
	bench_set(h->bench, i, &set);
}

/* A tcp probe of an address without a server: a listener on all addresses stands in for one. */
static void
listen_on_unreachable_address(struct hostile *h, uint32_t i)
{
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);

	set.probe.interval_ms = INTERVAL_MS;
	set.probe.timeout_ms = TIMEOUT_MS;
	set.probe.fall = FALL;
	set.probe.rise = RISE;
	set.address.port = listen_on_any();
	ip_addr_parse("10.99.0.1", &set.address.addr);
	bench_set(h->bench, i, &set);
}

static bool
all_up(struct bench *b, void *of)
{
	size_t i;

	(void)of;
	for (i = 0; i < CASES; i++)
		if (!b->seen[i].any || !b->seen[i].last.up)
			return false;
	return true;
}

static bool
all_down(struct bench *b, void *of)
{
	size_t i;

	(void)of;
	for (i = 0; i < CASES; i++)
		if (!b->seen[i].any || b->seen[i].last.up)
			return false;
	return true;
}

static double
ms(int64_t ns)
{
	return (double)ns / 1e6;
}

static void
check_out(struct hostile *h, int64_t allowed_ns)
{
	uint32_t i;

	for (i = 0; i < CASES; i++) {
		const struct bad_case *c = &cases[i];
		const struct seen *s = &h->bench->seen[i];
		int64_t took = mono_diff_ns(s->down_at, turned(h, i));

		check(!s->last.up && took <= allowed_ns && s->reason_at_down == c->reason &&
			(c->detail == 0 || s->detail_at_down == c->detail) &&
			(c->evidence == NULL || strncmp(s->evidence_at_down, c->evidence,
				strlen(c->evidence)) == 0) &&
			s->failures_at_down - h->failures_before[i] >= FALL,
			"%s: out after %.0f ms (allowed %.0f), %llu failures, %s %d \"%s\"",
			c->name, s->last.up ? -1. : ms(took), ms(allowed_ns),
			(unsigned long long)(s->failures_at_down - h->failures_before[i]),
			reason_tag(s->reason_at_down), s->detail_at_down, s->evidence_at_down);
	}
}

static void
check_in(struct hostile *h, int64_t allowed_ns)
{
	int64_t worst = 0;
	uint32_t i;

	for (i = 0; i < CASES; i++) {
		const struct seen *s = &h->bench->seen[i];
		int64_t took = mono_diff_ns(s->up_at, turned(h, i));

		if (took > worst)
			worst = took;
		if (!s->last.up || took > allowed_ns)
			check(false, "%s: in again after %.0f ms (allowed %.0f), %s", cases[i].name,
				s->last.up ? ms(took) : -1., ms(allowed_ns),
				reason_tag((enum reason)s->last.reason));
	}
	check(all_up(h->bench, NULL), "all %d in again, the last after %.0f ms (allowed %.0f)",
		CASES, ms(worst), ms(allowed_ns));
}

static int64_t
allowed_ns(struct hostile *h, int count)
{
	return (INTERVAL_MS * count + TIMEOUT_MS + ORDINARY_SLACK_MS) * NS_PER_MS +
		2 * witness_worst_ns(h->witness);
}

static void
round_of_all(struct hostile *h)
{
	enum { PATIENCE_MS = 4000 };

	witness_reset(h->witness);
	all_turn(h, true);
	bench_until(h->bench, PATIENCE_MS, all_down, NULL);
	check_out(h, allowed_ns(h, FALL));
	bench_run(h->bench, 300); /* bad for a while: nothing may pile up */
	witness_reset(h->witness);
	all_turn(h, false);
	bench_until(h->bench, PATIENCE_MS, all_up, NULL);
	check_in(h, allowed_ns(h, RISE));
}

void
test_hostile(void)
{
	static struct hostile h;
	uint32_t i, round;
	long before_kib;

	ip("address add 10.99.0.1/32 dev lo");
	link_without_neighbours("10.99.0.254/24", NULL);
	h.bench = bench_start(0);
	h.witness = witness_start();
	for (i = 0; i < CASES; i++)
		if (cases[i].type == CONF_PROBE_TCP && cases[i].network == NETWORK_UNREACHABLE)
			listen_on_unreachable_address(&h, i);
		else
			set_case(&h, i);
	if (!check(bench_until(h.bench, 3000, all_up, NULL), "%d good servers are up", CASES))
		return;
	before_kib = resident_kib(h.bench->pid);
	for (round = 0; round < ROUNDS; round++) {
		round_of_all(&h);
		bench_run(h.bench, 37 * (int)(round + 1)); /* elsewhere on the rhythm */
	}
	check(resident_kib(h.bench->pid) - before_kib < 1024 || TANDEM_SANITIZERS,
		"the prober's memory stayed: %ld KiB before, %ld KiB after", before_kib,
		resident_kib(h.bench->pid));
	for (i = 0; i < CASES; i++)
		if (has_server(&cases[i]))
			server_stop(&h.servers[i]);
	check(bench_stop(h.bench), "the prober lived through it and stopped when told");
}
