/*
 * Names instead of addresses: of real and sorry servers, and of what probes ask. The configuration of
 * this process is the one that was read, with what operators changed, and with the addresses that names
 * stand for filled in (pool_named.c): everything else here knows addresses only. Nothing ever waits
 * for an answer.
 *
 * The last address of each name is kept in a file of the state directory, so that a restart needs no
 * DNS, and over a name that cannot be resolved any more.
 */
#include "proc/pool_process.h"

#include "conf/host.h"
#include "conf/pack.h"
#include "core/inquiry.h"
#include "ipc/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGES_A_TURN = 256 };

static const double together_s = 0.02; /* answers that come in one go are taken in one */

struct pool_name {
	struct conf_host host;
	struct ip_addr address;    /* no family: none yet */
	struct ip_addr noted;      /* that, as of names_note() */
	bool failing;
	struct inquiry inquiry;
};

static int
compare(const void *a, const void *b)
{
	const struct pool_name *x = a, *y = b;
	int order = strcmp(x->host.name, y->host.name);

	if (order == 0)
		order = (x->host.family > y->host.family) - (x->host.family < y->host.family);
	return order != 0 ? order : x->host.loopback - y->host.loopback;
}

static struct pool_name *
find(const struct pool *p, const struct conf_host *host)
{
	struct pool_name key = {.host = *host};

	return p->name_count == 0 ? NULL
		: bsearch(&key, p->names, p->name_count, sizeof(key), compare);
}

struct ip_addr
names_address(const struct pool *p, const struct conf_host *host)
{
	const struct pool_name *name = host ? find(p, host) : NULL;

	return name ? name->address : (struct ip_addr){.family = IP_NONE};
}

bool
names_were_noted(const struct pool *p, const struct conf_host *host)
{
	const struct pool_name *name = find(p, host);

	return name && ip_addr_equal(&name->address, &name->noted);
}

void
names_note(struct pool *p)
{
	for (uint32_t i = 0; i < p->name_count; i++)
		p->names[i].noted = p->names[i].address;
}

/* --- the file ------------------------------------------------------------------------------ */

static const char loopback[] = "loopback"; /* behind the address, where it may be one */

static bool
parse_line(char *line, struct pool_name *out)
{
	char *space = strchr(line, ' '), *more;
	uint16_t port = 0;

	if (!space)
		return false;
	*space = '\0';
	more = strchr(space + 1, ' ');
	if (more)
		*more = '\0';
	*out = (struct pool_name){.inquiry = inquiry_new(mono_now())};
	if (!host_parse(line, out->host.name, &port) || port != 0 ||
		!ip_addr_parse(space + 1, &out->address) || (more && strcmp(more + 1, loopback) != 0))
		return false;
	out->host.family = out->address.family;
	out->host.loopback = more != NULL;
	return true;
}

static void
load(struct pool *p)
{
	struct pool_name *rows = reallocarray(NULL, LIMIT_HOSTS, sizeof(*rows));
	char *text = NULL, *rest, *line;
	size_t length;

	if (rows && state_read(p, STATE_NAMES, &text, &length) == 0)
		for (rest = text; p->name_count < LIMIT_HOSTS && (line = strsep(&rest, "\n")) != NULL;)
			p->name_count += parse_line(line, &rows[p->name_count]);
	free(text);
	if (p->name_count > 0)
		qsort(rows, p->name_count, sizeof(*rows), compare);
	p->names = rows;
}

static void
store(struct pool *p)
{
	struct state_text t;
	FILE *f = state_text(&t);
	char text[ADDR_TEXT];

	for (uint32_t i = 0; f && i < p->name_count; i++)
		if (p->names[i].address.family != IP_NONE)
			fprintf(f, "%s %s%s%s\n", p->names[i].host.name,
				ip_addr_format(&p->names[i].address, text),
				p->names[i].host.loopback ? " " : "",
				p->names[i].host.loopback ? loopback : "");
	state_put_text(p, STATE_NAMES, &t);
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

/* --- answers ------------------------------------------------------------------------------- */

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
	names_note_changes(p, &before);
	if (!pool_rebuild(p, &before))
		_exit(2);
	config_free(&before);
	store(p);
	table_apply_now(p, REASON_RESOLVED);
}

static void
take_answer(struct pool *p, const struct ipc_resolved *answer)
{
	struct conf_host key = {.family = answer->family, .loopback = answer->loopback};
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
			names_log_failure(p, &n->host, detail);
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
	const struct ipc_replace other = {.role = PROCESS_RESOLVER, .reason = REASON_BAD_MESSAGE};
	struct pool *p = w->data;
	const struct ipc_resolved *answer;
	struct channel_message m;

	(void)events;
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		int got = incoming_receive(&p->incoming, p->resolver_fd, PROCESS_RESOLVER, &m);

		if (got == 0)
			return;
		if (got == INCOMING_REFUSED) {
			process_replace(p, &other, &p->resolver_pardon);
			continue;
		}
		if (got == -1) {
			ev_io_stop(loop, w);
			close(p->resolver_fd);
			p->resolver_fd = -1;
			return;
		}
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
		struct ipc_resolve question = {.family = n->host.family,
			.loopback = n->host.loopback};

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
		formers_drop(p);
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
