/* The relay thread. See relay.h. The loop gives it jobs, and tells it of routers whose jobs end. */
#include "linux/relay.h"

#include "linux/knob.h"
#include "linux/relay_filter.h"
#include "linux/thread_channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FRAME_MAX = ETH_HLEN + 65535 + 4, /* segments that the kernel has put together */
	FRAMES_A_TURN = 64,
	RECEIVE_BUFFER = 4 * 1024 * 1024, /* some dozens of them, while the thread waits its turn */
	TARGET4_AT = ETH_HLEN + 16,
	TARGET6_AT = ETH_HLEN + 24,
};

struct relay {
	struct thread_channel channel;

	/* the thread's */
	struct relay_job *jobs[RELAY_JOBS];
	size_t job_count;
	bool closing;
	struct virtio_net_hdr header;
	uint8_t frame[FRAME_MAX];
};

struct relay_job *
relay_job_new(size_t count)
{
	struct relay_job *job = calloc(1, sizeof(*job) + count * sizeof(job->prefixes[0]));

	if (job)
		job->fd = -1;
	return job;
}

static struct ip_addr
target_of(enum ip_family family, const uint8_t *frame)
{
	struct ip_addr target = {.family = (uint8_t)family};

	memcpy(target.bytes, frame + (family == IP_V6 ? TARGET6_AT : TARGET4_AT),
		family == IP_V6 ? 16 : 4);
	return target;
}

bool
relay_wants(const struct relay_job *job, const uint8_t *frame, size_t length)
{
	struct ip_addr target;

	if (length < (job->family == IP_V6 ? TARGET6_AT + 16u : TARGET4_AT + 4u) ||
		memcmp(frame + ETH_ALEN, job->owner, ETH_ALEN) == 0)
		return false;
	target = target_of(job->family, frame);
	for (size_t i = 0; i < job->count; i++)
		if (ip_prefix_contains(&job->prefixes[i], &target))
			return true;
	return false;
}

/* --- the thread --- */

/* Protocol 0 hears nothing until the filter is there. */
static int
listen_for(struct relay_job *job)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = job->ifindex,
		.sll_protocol = htons(job->family == IP_V6 ? ETH_P_IPV6 : ETH_P_IP)};
	int on = 1, size = RECEIVE_BUFFER, error;

	job->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (job->fd == -1)
		return -errno;
	if (setsockopt(job->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) == -1)
		return -errno;
	setsockopt(job->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)); /* else the usual one */
	error = relay_filter_attach(job->fd, job);
	if (error == 0 && bind(job->fd, (struct sockaddr *)&at, sizeof(at)) == -1)
		error = -errno;
	return error;
}

static void
give_back(struct relay *relay, struct relay_job *job)
{
	if (job->fd != -1)
		close(job->fd);
	job->fd = -1;
	thread_channel_give_back(&relay->channel, job);
}

static void
take_up(struct relay *relay, struct relay_job *job)
{
	const char *family = job->family == IP_V6 ? "ipv6" : "ipv4";

	job->forwarding = knob_get(family, job->interface, "forwarding") > 0;
	if (!job->forwarding)
		job->error = listen_for(job);
	if (job->forwarding || job->error != 0)
		give_back(relay, job);
	else
		relay->jobs[relay->job_count++] = job;
}

static void
end_those_of(struct relay *relay, uint32_t router)
{
	for (size_t i = 0; i < relay->job_count; i++)
		if (relay->jobs[i]->router == router)
			relay->jobs[i]->ending = true;
}

static void
take_orders(struct relay *relay)
{
	struct thread_order order;
	enum thread_next next;

	while ((next = thread_channel_next(&relay->channel, false, &order)) == THREAD_ORDER) {
		if (order.item)
			take_up(relay, order.item);
		else
			end_those_of(relay, order.word);
	}
	if (next == THREAD_END)
		relay->closing = true;
}

