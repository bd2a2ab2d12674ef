/*
 * The IPVS socket: requests, dumps and operations. See ipvs.h.
 *
 * libnl resolves the family and builds the messages; sending and receiving are our own, because
 * its receive loop throws the rest of a datagram away at the first refused request, and folds
 * ESRCH and ENOENT into one error where IPVS means two different things by them.
 *
 * The kernel works a request off within send(), so a batch is sent whole and its acknowledgements
 * are then all waiting; a batch is small enough for them to fit any receive buffer. An answer that
 * is not there after send() will never come: netlink acknowledges everything but -EINTR
 * (netlink_rcv_skb()). Only a dump, which goes on as it is read, is worth waiting for.
 */
#include "linux/ipvs.h"
#include "linux/ipvs_codec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ip_vs.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	REPLY_MAX = 64 * 1024,   /* a dump comes in pieces of up to 32 KiB */
	REQUEST_MAX = 512,       /* of one message: the largest has about 200 bytes */
	BATCH_MAX = 128,         /* requests in one send: their ACKs fit the default buffer */
	RECEIVE_BUFFER = 1 << 20,
	SILENCE_MAX_S = 10,      /* no answer for so long: the socket is given up */
	DUMP_TRIES = 16,
};

struct ipvs {
	struct nl_sock *socket;
	int family;
	uint32_t sequence;
	uint8_t *reply;          /* REPLY_MAX */
	uint8_t *batch;          /* BATCH_MAX * REQUEST_MAX */
};

/* Called for every message that answers a request; a negative value ends the exchange. */
typedef int (*ipvs_heard)(void *context, struct nlmsghdr *message);

/* Asking for the family by name makes the kernel load the module, where it may. */
static int
ipvs_resolve(struct ipvs *ipvs)
{
	ipvs->family = genl_ctrl_resolve(ipvs->socket, IPVS_GENL_NAME);
	return ipvs->family < 0 ? -ENOENT : 0;
}

static int
ipvs_tune(struct ipvs *ipvs)
{
	int fd = nl_socket_get_fd(ipvs->socket), on = 1, size = RECEIVE_BUFFER;
	struct timeval patience = {.tv_sec = SILENCE_MAX_S};

	/* CAP_ACK keeps refusals small; without it (an old kernel) they carry the request back. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1 &&
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == -1)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1 &&
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == -1)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == -1)
		return -errno;
	return 0;
}

int
ipvs_open(struct ipvs **out)
{
	struct ipvs *ipvs = calloc(1, sizeof(*ipvs));
	int error = -ENOMEM;

	if (!ipvs)
		return error;
	ipvs->socket = nl_socket_alloc();
	ipvs->reply = malloc(REPLY_MAX);
	ipvs->batch = malloc((size_t)BATCH_MAX * REQUEST_MAX);
	if (ipvs->socket && ipvs->reply && ipvs->batch)
		error = genl_connect(ipvs->socket) < 0 ? -EPROTONOSUPPORT : ipvs_tune(ipvs);
	if (error == 0)
		error = ipvs_resolve(ipvs);
	if (error != 0) {
		ipvs_close(ipvs);
		return error;
	}
	*out = ipvs;
	return 0;
}

void
ipvs_close(struct ipvs *ipvs)
{
	if (!ipvs)
		return;
	nl_socket_free(ipvs->socket);
	free(ipvs->reply);
	free(ipvs->batch);
	free(ipvs);
}

/* A new request with its own sequence number; NULL without memory. */
static struct nl_msg *
ipvs_request(struct ipvs *ipvs, uint8_t command, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(REQUEST_MAX);

	if (msg && !genlmsg_put(msg, nl_socket_get_local_port(ipvs->socket), ++ipvs->sequence,
		ipvs->family, 0, NLM_F_REQUEST | flags, command, IPVS_GENL_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int
ipvs_send(struct ipvs *ipvs, const void *bytes, size_t length)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;

	do
		sent = sendto(nl_socket_get_fd(ipvs->socket), bytes, length, 0,
			(const struct sockaddr *)&kernel, sizeof(kernel));
	while (sent == -1 && errno == EINTR);
	return sent == -1 ? -errno : 0;
}

/*
 * One datagram of the kernel into ipvs->reply. Its length or a negative errno; without `wait`,
 * -EINTR when there is none.
 */
static int
ipvs_receive(struct ipvs *ipvs, bool wait)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		socklen_t from_length = sizeof(from);
		ssize_t got = recvfrom(nl_socket_get_fd(ipvs->socket), ipvs->reply, REPLY_MAX,
			MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT), (struct sockaddr *)&from,
			&from_length);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1 && errno == EAGAIN)
			return wait ? -ETIMEDOUT : -EINTR;
		if (got == -1)
			return -errno;
		if (got > REPLY_MAX)
			return -EMSGSIZE;
		if (from.nl_pid == 0)
			return (int)got;
	}
}

