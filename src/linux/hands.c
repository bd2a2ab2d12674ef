/* The hands thread. See hands.h. Two socket pairs of pointers: no lock is shared with the loop. */
#include "linux/hands.h"

#include "linux/block_routes.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	STACK = 256 * 1024,
	QUEUE_BYTES = HANDS_QUEUE * 1024, /* what the kernel charges for a pointer is below 1 KiB */
	INTERFACES = 64,
};
static const char gate_path[] = "/proc/sys/net/ipv4/vs/backup_only";

struct hands {
	int loop_end, thread_end;
	struct address_socket *addresses;
	pthread_t thread;
	size_t under_way;        /* the loop's */
	int prepared[INTERFACES]; /* the thread's: interfaces seen last, by index modulo size */
};

struct hands_job *
hands_job_new(size_t count)
{
	struct hands_job *job = calloc(1, sizeof(*job) + count * sizeof(job->changes[0]));

	if (job)
		job->count = count;
	return job;
}

/* IPVS on a standby passes packets by; on an active it must take them. No ip_vs: no gate. */
static void
set_gate(bool open_it)
{
	int fd = open(gate_path, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return;
	if (write(fd, open_it ? "0" : "1", 1) == -1)
		errno = 0; /* the pool process compares this knob every second and complains */
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

static void
do_job(struct hands *h, struct hands_job *job)
{
	if (job->gate == HANDS_GATE_OPEN)
		set_gate(true);
	job->sent = mono_now();
	job->failed = addresses_apply(h->addresses, job->verb, job->changes, job->count);
	job->done = mono_now();
	job->mute = job->check_answers && is_mute(job);
	prepare_interfaces(h, job); /* after the fact: it is only for what comes later */
	if (job->gate == HANDS_GATE_SHUT)
		set_gate(false);
}

static void *
work(void *argument)
{
	struct hands *h = argument;
	struct hands_job *job;

	while (recv(h->thread_end, &job, sizeof(job), 0) == (ssize_t)sizeof(job)) {
		do_job(h, job);
		if (send(h->thread_end, &job, sizeof(job), MSG_NOSIGNAL) == -1)
			free(job);
	}
	shutdown(h->thread_end, SHUT_WR);
	return NULL;
}

static int
start_thread(struct hands *h)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to the loop */
	error = pthread_create(&h->thread, &attr, work, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -error;
}

int
hands_start(struct hands **out)
{
	struct hands *h = calloc(1, sizeof(*h));
	int ends[2], size = QUEUE_BYTES, error;

	if (!h)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1) {
		error = -errno;
		free(h);
		return error;
	}
	h->loop_end = ends[0];
	h->thread_end = ends[1];
	for (int i = 0; i < 2; i++)
		if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1)
			setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	error = address_socket_open(&h->addresses);
	if (error == 0)
		error = start_thread(h);
	if (error == 0) {
		*out = h;
		return 0;
	}
	address_socket_close(h->addresses);
	close(ends[0]);
	close(ends[1]);
	free(h);
	return error;
}

int
hands_fd(const struct hands *h)
{
	return h->loop_end;
}

uint32_t
hands_port(const struct hands *h)
{
	return address_socket_port(h->addresses);
}

bool
hands_submit(struct hands *h, struct hands_job *job)
{
	if (h->under_way == HANDS_QUEUE ||
		send(h->loop_end, &job, sizeof(job), MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		return false;
	h->under_way++;
	return true;
}

static struct hands_job *
collect(struct hands *h, int flags)
{
	struct hands_job *job;

	if (recv(h->loop_end, &job, sizeof(job), flags) != (ssize_t)sizeof(job))
		return NULL;
	h->under_way--;
	return job;
}

struct hands_job *
hands_next_done(struct hands *h)
{
	return collect(h, MSG_DONTWAIT);
}

void
hands_stop(struct hands *h)
{
	/* The thread sees the end after its last job, and says so: it never waits for us here. */
	shutdown(h->loop_end, SHUT_WR);
	while (h->under_way > 0) {
		struct hands_job *job = collect(h, 0);

		if (!job && errno != EINTR)
			break;
		free(job);
	}
	pthread_join(h->thread, NULL);
	close(h->loop_end);
	close(h->thread_end);
	address_socket_close(h->addresses);
	free(h);
}