/* With its header; 0: nothing more to read. */
static ssize_t
read_frame(struct relay *relay, struct relay_job *job)
{
	struct iovec parts[2] = {{&relay->header, sizeof(relay->header)},
		{relay->frame, sizeof(relay->frame)}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t n = recvmsg(job->fd, &message, MSG_DONTWAIT);

	return n > (ssize_t)sizeof(relay->header) ? n - (ssize_t)sizeof(relay->header) : 0;
}

static void
pass_on(struct relay *relay, struct relay_job *job, size_t length)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = job->ifindex,
		.sll_halen = ETH_ALEN, .sll_protocol = htons(job->family == IP_V6 ? ETH_P_IPV6 : ETH_P_IP)};
	struct iovec parts[2] = {{&relay->header, sizeof(relay->header)}, {relay->frame, length}};
	struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = parts,
		.msg_iovlen = 2};

	memcpy(to.sll_addr, job->owner, ETH_ALEN);
	memcpy(relay->frame, job->owner, ETH_ALEN);
	memcpy(relay->frame + ETH_ALEN, job->own, ETH_ALEN);
	if (sendmsg(job->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		job->refused++;
	else
		job->frames++;
}

/* A bounded number of frames. */
static void
serve(struct relay *relay, struct relay_job *job)
{
	for (int i = 0; i < FRAMES_A_TURN && !mono_due(job->until, mono_now()); i++) {
		ssize_t length = read_frame(relay, job);

		if (length == 0)
			break;
		if (relay_wants(job, relay->frame, (size_t)length))
			pass_on(relay, job, (size_t)length);
	}
}

static void
drop_ended(struct relay *relay)
{
	mono now = mono_now();

	for (size_t i = 0; i < relay->job_count;) {
		struct relay_job *job = relay->jobs[i];

		if (!relay->closing && !job->ending && !mono_due(job->until, now)) {
			i++;
			continue;
		}
		relay->jobs[i] = relay->jobs[--relay->job_count];
		give_back(relay, job);
	}
}

/* Until the first of them ends; -1: there is none. */
static int
patience_ms(const struct relay *relay)
{
	mono now = mono_now(), first = MONO_NEVER;
	int64_t ns;

	for (size_t i = 0; i < relay->job_count; i++)
		first = mono_min(first, relay->jobs[i]->until);
	if (mono_is_never(first))
		return -1;
	ns = mono_diff_ns(first, now);
	return ns <= 0 ? 0 : (int)(ns / NS_PER_MS) + 1;
}

static void
wait_and_serve(struct relay *relay)
{
	struct pollfd list[RELAY_JOBS + 1];
	size_t count = relay->job_count;

	list[0] = (struct pollfd){.fd = relay->channel.thread_end, .events = POLLIN};
	for (size_t i = 0; i < count; i++)
		list[i + 1] = (struct pollfd){.fd = relay->jobs[i]->fd, .events = POLLIN};
	if (poll(list, count + 1, patience_ms(relay)) == -1)
		return;
	for (size_t i = 0; i < count; i++) {
		if (list[i + 1].revents & (POLLERR | POLLHUP))
			relay->jobs[i]->ending = true; /* the interface went away */
		else if (list[i + 1].revents & POLLIN)
			serve(relay, relay->jobs[i]);
	}
	if (list[0].revents)
		take_orders(relay);
}

static void
work(void *argument)
{
	struct sched_param ordinary = {.sched_priority = 0};
	struct relay *relay = argument;

	sched_setscheduler(0, SCHED_OTHER, &ordinary);
	while (!relay->closing) {
		wait_and_serve(relay);
		drop_ended(relay);
	}
}

/* --- the loop's side --- */

int
relay_start(struct relay **out)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	int error;

	if (!relay)
		return -ENOMEM;
	error = thread_channel_start(&relay->channel, RELAY_JOBS, work, relay);
	if (error == 0)
		*out = relay;
	else
		free(relay);
	return error;
}

int
relay_fd(const struct relay *relay)
{
	return thread_channel_fd(&relay->channel);
}

bool
relay_begin(struct relay *relay, struct relay_job *job)
{
	return thread_channel_give(&relay->channel, job);
}

void
relay_end(struct relay *relay, uint32_t router)
{
	if (relay->channel.under_way > 0)
		thread_channel_tell(&relay->channel, router); /* not told: they end by themselves */
}

struct relay_job *
relay_next_done(struct relay *relay)
{
	return thread_channel_take(&relay->channel);
}

void
relay_stop(struct relay *relay)
{
	if (!relay)
		return;
	thread_channel_stop(&relay->channel);
	free(relay);
}
