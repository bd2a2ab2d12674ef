/*
 * Servers that behave well or badly on command, on loopback, one thread each. A server begins
 * well; bench_server_bad() turns it into what its kind says, bench_server_good() back.
 */
#ifndef TANDEM_TESTS_PROBE_SERVERS_H
#define TANDEM_TESTS_PROBE_SERVERS_H

#include "base/addr.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SENTINEL "pool-member-is-well"

struct server;

/* What a bad server does with one connection. */
typedef void (*misbehaviour)(struct server *s, int fd);

enum listening { LISTEN_ALWAYS, LISTEN_REFUSE, LISTEN_FULL };

struct server {
	struct endpoint at;
	misbehaviour bad;          /* NULL: `listening` says it all */
	enum listening listening;  /* what becomes of the listening socket when bad */
	atomic_bool is_bad, stop;
	_Atomic uint64_t accepted;
	_Atomic uint32_t open, open_max;
	pthread_t thread;
	int fd;
	_Atomic(const char *) line; /* of bad_agent() */
	int fill[8];               /* connections that fill the backlog */
};

/* Listens on 127.0.0.1 (or ::1) and a port of its own, and runs. Exits the test when it cannot. */
void server_start(struct server *s, uint8_t family);
void server_set_bad(struct server *s, bool bad);
void server_stop(struct server *s);

void bad_silent(struct server *s, int fd);
/* An agent: its line is what is in `line` of the server; "" never ends it. */
void bad_agent(struct server *s, int fd);
void bad_reset(struct server *s, int fd);
void bad_close(struct server *s, int fd);
void bad_drip_head(struct server *s, int fd);
void bad_drip_body(struct server *s, int fd);
void bad_drip_wrong(struct server *s, int fd);
void bad_endless_garbage(struct server *s, int fd);
void bad_endless_head(struct server *s, int fd);
void bad_endless_line(struct server *s, int fd);
void bad_endless_body(struct server *s, int fd);
void bad_endless_chunks(struct server *s, int fd);
void bad_garbage(struct server *s, int fd);
void bad_banner(struct server *s, int fd);
void bad_tls(struct server *s, int fd);
void bad_half_head(struct server *s, int fd);
void bad_half_body(struct server *s, int fd);
void bad_500(struct server *s, int fd);
void bad_redirect(struct server *s, int fd);
void bad_wrong_body(struct server *s, int fd);
void bad_interim_flood(struct server *s, int fd);
void bad_chunk_size(struct server *s, int fd);
void bad_lengths(struct server *s, int fd);
void bad_early_400(struct server *s, int fd);
void bad_late(struct server *s, int fd);
void bad_upgrade(struct server *s, int fd);
void bad_huge_chunk(struct server *s, int fd);
void bad_huge_length(struct server *s, int fd);
void bad_length(struct server *s, int fd);
void bad_endless_chunk_line(struct server *s, int fd);
void bad_endless_status_line(struct server *s, int fd);
void bad_empty_lines(struct server *s, int fd);
void bad_nul(struct server *s, int fd);
void bad_bare_cr(struct server *s, int fd);
void bad_half_status(struct server *s, int fd);
void bad_204(struct server *s, int fd);
void bad_reset_body(struct server *s, int fd);

#endif
