/* The hands: jobs about addresses, done by a worker thread. See hands.h. */
#include "linux/hands.h"

#include "linux/block_routes.h"
#include "linux/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MANY_ADDRESSES = 200, /* to remove them takes longer than to take a device down (12 ms) */
	INTERFACES = 64,
};
static const char gate_path[] = "/proc/sys/net/ipv4/vs/backup_only";

struct hands {
	struct worker *worker;
	struct address_socket *addresses;
	struct macvlan_socket *devices;
	int prepared[INTERFACES]; /* the thread's: interfaces seen last, by index modulo size */
	int *idle;               /* the thread's: devices to be taken down when there is time */
	size_t idle_count, idle_capacity;
};

struct hands_job *
hands_job_with(size_t count, const struct virtual_device *devices, size_t device_count)
{
	size_t size = sizeof(struct hands_job) + count * sizeof(struct address_change);
	struct hands_job *job = calloc(1, size + device_count * sizeof(*devices));

	if (!job)
		return NULL;
	job->count = count;
	job->devices = (struct virtual_device *)(void *)&job->changes[count];
	job->device_count = device_count;
	if (device_count > 0)
		memcpy(job->devices, devices, device_count * sizeof(*devices));
	return job;
}

struct hands_job *
hands_job_new(size_t count)
{
	return hands_job_with(count, NULL, 0);
}

/* IPVS on a standby passes packets by; on an active it must take them. No ip_vs: no gate. */
static void
set_gate(bool open_it)
{
	int fd = open(gate_path, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return;
	if (write(fd, open_it ? "0" : "1", 1) == -1)
		errno = 0; /* the pool process looks at this knob every second and complains */
	close(fd);
}

/* Once an interface: a renewal each second must not fight an operator over a knob. */
static void
prepare_interfaces(struct hands *h, const struct hands_job *job)
{
	for (size_t i = 0; i < job->count && job->verb == ADDRESS_SET; i++) {
		int ifindex = job->changes[i].ifindex, *slot;

		if (ifindex <= 0 || job->changes[i].prefix.addr.family != IP_V4)
			continue;
		slot = &h->prepared[ifindex % INTERFACES];
		if (*slot == ifindex)
			continue;
		addresses_keep_secondaries(ifindex);
		*slot = ifindex;
	}
}

/* One block speaks for all: it is a property of the host. */
static bool
is_mute(const struct hands_job *job)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->changes[i].anchor.family != IP_NONE && job->changes[i].error == 0)
			return block_route_answers(&job->changes[i].prefix,
				&job->changes[i].anchor) != 0;
	return false;
}

/* True when every device is there; those that are not have their error. */
static bool
prepare_devices(struct hands *h, struct hands_job *job)
{
	bool all = true;

	for (size_t i = 0; i < job->device_count; i++)
		if (macvlan_prepare(h->devices, &job->devices[i]) != 0)
			all = false;
	return all;
}

/* Changes that name a device by its place in the job get its index, 0 when it is not there. */
static void
point_at_devices(struct hands_job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		struct address_change *c = &job->changes[i];
		size_t device = (size_t)(-1 - c->ifindex);

		if (c->ifindex < 0)
			c->ifindex = device < job->device_count ? job->devices[device].ifindex : 0;
	}
}

static void
forget_idle(struct hands *h, int ifindex)
{
	for (size_t i = 0; i < h->idle_count; i++)
		if (h->idle[i] == ifindex)
			h->idle[i--] = h->idle[--h->idle_count];
}

/*
 * To take a device down the kernel holds RTNL for 12 ms, and without addresses it is silent anyway.
 * So it waits for a pause: what has to be claimed or renewed meanwhile goes first, here and, where
 * both nodes are on one machine, there.
 */
static void
lower_later(struct hands *h, int ifindex)
{
	if (h->idle_count == h->idle_capacity) {
		size_t capacity = h->idle_capacity ? h->idle_capacity * 2 : 32;
		int *grown = realloc(h->idle, capacity * sizeof(*grown));

		if (!grown) {
			macvlan_set_up(h->devices, ifindex, false);
			return;
		}
		h->idle = grown;
		h->idle_capacity = capacity;
	}
	forget_idle(h, ifindex);
	h->idle[h->idle_count++] = ifindex;
}

/* How many of them could not be brought up. */
static int
raise_devices(struct hands *h, struct hands_job *job, enum ip_family family)
{
	int failed = 0;

	for (size_t i = 0; i < job->device_count; i++) {
		struct virtual_device *d = &job->devices[i];

		forget_idle(h, d->ifindex);
		if (d->family != family || d->error != 0 || d->up)
			continue;
		d->error = macvlan_set_up(h->devices, d->ifindex, true);
		failed += d->error != 0;
	}
	return failed;
}

