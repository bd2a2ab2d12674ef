/* The thread that tells of the newest connections. See sync_teller.h. */
#include "linux/sync_teller.h"

#include "linux/worker.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 32,
	LINES_MAX = 10000000, /* the time is what ends a look */
	MESSAGES_AT_ONCE = 16, /* the daemon over there has a socket buffer of some 90 */
};

static const int64_t patience_ns = 5 * NS_PER_S;        /* longer than any offer */
static const int64_t look_ns = 1200 * NS_PER_MS;        /* who waits repeats it after 1.4 s again */
static const int64_t lets_go_ns = 20 * NS_PER_MS;       /* the kernel, of the addresses */
static const int64_t pause_ns = 5 * NS_PER_MS;

struct sync_teller {
	struct worker *worker;
	struct ipvs_sync sync;
	struct newest *newest;
	_Atomic int64_t finish_ns;  /* when that was said; 0: not yet */
	_Atomic bool stop;
	/* the thread's */
	int fd;
	unsigned messages;
	struct sockaddr_storage to;
	socklen_t to_length;
};

/* --- sending --- */

static int
aim_ip4(struct sync_teller *t, int ifindex)
{
	struct sockaddr_in *to = (struct sockaddr_in *)&t->to;
	struct ip_mreqn via = {.imr_ifindex = ifindex};
	int ttl = t->sync.ttl, loop = 0;

	*to = (struct sockaddr_in){.sin_family = AF_INET};
	memcpy(&to->sin_addr, t->sync.group.bytes, 4);
	to->sin_port = htons(t->sync.port);
	t->to_length = sizeof(*to);
	t->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return t->fd != -1 &&
		setsockopt(t->fd, IPPROTO_IP, IP_MULTICAST_IF, &via, sizeof(via)) == 0 &&
		setsockopt(t->fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)) == 0 &&
		setsockopt(t->fd, IPPROTO_IP, IP_MULTICAST_LOOP, &loop, sizeof(loop)) == 0
		? 0 : -errno;
}

static int
aim_ip6(struct sync_teller *t, int ifindex)
{
	struct sockaddr_in6 *to = (struct sockaddr_in6 *)&t->to;
	int hops = t->sync.ttl, loop = 0;

	*to = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_scope_id = (uint32_t)ifindex};
	memcpy(&to->sin6_addr, t->sync.group.bytes, 16);
	to->sin6_port = htons(t->sync.port);
	t->to_length = sizeof(*to);
	t->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return t->fd != -1 &&
		setsockopt(t->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &ifindex, sizeof(ifindex)) == 0 &&
		setsockopt(t->fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) == 0 &&
		setsockopt(t->fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &loop, sizeof(loop)) == 0
		? 0 : -errno;
}

static int
aim(struct sync_teller *t)
{
	int ifindex = (int)if_nametoindex(t->sync.interface);

	if (ifindex == 0)
		return -errno;
	return t->sync.group.family == IP_V6 ? aim_ip6(t, ifindex) : aim_ip4(t, ifindex);
}

static void
rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
}

static int
send_all(struct sync_teller *t, const struct sync_connection *list, size_t count)
{
	while (count > 0) {
		uint8_t message[SYNC_MESSAGE_MAX];
		size_t taken, length;

		length = sync_message_encode(t->sync.master_id, list, count, message, &taken);
		if (sendto(t->fd, message, length, 0, (struct sockaddr *)&t->to, t->to_length) == -1)
			return -errno;
		if (++t->messages % MESSAGES_AT_ONCE == 0)
			rest();
		list += taken;
		count -= taken;
	}
	return 0;
}

/* --- looking --- */

/* A look that was begun before the end was near is not the one that counts. */
static bool
goes_on(struct sync_teller *t, int64_t finish_ns)
{
	return !atomic_load(&t->stop) && atomic_load(&t->finish_ns) == finish_ns;
}

/* What a look has found and not sent yet. */
struct round {
	struct sync_teller *teller;
	struct sync_told *told;
	int64_t finish_ns; /* as it was known when the look began */
	struct sync_connection found[BATCH];
	size_t count;
};