/* The code of an ACK, a refusal or the end of a dump: 0 or a negative errno. */
static int
message_code(const struct nlmsghdr *message)
{
	int code;

	if (nlmsg_datalen(message) < (int)sizeof(code))
		return message->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	memcpy(&code, nlmsg_data(message), sizeof(code));
	return code;
}

struct exchange {
	ipvs_heard heard;
	void *context;
	uint32_t sequence;
	bool interrupted; /* a dump that changed under way */
	bool over;
};

/* Takes one datagram in. 0 or the negative errno that the exchange ended with. */
static int
exchange_take(struct exchange *x, void *reply, int length)
{
	for (struct nlmsghdr *m = reply; nlmsg_ok(m, length); m = nlmsg_next(m, &length)) {
		int error;

		if (m->nlmsg_seq != x->sequence)
			continue;
		x->interrupted |= (m->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		if (m->nlmsg_type == NLMSG_ERROR || m->nlmsg_type == NLMSG_DONE) {
			x->over = true;
			return message_code(m);
		}
		error = x->heard ? x->heard(x->context, m) : 0;
		if (error < 0)
			return error;
	}
	return 0;
}

/*
 * Sends the request (and frees it), hears the answers. 0, the kernel's negative errno, or
 * -EAGAIN: the dump was interrupted.
 */
static int
ipvs_exchange(struct ipvs *ipvs, struct nl_msg *msg, ipvs_heard heard, void *context)
{
	struct exchange x = {.heard = heard, .context = context};
	bool dump = (nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int error;

	x.sequence = nlmsg_hdr(msg)->nlmsg_seq;
	error = ipvs_send(ipvs, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);
	while (error == 0 && !x.over) {
		int got = ipvs_receive(ipvs, dump);

		error = got < 0 ? got : exchange_take(&x, ipvs->reply, got);
	}
	return error == 0 && x.interrupted ? -EAGAIN : error;
}

/* ---- reading the kernel's table ---- */

struct dump {
	struct vs_table *table;
	const struct vs_service *service; /* whose real servers are coming */
};

/* Room for one more row: doubles the array. False without memory. */
static bool
rows_grow(void **rows, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity != 0 ? *capacity * 2 : 64;
	void *grown;

	if (count < *capacity)
		return true;
	grown = reallocarray(*rows, wanted, size);
	if (!grown)
		return false;
	*rows = grown;
	*capacity = wanted;
	return true;
}

static int
dump_service(void *context, struct nlmsghdr *message)
{
	struct nlattr *a[IPVS_CMD_ATTR_MAX + 1];
	struct dump *d = context;
	struct vs_table *t = d->table;
	struct vs_service service;
	void *rows = t->services;

	if (genlmsg_parse(message, 0, a, IPVS_CMD_ATTR_MAX, NULL) < 0 ||
		!ipvs_get_service(a[IPVS_CMD_ATTR_SERVICE], &service))
		return 0;
	if (!rows_grow(&rows, t->service_count, &t->service_capacity, sizeof(*t->services)))
		return -ENOMEM;
	t->services = rows;
	vs_table_add_service(t, &service);
	return 0;
}

static int
dump_real(void *context, struct nlmsghdr *message)
{
	struct nlattr *a[IPVS_CMD_ATTR_MAX + 1];
	struct dump *d = context;
	struct vs_table *t = d->table;
	struct vs_real real;
	void *rows = t->reals;

	if (genlmsg_parse(message, 0, a, IPVS_CMD_ATTR_MAX, NULL) < 0 ||
		!ipvs_get_real(a[IPVS_CMD_ATTR_DEST], d->service, &real))
		return 0;
	if (!rows_grow(&rows, t->real_count, &t->real_capacity, sizeof(*t->reals)))
		return -ENOMEM;
	t->reals = rows;
	t->reals[t->real_count++] = real;
	return 0;
}

/*
 * The real servers of one service. The kernel answers with nothing for a service that is gone as
 * for one that is empty; asking for the service itself tells which (-ESRCH).
 */
static int
dump_reals(struct ipvs *ipvs, struct vs_table *t, struct vs_service *service)
{
	struct dump d = {.table = t, .service = service};
	struct nl_msg *msg = ipvs_request(ipvs, IPVS_CMD_GET_DEST, NLM_F_DUMP);
	int error = msg ? ipvs_put_service(msg, service, false) : -ENOMEM;

	if (error != 0) {
		nlmsg_free(msg);
		return error;
	}
	service->first_real = (uint32_t)t->real_count;
	service->real_count = 0;
	error = ipvs_exchange(ipvs, msg, dump_real, &d);
	service->real_count = (uint32_t)t->real_count - service->first_real;
	if (error != 0 || service->real_count != 0)
		return error;
	msg = ipvs_request(ipvs, IPVS_CMD_GET_SERVICE, NLM_F_ACK);
	error = msg ? ipvs_put_service(msg, service, false) : -ENOMEM;
	if (error != 0) {
		nlmsg_free(msg);
		return error;
	}
	return ipvs_exchange(ipvs, msg, NULL, NULL);
}

static int
dump_once(struct ipvs *ipvs, struct vs_table *t)
{
	struct dump d = {.table = t};
	struct nl_msg *msg = ipvs_request(ipvs, IPVS_CMD_GET_SERVICE, NLM_F_DUMP);
	int error;

	vs_table_clear(t);
	if (!msg)
		return -ENOMEM;
	error = ipvs_exchange(ipvs, msg, dump_service, &d);
	for (size_t i = 0; i < t->service_count && error == 0; i++) {
		error = dump_reals(ipvs, t, &t->services[i]);
		if (error == -ESRCH)
			error = -EAGAIN;
	}
	if (error == 0)
		vs_table_sort(t);
	return error;
}

int
ipvs_dump(struct ipvs *ipvs, struct vs_table *out)
{
	int error = -EAGAIN;

	for (int try = 0; try < DUMP_TRIES && error == -EAGAIN; try++) {
		error = dump_once(ipvs, out);
		/* The module went and came again: the family has another number now. */
		if (error == -ENOENT && ipvs_resolve(ipvs) == 0)
			error = -EAGAIN;
	}
	return error;
}

void
ipvs_table_free(struct vs_table *t)
{
	free(t->services);
	free(t->reals);
	*t = (struct vs_table){0};
}

/* ---- operations ---- */

static uint8_t
plan_command(enum plan_kind kind)
{
	switch (kind) {
	case PLAN_ADD_SERVICE: return IPVS_CMD_NEW_SERVICE;
	case PLAN_SET_SERVICE: return IPVS_CMD_SET_SERVICE;
	case PLAN_DEL_SERVICE: return IPVS_CMD_DEL_SERVICE;
	case PLAN_ADD_REAL: return IPVS_CMD_NEW_DEST;
	case PLAN_SET_REAL: return IPVS_CMD_SET_DEST;
	case PLAN_DEL_REAL: return IPVS_CMD_DEL_DEST;
	}
	return IPVS_CMD_UNSPEC;
}

static int
operation_put(struct nl_msg *msg, const struct plan_op *op)
{
	bool of_service = op->kind == PLAN_ADD_SERVICE || op->kind == PLAN_SET_SERVICE ||
		op->kind == PLAN_DEL_SERVICE;
	int error = ipvs_put_service(msg, &op->service,
		of_service && op->kind != PLAN_DEL_SERVICE);

	if (error != 0 || of_service)
		return error;
	return ipvs_put_real(msg, &op->real, op->kind != PLAN_DEL_REAL);
}

/*
 * One operation to the end of the batch. 0 or the negative errno that keeps it from being sent.
 * Its sequence number is used up either way: operation i of a batch has the i-th number.
 */
static int
batch_add(struct ipvs *ipvs, const struct plan_op *op, size_t *length)
{
	struct nl_msg *msg = ipvs_request(ipvs, plan_command(op->kind), NLM_F_ACK);
	int error = msg ? operation_put(msg, op) : -ENOMEM;

	if (error == 0) {
		size_t size = NLMSG_ALIGN(nlmsg_hdr(msg)->nlmsg_len);

		memset(ipvs->batch + *length, 0, size);
		memcpy(ipvs->batch + *length, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
		*length += size;
	}
	nlmsg_free(msg);
	return error;
}

/* Books the ACKs of one datagram; how many of them were still awaited. */
static size_t
batch_acks(void *reply, int length, uint32_t first, size_t count, int *errors)
{
	size_t taken = 0;

	for (struct nlmsghdr *m = reply; nlmsg_ok(m, length); m = nlmsg_next(m, &length)) {
		uint32_t at = m->nlmsg_seq - first;

		if (m->nlmsg_type != NLMSG_ERROR || at >= count || errors[at] != ECANCELED)
			continue;
		errors[at] = -message_code(m);
		taken++;
	}
	return taken;
}

/* Applies at most BATCH_MAX operations; errors[] is ECANCELED where the kernel did not answer. */
static int
batch_apply(struct ipvs *ipvs, const struct plan_op *ops, size_t count, int *errors)
{
	uint32_t first = ipvs->sequence + 1;
	size_t length = 0, awaited = 0;
	int error;

	for (size_t i = 0; i < count; i++) {
		ipvs->sequence = first + (uint32_t)i - 1;
		error = batch_add(ipvs, &ops[i], &length);
		errors[i] = error == 0 ? ECANCELED : -error;
		awaited += error == 0;
	}
	if (awaited == 0)
		return 0;
	error = ipvs_send(ipvs, ipvs->batch, length);
	while (error == 0 && awaited > 0) {
		int got = ipvs_receive(ipvs, false);

		if (got < 0)
			error = got;
		else
			awaited -= batch_acks(ipvs->reply, got, first, count, errors);
	}
	return error;
}

int
ipvs_apply(struct ipvs *ipvs, const struct plan_op *ops, size_t count, int *errors)
{
	int failed = 0;

	for (size_t i = 0; i < count; i++)
		errors[i] = ECANCELED;
	for (size_t at = 0; at < count; at += BATCH_MAX) {
		size_t some = count - at < BATCH_MAX ? count - at : BATCH_MAX;
		int error = batch_apply(ipvs, ops + at, some, errors + at);

		if (error != 0)
			return error;
	}
	for (size_t i = 0; i < count; i++)
		failed += errors[i] != 0;
	return failed;
}

/* ---- connection sync ---- */

enum {
	ROLES = 2,
	USUAL_MESSAGE = 1472, /* what the peer may send whatever is configured here */
};
static const uint32_t roles[ROLES] = {IP_VS_STATE_MASTER, IP_VS_STATE_BACKUP};

/* What runs, by row of roles[]; role 0: does not run. */
struct daemons {
	struct ipvs_daemon row[ROLES];
};

static int
dump_daemon(void *context, struct nlmsghdr *message)
{
	struct nlattr *a[IPVS_CMD_ATTR_MAX + 1];
	struct daemons *d = context;
	struct ipvs_daemon daemon;

	if (genlmsg_parse(message, 0, a, IPVS_CMD_ATTR_MAX, NULL) < 0 ||
		!ipvs_get_daemon(a[IPVS_CMD_ATTR_DAEMON], &daemon))
		return 0;
	for (size_t i = 0; i < ROLES; i++)
		if (daemon.role == roles[i])
			d->row[i] = daemon;
	return 0;
}

static int
daemons_get(struct ipvs *ipvs, struct daemons *out)
{
	int error = -EAGAIN;

	for (int try = 0; try < DUMP_TRIES && error == -EAGAIN; try++) {
		struct nl_msg *msg = ipvs_request(ipvs, IPVS_CMD_GET_DAEMON, NLM_F_DUMP);

		*out = (struct daemons){0};
		error = msg ? ipvs_exchange(ipvs, msg, dump_daemon, out) : -ENOMEM;
	}
	return error;
}

static int
daemon_command(struct ipvs *ipvs, uint8_t command, const struct ipvs_daemon *daemon)
{
	struct nl_msg *msg = ipvs_request(ipvs, command, NLM_F_ACK);
	int error = msg ? ipvs_put_daemon(msg, daemon, command == IPVS_CMD_NEW_DAEMON) : -ENOMEM;

	if (error != 0) {
		nlmsg_free(msg);
		return error;
	}
	return ipvs_exchange(ipvs, msg, NULL, NULL);
}

/* The parameters that both daemons share, from one to the other type. */
static struct ipvs_daemon
daemon_of(const struct ipvs_sync *s)
{
	struct ipvs_daemon d = {.group = s->group, .port = s->port, .maxlen = s->maxlen, .ttl = s->ttl};

	memcpy(d.interface, s->interface, sizeof(d.interface));
	d.interface[sizeof(d.interface) - 1] = '\0';
	return d;
}

static struct ipvs_sync
sync_of(const struct ipvs_sync *ids, const struct ipvs_daemon *d)
{
	struct ipvs_sync s = *ids;

	memcpy(s.interface, d->interface, sizeof(s.interface));
	s.group = d->group;
	s.port = d->port;
	s.maxlen = d->maxlen;
	s.ttl = d->ttl;
	return s;
}

int
ipvs_sync_get(struct ipvs *ipvs, struct ipvs_sync *out)
{
	struct daemons d;
	int error = daemons_get(ipvs, &d);

	if (error != 0)
		return error;
	*out = (struct ipvs_sync){
		.master = d.row[0].role != 0, .master_id = d.row[0].id,
		.backup = d.row[1].role != 0, .backup_id = d.row[1].id,
	};
	*out = sync_of(out, &d.row[out->master ? 0 : 1]);
	return 0;
}

/* Does what runs have this value, or is it the kernel's to choose? */
static bool
fits(uint32_t is, uint32_t wanted)
{
	return wanted == 0 || is == wanted;
}

static bool
options_fit(const struct ipvs_daemon *is, const struct ipvs_daemon *wanted)
{
	return (wanted->group.family == IP_NONE || ip_addr_equal(&is->group, &wanted->group)) &&
		fits(is->port, wanted->port) && fits(is->ttl, wanted->ttl) &&
		fits(is->maxlen, wanted->maxlen) &&
		strncmp(is->interface, wanted->interface, sizeof(is->interface)) == 0;
}

bool
ipvs_sync_matches(const struct ipvs_sync *is, const struct ipvs_sync *wanted)
{
	struct ipvs_daemon a = daemon_of(is), b = daemon_of(wanted);

	return is->master == wanted->master && is->backup == wanted->backup &&
		(!wanted->master || is->master_id == wanted->master_id) &&
		(!wanted->backup || is->backup_id == wanted->backup_id) && options_fit(&a, &b);
}

/* Brings one role from what runs to what is wanted (role 0: nothing). */
static int
daemon_move(struct ipvs *ipvs, const struct ipvs_daemon *is, const struct ipvs_daemon *wanted)
{
	int error = 0;

	if (is->role == wanted->role && is->id == wanted->id && options_fit(is, wanted))
		return 0;
	if (is->role != 0)
		error = daemon_command(ipvs, IPVS_CMD_DEL_DAEMON, is);
	/* Gone already; or stopped before its thread ever ran, which kthread_stop() calls EINTR. */
	if (error == -ESRCH || error == -EINTR)
		error = 0;
	if (error == 0 && wanted->role != 0)
		error = daemon_command(ipvs, IPVS_CMD_NEW_DAEMON, wanted);
	return error;
}

int
ipvs_sync_set(struct ipvs *ipvs, const struct ipvs_sync *wanted)
{
	bool runs[ROLES] = {wanted->master, wanted->backup};
	uint8_t ids[ROLES] = {wanted->master_id, wanted->backup_id};
	struct daemons d;
	int error = daemons_get(ipvs, &d);

	for (size_t i = 0; i < ROLES && error == 0; i++) {
		struct ipvs_daemon daemon = {0};

		if (runs[i]) {
			daemon = daemon_of(wanted);
			daemon.role = roles[i];
			daemon.id = ids[i];
			/* A message that is longer than this is lost as a whole. */
			if (roles[i] == IP_VS_STATE_BACKUP && daemon.maxlen < USUAL_MESSAGE)
				daemon.maxlen = 0;
		}
		error = daemon_move(ipvs, &d.row[i], &daemon);
	}
	return error;
}

/* ---- knobs ---- */

/* Opens /proc/sys/net/ipv4/vs/NAME of this namespace. */
static int
sysctl_open(const char *name, int flags)
{
	char path[128];
	int length = snprintf(path, sizeof(path), "/proc/sys/net/ipv4/vs/%s", name);
	int fd;

	if (length >= (int)sizeof(path) || strchr(name, '/'))
		return -EINVAL;
	fd = open(path, flags | O_CLOEXEC);
	return fd == -1 ? -errno : fd;
}

int
ipvs_sysctl_write(const char *name, const char *value)
{
	int fd = sysctl_open(name, O_WRONLY);
	size_t length = strlen(value);
	ssize_t written;
	int error = 0;

	if (fd < 0)
		return fd;
	written = write(fd, value, length);
	if (written != (ssize_t)length)
		error = written == -1 ? -errno : -EIO;
	close(fd);
	return error;
}

int
ipvs_sysctl_read(const char *name, char *out, size_t capacity)
{
	int fd = sysctl_open(name, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return fd;
	if (capacity == 0) {
		close(fd);
		return -EINVAL;
	}
	got = read(fd, out, capacity - 1);
	if (got == -1) {
		int error = -errno;

		close(fd);
		return error;
	}
	close(fd);
	out[got] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}
