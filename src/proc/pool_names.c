/*
 * Real servers whose address is a name. The configuration of this process is the one that was read, with
 * what operators changed, and with the addresses that names stand for filled in: everything else here
 * knows addresses only. A name that stands for none yet leaves its server without: unknown, not
 * probed, not in the kernel. Nothing ever waits for an answer.
 *
 * The last address of each name is kept in a file of the state directory, so that a restart needs no
 * DNS, and over a name that cannot be resolved any more. A name that stands for another address now
 * replaces its server: the new address comes in like any new server, the old one goes like one that is
 * down: no new connections, and out of the kernel when it has none left.
 */
#include "proc/pool_process.h"

#include "conf/host.h"
#include "conf/pack.h"
#include "core/inquiry.h"
#include "ipc/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = LIMIT_HOST + ADDR_TEXT + 8, LINES_A_NAME = 4, MESSAGES_A_TURN = 256 };

static const double together_s = 0.02; /* answers that come in one go are taken in one */

struct pool_name {
	struct conf_host host;
	struct ip_addr address;    /* no family: none yet */
	bool failing;
	struct inquiry inquiry;
};

/* An address that a name stood for, on its way out. */
struct pool_former {
	char virtual[LIMIT_NAME];
	struct endpoint address;
	uint8_t forwarding;        /* enum conf_forwarding */
};

static int
compare(const void *a, const void *b)
{
	const struct pool_name *x = a, *y = b;
	int order = strcmp(x->host.name, y->host.name);

	return order != 0 ? order : (x->host.family > y->host.family) - (x->host.family < y->host.family);
}

static struct pool_name *
find(const struct pool *p, const struct conf_host *host)
{
	struct pool_name key = {.host = *host};

	return p->name_count == 0 ? NULL
		: bsearch(&key, p->names, p->name_count, sizeof(key), compare);
}

/* --- the file ------------------------------------------------------------------------------ */

static bool
parse_line(char *line, struct pool_name *out)
{
	char *space = strchr(line, ' ');
	uint16_t port = 0;

	line[strcspn(line, "\n")] = '\0';
	if (!space)
		return false;
	*space = '\0';
	*out = (struct pool_name){.inquiry = inquiry_new(mono_now())};
	if (!host_parse(line, out->host.name, &port) || port != 0 ||
		!ip_addr_parse(space + 1, &out->address))
		return false;
	out->host.family = out->address.family;
	return true;
}

static void
load(struct pool *p)
{
	char path[LIMIT_PATH + 16], line[LINE_BYTES];
	struct pool_name *rows = reallocarray(NULL, LIMIT_HOSTS, sizeof(*rows));
	FILE *f;

	snprintf(path, sizeof(path), "%s/names", p->child->state_dir);
	f = rows ? fopen(path, "re") : NULL;
	while (f && p->name_count < LIMIT_HOSTS && fgets(line, sizeof(line), f))
		p->name_count += parse_line(line, &rows[p->name_count]);
	if (f)
		fclose(f);
	if (p->name_count > 0)
		qsort(rows, p->name_count, sizeof(*rows), compare);
	p->names = rows;
}

static void
store(struct pool *p)
{
	char path[LIMIT_PATH + 16], fresh[LIMIT_PATH + 16], text[ADDR_TEXT];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/names", p->child->state_dir);
	snprintf(fresh, sizeof(fresh), "%s/names.new", p->child->state_dir);
	f = fopen(fresh, "we");
	for (uint32_t i = 0; f && i < p->name_count; i++)
		if (p->names[i].address.family != IP_NONE)
			fprintf(f, "%s %s\n", p->names[i].host.name,
				ip_addr_format(&p->names[i].address, text));
	ok = f && ferror(f) == 0;
	if (f)
		ok = fclose(f) == 0 && ok;
	if (!ok || rename(fresh, path) == -1)
		pool_complain(p, "cannot store the addresses of names", errno);
}