static bool
flush(struct round *r)
{
	r->told->error = send_all(r->teller, r->found, r->count);
	r->told->connections += (uint32_t)r->count;
	r->count = 0;
	return r->told->error == 0 && goes_on(r->teller, r->finish_ns);
}

static bool
take(void *round, const struct ipvs_connection *c)
{
	struct round *r = round;

	r->count += newest_take(r->teller->newest, c, &r->found[r->count]);
	return r->count < BATCH ? goes_on(r->teller, r->finish_ns) : flush(r);
}

static void
look(struct sync_teller *t, struct sync_told *told)
{
	struct round r = {.teller = t, .told = told, .finish_ns = atomic_load(&t->finish_ns)};
	struct ipvs_reading done;

	newest_begin(t->newest);
	done = ipvs_connections_of_kernel(LINES_MAX, mono_add_ns(mono_now(), look_ns), take, &r);
	if (told->error == 0)
		flush(&r);
	if (told->error == 0)
		told->error = done.error;
	told->looks++;
	told->cut = !done.whole || newest_is_full(t->newest);
}

/* As long as the look took, so that it is half of a processor at most; at the end, for the kernel. */
static void
pause_after(struct sync_teller *t, int64_t took_ns)
{
	int64_t finish = atomic_load(&t->finish_ns);
	mono until = mono_add_ns(mono_now(), took_ns);

	if (finish != 0)
		until = mono_add_ns((mono){finish}, lets_go_ns);
	do
		rest();
	while (mono_before(mono_now(), until) && goes_on(t, finish));
}

/* Was that look, begun then, the last one? */
static bool
is_over(struct sync_teller *t, mono first, mono begun)
{
	int64_t finish = atomic_load(&t->finish_ns);

	return atomic_load(&t->stop) || mono_diff_ns(begun, first) > patience_ns ||
		(finish != 0 && begun.ns >= finish + lets_go_ns);
}

static void
work(void *teller, void *job)
{
	struct sync_teller *t = teller;
	struct sync_told *told = job;
	mono first = mono_now(), begun;

	told->error = aim(t);
	while (told->error == 0) {
		begun = mono_now();
		look(t, told);
		if (is_over(t, first, begun))
			break;
		pause_after(t, mono_diff_ns(mono_now(), begun));
	}
	if (t->fd != -1)
		close(t->fd);
	told->took_ns = mono_diff_ns(mono_now(), first);
}

/* --- the loop's side --- */

static int
begin(struct sync_teller *t)
{
	struct sync_told *job = calloc(1, sizeof(*job));
	int error = job ? worker_start(work, NULL, t, &t->worker) : -ENOMEM;

	if (error == 0 && worker_submit(t->worker, job))
		return 0;
	free(job);
	if (error != 0)
		return error;
	worker_stop(t->worker);
	return -ENOBUFS;
}

int
sync_teller_start(const struct ipvs_sync *sync, const struct newest_service *services, size_t count,
	struct sync_teller **out)
{
	struct sync_teller *t = calloc(1, sizeof(*t));
	int error = -ENOMEM;

	if (!t)
		return -ENOMEM;
	t->sync = *sync;
	t->fd = -1;
	t->newest = newest_new(services, count);
	if (t->newest)
		error = begin(t);
	if (error == 0) {
		*out = t;
		return 0;
	}
	newest_free(t->newest);
	free(t);
	return error;
}

int
sync_teller_fd(const struct sync_teller *t)
{
	return worker_fd(t->worker);
}

void
sync_teller_finish(struct sync_teller *t)
{
	atomic_store(&t->finish_ns, mono_now().ns);
}

bool
sync_teller_done(struct sync_teller *t, struct sync_told *out)
{
	struct sync_told *job = worker_next_done(t->worker);

	if (job)
		*out = *job;
	free(job);
	return job != NULL;
}

void
sync_teller_stop(struct sync_teller *t)
{
	atomic_store(&t->stop, true);
	worker_stop(t->worker);
	newest_free(t->newest);
	free(t);
}
