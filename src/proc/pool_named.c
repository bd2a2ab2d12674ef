/*
 * Those who have a name instead of an address. A name that stands for none yet leaves a real server
 * without: unknown, not probed, not in the kernel. A sorry server without is none, and a probe is not
 * asked: nothing is known of what it asks about, so a tracked one makes no difference.
 */
#include "proc/pool_process.h"

#include <string.h>

enum { LINES_A_NAME = 4 };

/* --- addresses come in --------------------------------------------------------------------- */

/* As holder_of(). */
static void
fill_server(const struct pool *p, const struct config *c, const struct conf_virtual *v, uint32_t row,
	struct endpoint *server, uint32_t number)
{
	const struct conf_host *host = conf_host(c, number);
	struct endpoint address = {.port = server->port};

	if (!host)
		return;
	*server = address;
	address.addr = names_address(p, host);
	if (address.addr.family != IP_NONE && !holder_of(c, v, row, &address))
		*server = address;
}

static void
fill_virtual(const struct pool *p, struct config *c, struct conf_virtual *v)
{
	uint32_t end = v->first_real + v->real_count;

	for (uint32_t i = v->first_real; i < end; i++)
		fill_server(p, c, v, i, &c->reals[i].address, c->reals[i].host);
	fill_server(p, c, v, end, &v->sorry, v->sorry_host);
}

void
names_fill(const struct pool *p, struct config *c)
{
	if (c->host_count == 0)
		return;
	for (uint32_t i = 0; i < c->virtual_count; i++)
		fill_virtual(p, c, &c->virtuals[i]);
	for (uint32_t i = 0; i < c->track_count; i++)
		if (c->tracks[i].host != 0)
			c->tracks[i].target.addr = names_address(p, conf_host(c, c->tracks[i].host));
	for (uint32_t i = 0; i < c->probe_count; i++)
		if (c->probes[i].address_host != 0)
			c->probes[i].address = names_address(p, conf_host(c, c->probes[i].address_host));
}

/* --- the log ------------------------------------------------------------------------------- */

void
named_begin_line(struct log_line *line, const struct config *c, uint32_t target, bool of_way)
{
	const struct conf_host *host = of_way ? conf_host(c, target_way(c, target)->address_host)
					      : target_host(c, target);

	if (!of_way && target_is_track(c, target)) {
		log_line_begin(line, "track");
		log_line_text(line, "router", tracks_router(c, target - c->real_count)->name);
		log_line_text(line, "name", target_track(c, target)->name);
		log_line_text(line, "kind", conf_track_kind_name(CONF_TRACK_PROBE));
	} else {
		log_line_begin(line, !of_way ? "server" : target_is_agent(c, target) ? "agent" : "probe");
		target_log_name(line, c, target);
	}
	log_line_text(line, "host", host->name);
}

void
named_put_address(struct log_line *line, const char *key, const struct endpoint *e)
{
	char text[ADDR_TEXT];

	if (e->port != 0)
		log_line_endpoint(line, key, e);
	else
		log_line_text(line, key, ip_addr_format(&e->addr, text));
}

/* That it has none any more is told as somebody else's having it (pool_taken.c). */
static void
log_change(struct pool *p, uint32_t target, bool of_way, const struct endpoint *was,
	const struct endpoint *now)
{
	struct log_line line;

	if (now->addr.family == IP_NONE)
		return;
	named_begin_line(&line, &p->config, target, of_way);
	log_line_reason(&line, REASON_RESOLVED);
	if (was->addr.family != IP_NONE)
		named_put_address(&line, "was", was);
	named_put_address(&line, "address", now);
	log_emit(&p->child->log, LOG_LEVEL_NOTICE, &line);
}

static void
note_place(struct pool *p, const struct config *before, uint32_t target)
{
	const struct endpoint *now = target_place(&p->config, target), *was = target_place(before, target);
	const struct conf_virtual *v;

	if (!target_host(&p->config, target) || endpoint_equal(now, was))
		return;
	log_change(p, target, false, was, now);
	if (target_is_track(&p->config, target) || was->addr.family == IP_NONE)
		return;
	v = &p->config.virtuals[target_virtual(&p->config, target)];
	formers_add(p, v->name, was, target_is_sorry(&p->config, target) ? v->forwarding
		: p->config.reals[target].forwarding);
}

static void
note_way(struct pool *p, const struct config *before, uint32_t target)
{
	const struct conf_probe *now = target_way(&p->config, target), *was = target_way(before, target);
	struct endpoint to = {0}, from = {0};

	if (!now || now->address_host == 0 || ip_addr_equal(&now->address, &was->address))
		return;
	to.addr = now->address;
	from.addr = was->address;
	log_change(p, target, true, &from, &to);
}

void
names_note_changes(struct pool *p, const struct config *before)
{
	for (uint32_t i = 0; i < targets_count(&p->config); i++) {
		note_place(p, before, i);
		note_way(p, before, i);
	}
}

static void
log_failure(struct pool *p, uint32_t target, bool of_way, const char *detail)
{
	struct endpoint kept = *target_place(&p->config, target);
	struct log_line line;

	if (of_way)
		kept = (struct endpoint){.addr = target_way(&p->config, target)->address};
	named_begin_line(&line, &p->config, target, of_way);
	log_line_reason(&line, REASON_UNRESOLVED);
	log_line_text(&line, "detail", detail);
	if (kept.addr.family != IP_NONE)
		named_put_address(&line, "kept", &kept);
	log_emit(&p->child->log, LOG_LEVEL_WARNING, &line);
}

void
names_log_failure(struct pool *p, const struct conf_host *host, const char *detail)
{
	const struct config *c = &p->config;
	int lines = 0;

	for (uint32_t i = 0; i < targets_count(c) && lines < LINES_A_NAME; i++) {
		const struct conf_host *place = target_host(c, i);
		const struct conf_probe *way = target_way(c, i);
		const struct conf_host *other = way ? conf_host(c, way->address_host) : NULL;

		if (place && conf_host_same(place, host)) {
			log_failure(p, i, false, detail);
			lines++;
		}
		if (other && conf_host_same(other, host)) {
			log_failure(p, i, true, detail);
			lines++;
		}
	}
}
