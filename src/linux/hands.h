/*
 * The hands: a thread that does the blocking part of moving addresses, so that the election loop
 * never waits for RTNL. Jobs are done in the order given; each comes back with its result. Ownership
 * of a job goes over with hands_submit() and comes back with hands_next_done() (worker.h).
 */
#ifndef TANDEM_LINUX_HANDS_H
#define TANDEM_LINUX_HANDS_H

#include "base/mono.h"
#include "linux/addresses.h"
#include "linux/macvlan.h"

enum hands_gate {
	HANDS_GATE_KEEP,
	HANDS_GATE_OPEN, /* net.ipv4.vs.backup_only=0 before the addresses are set */
	HANDS_GATE_SHUT, /* net.ipv4.vs.backup_only=1 after the addresses are removed */
};

/* What is done. Devices are those with a virtual MAC (macvlan.h). */
enum hands_task {
	/*
	 * Set: devices are made if they are not there, and brought up. Remove: they are taken down,
	 * some time after the job when the addresses are few (unless another sets them meanwhile),
	 * before it when they are many or IPv6.
	 */
	HANDS_ADDRESSES,
	HANDS_PREPARE,   /* the devices are made, nothing else */
	HANDS_PURGE,     /* every device of tandem's that is not among them is removed */
	HANDS_GATE_ALONE, /* nothing but `gate` */
};

struct hands_job {
	enum hands_task task;
	uint32_t router;   /* of the caller */
	uint32_t sequence; /* of the caller */
	enum address_verb verb;
	bool unheard;      /* nothing leaves the host on the devices: they need not be silenced first */
	enum hands_gate gate; /* silently skipped where the kernel has no ip_vs */
	bool check_answers; /* ADDRESS_SET: look whether the host may answer from the blocks */
	bool mute;         /* out: it may not (block_route_answers()) */
	mono sent, done;   /* out: just before the first and after the last kernel request */
	int failed;        /* out: how many changes failed; negative: errno of the socket */
	struct virtual_device *devices; /* in the same memory */
	size_t device_count;
	size_t count;
	struct address_change changes[]; /* count of them; ifindex -1 - d: on device d */
};

struct hands;

/* A job with room for `count` changes (zeroed), from malloc(); NULL without memory. */
struct hands_job *hands_job_new(size_t count);
/* The same, with copies of these devices. */
struct hands_job *hands_job_with(size_t count, const struct virtual_device *devices,
	size_t device_count);

/* Starts the thread (it inherits the caller's scheduling). 0 or negative errno. */
int hands_start(struct hands **out);
/* Readable when a job is done; for the event loop. */
int hands_fd(const struct hands *h);
/* The netlink port id of the thread's socket (see addresses.h). */
uint32_t hands_port(const struct hands *h);
/* Never blocks. False (the job stays the caller's) when WORKER_QUEUE (worker.h) are under way. */
bool hands_submit(struct hands *h, struct hands_job *job);
/* The next finished job, or NULL. The caller frees it with free(). */
struct hands_job *hands_next_done(struct hands *h);
/* Waits for the jobs in hand, ends the thread, frees everything. */
void hands_stop(struct hands *h);

#endif