/* --- the configuration --------------------------------------------------------------------- */

bool
names_configure(struct pool *p, bool ask_all)
{
	const struct config *c = &p->config;
	struct pool_name *rows = reallocarray(NULL, (size_t)c->host_count + 1, sizeof(*rows));
	mono now = mono_now();

	for (uint32_t i = 0; rows && i < c->host_count; i++) {
		const struct pool_name *was = find(p, &c->hosts[i]);

		rows[i] = was ? *was : (struct pool_name){.inquiry = inquiry_new(now)};
		if (ask_all)
			inquiry_renew(&rows[i].inquiry, now);
		inquiry_shorten(&rows[i].inquiry, now, c->hosts[i].resolve_s * NS_PER_S);
		rows[i].host = c->hosts[i];
	}
	if (!rows)
		return false;
	if (c->host_count > 0)
		qsort(rows, c->host_count, sizeof(*rows), compare);
	free(p->names);
	p->names = rows;
	p->name_count = c->host_count;
	return true;
}

/* Has another server of that virtual server this address, or is it the virtual server's own? */
static bool
is_taken(const struct config *c, const struct conf_virtual *v, uint32_t row,
	const struct endpoint *address)
{
	uint16_t port = conf_real_port(c, v, &c->reals[row]);

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		if (i != row && (i < row || c->reals[i].host == 0) &&
			ip_addr_equal(&c->reals[i].address.addr, &address->addr) &&
			conf_real_port(c, v, &c->reals[i]) == port)
			return true;
	for (uint32_t i = 0; i < v->listen_count; i++) {
		const struct conf_listen *l = &c->listens[v->first_listen + i];

		if (l->first.family == address->addr.family &&
			ip_addr_compare(&l->first, &address->addr) <= 0 &&
			ip_addr_compare(&address->addr, &l->last) <= 0)
			return true;
	}
	return false;
}

void
names_fill(const struct pool *p, struct config *c)
{
	for (uint32_t k = 0; c->host_count > 0 && k < c->virtual_count; k++) {
		const struct conf_virtual *v = &c->virtuals[k];

		for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
			struct conf_real *real = &c->reals[i];
			const struct conf_host *host = conf_real_host(c, real);
			const struct pool_name *name = host ? find(p, host) : NULL;
			struct endpoint address = {.port = real->address.port};

			if (!host)
				continue;
			if (name)
				address.addr = name->address;
			real->address = (struct endpoint){.port = address.port};
			if (name && !is_taken(c, v, i, &address))
				real->address = address;
		}
	}
}

/* --- those that go ------------------------------------------------------------------------- */

uint32_t
names_formers(const struct pool *p, const struct conf_virtual *v, struct pool_member *members,
	uint32_t count)
{
	uint32_t whole = count, row = (uint32_t)(v - p->config.virtuals);

	for (uint32_t i = 0; i < p->former_count; i++) {
		const struct pool_former *f = &p->formers[i];
		bool back = strcmp(f->virtual, v->name) != 0;
		struct vs_real sum;

		for (uint32_t k = 0; k < count && !back; k++)
			back = endpoint_equal(&members[k].address, &f->address);
		if (!back && table_sum_at(p, row, &f->address, &sum))
			members[whole++] = (struct pool_member){.address = f->address,
				.forwarding = table_forwarding(f->forwarding),
				.verdict = HEALTH_DOWN,
				.busy = sum.active_connections + sum.inactive_connections != 0};
	}
	return whole;
}

static uint32_t
virtual_named(const struct config *c, const char *name)
{
	for (uint32_t i = 0; i < c->virtual_count; i++)
		if (strcmp(c->virtuals[i].name, name) == 0)
			return i;
	return CONF_NO_INDEX;
}

size_t
names_former_rows(const struct pool *p)
{
	size_t rows = 0;

	for (uint32_t i = 0; i < p->former_count; i++) {
		uint32_t row = virtual_named(&p->config, p->formers[i].virtual);

		if (row != CONF_NO_INDEX)
			rows += virtual_services(&p->config, &p->config.virtuals[row]);
	}
	return rows;
}