/*
 * IPv4 addresses are put on the device before it is brought up: they all appear at once. Of IPv6
 * ones the kernel forgets the connected route when they are put on a device that is down.
 */
static void
set_addresses(struct hands *h, struct hands_job *job)
{
	int not_up, refused;

	prepare_devices(h, job);
	point_at_devices(job);
	not_up = raise_devices(h, job, IP_V6);
	refused = addresses_apply(h->addresses, ADDRESS_SET, job->changes, job->count);
	not_up += raise_devices(h, job, IP_V4);
	job->failed = refused < 0 ? refused : refused + not_up;
}

/*
 * Few addresses are removed in less time than it takes to bring their device down. But of an IPv6
 * one the kernel tells the multicast routers (MLD), and it would tell them from the virtual MAC: the
 * switch would send here what the new active has just begun to serve. A device that is down says
 * nothing; nor does one whose cable is out.
 */
static bool
goes_down_first(const struct hands_job *job, const struct virtual_device *d)
{
	return job->count >= MANY_ADDRESSES || (d->family == IP_V6 && !job->unheard);
}

static void
remove_addresses(struct hands *h, struct hands_job *job)
{
	for (size_t i = 0; i < job->device_count; i++) {
		struct virtual_device *d = &job->devices[i];

		d->ifindex = (int)if_nametoindex(d->name);
		if (d->ifindex != 0 && goes_down_first(job, d))
			d->error = macvlan_set_up(h->devices, d->ifindex, false);
	}
	point_at_devices(job);
	job->failed = addresses_apply(h->addresses, ADDRESS_REMOVE, job->changes, job->count);
	for (size_t i = 0; i < job->device_count; i++)
		if (job->devices[i].ifindex != 0 && !goes_down_first(job, &job->devices[i]))
			lower_later(h, job->devices[i].ifindex);
}

static void
ignore_name(void *context, const char *name)
{
	(void)context;
	(void)name;
}

static void
do_task(struct hands *h, struct hands_job *job)
{
	switch (job->task) {
	case HANDS_ADDRESSES:
		if (job->verb == ADDRESS_SET)
			set_addresses(h, job);
		else
			remove_addresses(h, job);
		break;
	case HANDS_PREPARE:
		job->failed = prepare_devices(h, job) ? 0 : 1;
		break;
	case HANDS_PURGE:
		job->failed = macvlan_purge(h->devices, job->devices, job->device_count,
			ignore_name, NULL);
		break;
	case HANDS_GATE_ALONE:
		job->failed = 0;
		break;
	}
}

static void
do_job(struct hands *h, struct hands_job *job)
{
	if (job->gate == HANDS_GATE_OPEN)
		set_gate(true);
	job->sent = mono_now();
	do_task(h, job);
	job->done = mono_now();
	job->mute = job->check_answers && is_mute(job);
	prepare_interfaces(h, job); /* after the fact: it is only for what comes later */
	if (job->gate == HANDS_GATE_SHUT)
		set_gate(false);
}

static void
work(void *hands, void *job)
{
	do_job(hands, job);
}

static bool
idle(void *hands)
{
	struct hands *h = hands;

	if (h->idle_count == 0)
		return false;
	macvlan_set_up(h->devices, h->idle[--h->idle_count], false);
	return true;
}

int
hands_start(struct hands **out)
{
	struct hands *h = calloc(1, sizeof(*h));
	int error;

	if (!h)
		return -ENOMEM;
	error = address_socket_open(&h->addresses);
	if (error == 0)
		error = macvlan_open(&h->devices);
	if (error == 0)
		error = worker_start(work, idle, h, &h->worker);
	if (error == 0) {
		*out = h;
		return 0;
	}
	address_socket_close(h->addresses);
	macvlan_close(h->devices);
	free(h);
	return error;
}

int
hands_fd(const struct hands *h)
{
	return worker_fd(h->worker);
}

uint32_t
hands_port(const struct hands *h)
{
	return address_socket_port(h->addresses);
}

bool
hands_submit(struct hands *h, struct hands_job *job)
{
	return worker_submit(h->worker, job);
}

struct hands_job *
hands_next_done(struct hands *h)
{
	return worker_next_done(h->worker);
}

void
hands_stop(struct hands *h)
{
	worker_stop(h->worker);
	address_socket_close(h->addresses);
	macvlan_close(h->devices);
	free(h->idle);
	free(h);
}
