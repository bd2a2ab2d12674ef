/*
 * The probe engine: runs the probes of one prober process on its event loop.
 *
 * A target is what the pool asked for: a server, how to probe it, how many results make a verdict.
 * Each has one probe in flight at most, on the rhythm of core/cadence.h, with one absolute
 * deadline from its start to its judgement. All deadlines are in one heap, behind one timer.
 *
 * Probes in flight are bounded: what is due beyond the bound waits in a queue, and its deadline
 * counts from its own start; so does one that finds no local port. A result that fell while this
 * process itself was held up says nothing of the server: it is void, and the probe starts again soon
 * (core/lag.h). A fault of our own (no port for too long, no route) is reported and never counted.
 */
#ifndef TANDEM_PROBE_ENGINE_H
#define TANDEM_PROBE_ENGINE_H

#include "core/lateness.h"
#include "ipc/messages.h"

#include <ev.h>

struct engine;

struct engine_options {
	struct ev_loop *loop;
	uint32_t max_running; /* probes in flight, at least 1 */
	uint32_t max_open;    /* connections, of probes in flight or kept between two */
	/* Hand results over, all or none. False: not now; engine_resume() when it may go on. */
	bool (*report)(void *context, const struct ipc_probe_results *results);
	/* Sockets with a mark are wanted (engine_take_socket()). False: not now. NULL: there are none. */
	bool (*ask)(void *context, const struct ipc_sockets *what);
	void *context;
};

struct engine_stats {
	uint64_t started;
	uint64_t voided;        /* not counted, because this process was held up */
	uint64_t local_errors;
	uint64_t queued;        /* had to wait for a place, or for a port */
	uint64_t sockets;       /* of TCP, made */
	int64_t stall_ns;       /* time this process was held up, summed */
	struct lateness lateness; /* of a start against its moment */
	uint32_t running, targets;
};

/*
 * Opens the ICMP sockets and those of the data path (which needs CAP_NET_RAW; nothing later needs
 * any) and hooks into the loop. NULL with errno. Without an ICMPv6 socket, icmp probes of IPv6
 * servers are local errors; and without those of the data path, what needs them.
 */
struct engine *engine_open(const struct engine_options *options);
void engine_close(struct engine *e);

/* Certificates that probes trust, made once of a file's bytes and shared. */
struct tls_trust;

/* Reads `length` bytes of PEM. NULL without memory or when there is no certificate in them. */
struct tls_trust *tls_trust_open(const void *pem, size_t length);
/* Whoever opened it holds it until this; probes that were set with it hold it by themselves. */
void tls_trust_close(struct tls_trust *trust);

/*
 * Start to probe, or probe anew under another generation. The probe is copied. `trust` is needed
 * where the probe has `verify`, and may be NULL otherwise. 0 or a negative errno: -EINVAL when
 * the message makes no sense, -ENOMEM.
 */
int engine_set(struct engine *e, const struct ipc_probe_set *set, const struct conf_probe *probe,
	struct tls_trust *trust);
void engine_clear(struct engine *e, uint32_t target);
void engine_clear_all(struct engine *e);
/* One that was asked for. False: it is not wanted any more, and stays the caller's. */
bool engine_take_socket(struct engine *e, const struct ipc_sockets *what, int fd);
/* The receiver of reports takes more. */
void engine_resume(struct engine *e);

const struct engine_stats *engine_stats(const struct engine *e);
/* A window of the lateness ends. */
void engine_turn_lateness(struct engine *e);

#endif