static void
add_former(struct pool *p, const char *virtual, const struct conf_real *real)
{
	struct pool_former *grown;

	for (uint32_t i = 0; i < p->former_count; i++)
		if (strcmp(p->formers[i].virtual, virtual) == 0 &&
			endpoint_equal(&p->formers[i].address, &real->address))
			return;
	grown = reallocarray(p->formers, p->former_count + 1, sizeof(*grown));
	if (!grown)
		return; /* then it goes at once */
	p->formers = grown;
	grown += p->former_count++;
	memset(grown, 0, sizeof(*grown));
	memcpy(grown->virtual, virtual, sizeof(grown->virtual));
	grown->address = real->address;
	grown->forwarding = real->forwarding;
}

/* Those that have left the kernel, or have no connection any more. */
static void
drop_formers(struct pool *p)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < p->former_count; i++) {
		struct pool_former *f = &p->formers[i];
		uint32_t row = virtual_named(&p->config, f->virtual);
		struct vs_real sum;

		if (row != CONF_NO_INDEX && p->ipvs && table_sum_at(p, row, &f->address, &sum) &&
			sum.active_connections + sum.inactive_connections != 0)
			p->formers[kept++] = *f;
	}
	if (kept != p->former_count)
		table_replan(p, REASON_RESOLVED);
	p->former_count = kept;
}

/* --- what changes -------------------------------------------------------------------------- */

static void
log_name(struct pool *p, const struct conf_virtual *v, const struct conf_real *now,
	const struct conf_real *before)
{
	struct log_line line;

	log_line_begin(&line, "server");
	log_line_text(&line, "server", now->name);
	log_line_text(&line, "virtual", v->name);
	log_line_text(&line, "host", conf_real_host(&p->config, now)->name);
	log_line_reason(&line, now->address.addr.family != IP_NONE ? REASON_RESOLVED : REASON_UNRESOLVED);
	if (before->address.addr.family != IP_NONE)
		log_line_endpoint(&line, "was", &before->address);
	if (now->address.addr.family != IP_NONE)
		log_line_endpoint(&line, "address", &now->address);
	else
		log_line_text(&line, "detail",
			"that address is another server's or the virtual server's own");
	log_emit(&p->child->log, LOG_LEVEL_NOTICE, &line);
}

/* Rows are the same in both: only addresses of names have changed. */
static void
note_changes(struct pool *p, const struct config *before)
{
	for (uint32_t k = 0; k < p->config.virtual_count; k++) {
		const struct conf_virtual *v = &p->config.virtuals[k];

		for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
			const struct conf_real *now = &p->config.reals[i], *was = &before->reals[i];

			if (now->host == 0 || endpoint_equal(&now->address, &was->address))
				continue;
			log_name(p, v, now, was);
			if (was->address.addr.family != IP_NONE)
				add_former(p, v->name, was);
		}
	}
}

static void
on_news(struct ev_loop *loop, ev_timer *w, int events)
{
	struct pool *p = w->data;
	struct config before;

	(void)loop;
	(void)events;
	if (!config_copy(&p->config, &before))
		return; /* the next answer comes */
	names_fill(p, &p->config);
	note_changes(p, &before);
	if (!pool_rebuild(p, &before))
		_exit(2);
	config_free(&before);
	store(p);
	table_apply_now(p, REASON_RESOLVED);
}

