/*
 * Names that stand for an address which is somebody's already: of another server of that virtual server,
 * where both would be one to the kernel, or of the virtual server itself. Who comes later has none then,
 * and is told once, with whose it is: only an operator can say which of the two is meant.
 */
#include "proc/pool_process.h"

#include <string.h>

/* --- whose it is --------------------------------------------------------------------------- */

/* Has the virtual server itself that address? */
static bool
is_own(const struct config *c, const struct conf_virtual *v, const struct ip_addr *address)
{
	for (uint32_t i = 0; i < v->listen_count; i++) {
		const struct conf_listen *l = &c->listens[v->first_listen + i];

		if (l->first.family == address->family && ip_addr_compare(&l->first, address) <= 0 &&
			ip_addr_compare(address, &l->last) <= 0)
			return true;
	}
	return false;
}

static bool
is_at(const struct config *c, const struct conf_virtual *v, const struct conf_real *real,
	const struct ip_addr *address, uint16_t port)
{
	return ip_addr_equal(&real->address.addr, address) && conf_real_port(c, v, real) == port;
}

const char *
holder_of(const struct config *c, const struct conf_virtual *v, uint32_t row, const struct endpoint *at)
{
	const struct conf_real self = {.address = *at}, sorry = {.address = v->sorry};
	uint16_t port = conf_real_port(c, v, &self);

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		if (i != row && (i < row || c->reals[i].host == 0) &&
			is_at(c, v, &c->reals[i], &at->addr, port))
			return c->reals[i].name;
	if (row < v->first_real + v->real_count && v->has_sorry && v->sorry_host == 0 &&
		is_at(c, v, &sorry, &at->addr, port))
		return "sorry_server";
	return is_own(c, v, &at->addr) ? v->name : NULL;
}

/* The address that the name of a real or sorry server stands for, and is not given; no family: none. */
static struct endpoint
denied(const struct pool *p, uint32_t target)
{
	const struct conf_host *host = target_is_track(&p->config, target) ? NULL
		: target_host(&p->config, target);
	struct endpoint e = {.addr.family = IP_NONE};

	if (!host || target_has_address(&p->config, target))
		return e;
	e = *target_place(&p->config, target);
	e.addr = names_address(p, host);
	return e;
}

bool
target_is_taken(const struct pool *p, uint32_t target)
{
	return denied(p, target).addr.family != IP_NONE;
}

/* --- the log ------------------------------------------------------------------------------- */

/* The same server of another configuration, by its names; CONF_NO_INDEX: it had none. */
static uint32_t
target_before(const struct config *now, uint32_t target, const struct config *before)
{
	const struct conf_virtual *v = &now->virtuals[target_virtual(now, target)];

	for (uint32_t i = 0; i < before->virtual_count; i++) {
		const struct conf_virtual *w = &before->virtuals[i];

		if (strcmp(w->name, v->name) != 0)
			continue;
		if (target_is_sorry(now, target))
			return w->has_sorry ? sorry_target(before, i) : CONF_NO_INDEX;
		for (uint32_t j = w->first_real; j < w->first_real + w->real_count; j++)
			if (strcmp(before->reals[j].name, now->reals[target].name) == 0)
				return j;
	}
	return CONF_NO_INDEX;
}

static void
log_taken(struct pool *p, uint32_t target, const struct endpoint *address, const struct endpoint *was)
{
	const struct config *c = &p->config;
	const struct conf_virtual *v = &c->virtuals[target_virtual(c, target)];
	uint32_t row = target_is_sorry(c, target) ? v->first_real + v->real_count : target;
	const char *holder = holder_of(c, v, row, address);
	struct log_line line;

	named_begin_line(&line, c, target, false);
	log_line_reason(&line, REASON_ADDRESS_TAKEN);
	named_put_address(&line, "address", address);
	if (was && was->addr.family != IP_NONE)
		named_put_address(&line, "was", was);
	log_line_text(&line, "holder", holder ? holder : "");
	log_line_text(&line, "detail", "remove one of the two, or have the name stand for another "
		"address; until then this server gets nothing");
	log_emit(&p->child->log, LOG_LEVEL_WARNING, &line);
}

static void
note_target(struct pool *p, uint32_t target, const struct config *before)
{
	const struct endpoint address = denied(p, target), *was = NULL;
	const struct conf_host *host = target_host(&p->config, target), *host_before;
	uint32_t row;

	if (address.addr.family == IP_NONE)
		return;
	row = target_before(&p->config, target, before);
	if (row != CONF_NO_INDEX && (host_before = target_host(before, row)) != NULL &&
		conf_host_same(host, host_before)) {
		was = target_place(before, row);
		if (was->addr.family == IP_NONE && names_were_noted(p, host))
			return; /* it was so */
	}
	log_taken(p, target, &address, was);
}

void
names_note_taken(struct pool *p, const struct config *before)
{
	for (uint32_t i = 0; p->config.host_count > 0 && i < targets_count(&p->config); i++)
		note_target(p, i, before);
	names_note(p);
}