static void
log_failure(struct pool *p, const struct pool_name *n, const char *detail)
{
	int lines = 0;

	for (uint32_t k = 0; k < p->config.virtual_count; k++) {
		const struct conf_virtual *v = &p->config.virtuals[k];

		for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
			const struct conf_real *real = &p->config.reals[i];
			const struct conf_host *host = conf_real_host(&p->config, real);
			struct log_line line;

			if (!host || find(p, host) != n || lines++ >= LINES_A_NAME)
				continue;
			log_line_begin(&line, "server");
			log_line_text(&line, "server", real->name);
			log_line_text(&line, "virtual", v->name);
			log_line_text(&line, "host", host->name);
			log_line_reason(&line, REASON_UNRESOLVED);
			log_line_text(&line, "detail", detail);
			if (real->address.addr.family != IP_NONE)
				log_line_endpoint(&line, "kept", &real->address);
			log_emit(&p->child->log, LOG_LEVEL_WARNING, &line);
		}
	}
}

static void
take_answer(struct pool *p, const struct ipc_resolved *answer)
{
	struct conf_host key = {.family = answer->family};
	struct pool_name *n;
	char detail[sizeof(answer->detail)];

	memcpy(key.name, answer->name, sizeof(key.name));
	key.name[sizeof(key.name) - 1] = '\0';
	memcpy(detail, answer->detail, sizeof(detail));
	detail[sizeof(detail) - 1] = '\0';
	n = find(p, &key);
	if (!n || !inquiry_answered(&n->inquiry, mono_now(), n->host.resolve_s * NS_PER_S))
		return; /* the configuration has changed meanwhile */
	if (answer->count == 0) {
		if (!n->failing)
			log_failure(p, n, detail);
		n->failing = true;
		return;
	}
	if (n->failing || !ip_addr_equal(&n->address, &answer->address)) {
		n->failing = false;
		n->address = answer->address;
		ev_timer_stop(p->loop, &p->names_timer);
		ev_timer_set(&p->names_timer, together_s, 0.);
		ev_timer_start(p->loop, &p->names_timer);
	}
}

static void
on_resolver(struct ev_loop *loop, ev_io *w, int events)
{
	struct pool *p = w->data;
	const struct ipc_resolved *answer;
	struct channel_message m;

	(void)events;
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		int got = channel_receive(p->resolver_fd, &m);

		if (got == 0)
			return;
		if (got == -1) {
			ev_io_stop(loop, w);
			close(p->resolver_fd);
			p->resolver_fd = -1;
			return;
		}
		if (m.fd != -1)
			close(m.fd);
		if (m.kind == IPC_RESOLVED && (answer = channel_payload(&m, sizeof(*answer))))
			take_answer(p, answer);
	}
}

void
names_ask(struct pool *p)
{
	mono now = mono_now();

	for (uint32_t i = 0; p->resolver_fd != -1 && i < p->name_count; i++) {
		struct pool_name *n = &p->names[i];
		struct ipc_resolve question = {.family = n->host.family};

		if (!inquiry_due(&n->inquiry, now))
			continue;
		memcpy(question.name, n->host.name, sizeof(question.name));
		if (channel_send(p->resolver_fd, IPC_RESOLVE, &question, sizeof(question), -1) == -1)
			return; /* full: the next second */
		inquiry_asked(&n->inquiry, now);
	}
}

void
names_resolver_up(struct pool *p, int fd)
{
	if (p->resolver_fd != -1) {
		ev_io_stop(p->loop, &p->resolver_watcher);
		close(p->resolver_fd);
	}
	p->resolver_fd = fd;
	ev_io_init(&p->resolver_watcher, on_resolver, fd, EV_READ);
	p->resolver_watcher.data = p;
	ev_io_start(p->loop, &p->resolver_watcher);
	for (uint32_t i = 0; i < p->name_count; i++)
		inquiry_lost(&p->names[i].inquiry); /* its predecessor had those */
	names_ask(p);
}

void
names_second(struct pool *p)
{
	names_ask(p);
	if (p->former_count > 0)
		drop_formers(p);
}

void
names_open(struct pool *p)
{
	p->resolver_fd = -1;
	ev_timer_init(&p->names_timer, on_news, together_s, 0.);
	p->names_timer.data = p;
	load(p);
}

void
names_close(struct pool *p)
{
	free(p->names);
	free(p->formers);
}
