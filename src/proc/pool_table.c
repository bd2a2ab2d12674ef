/*
 * The wanted table: what the configuration, the verdicts and the roles make of it. And the other way
 * round: where a real server of the configuration is in the kernel's table.
 */
#include "proc/pool_process.h"

#include "conf/listen.h"
#include "core/survival.h"

#include <stdlib.h>
#include <string.h>

uint32_t
virtual_services(const struct config *c, const struct conf_virtual *v)
{
	uint32_t count = v->fwmark != 0;

	for (uint32_t i = 0; i < v->listen_count; i++)
		count += listen_count(&c->listens[v->first_listen + i]);
	return count;
}

struct vs_key
virtual_key(const struct config *c, const struct conf_virtual *v, uint32_t i)
{
	const struct conf_listen *l = &c->listens[v->first_listen];

	if (v->fwmark != 0)
		return (struct vs_key){.fwmark = v->fwmark, .listen.addr.family = v->family};
	for (; i >= listen_count(l); l++)
		i -= listen_count(l);
	return (struct vs_key){.listen = listen_at(l, i), .protocol = v->protocol};
}

uint8_t
table_forwarding(uint8_t forwarding)
{
	switch (forwarding) {
	case CONF_FORWARD_DR: return VS_DR;
	case CONF_FORWARD_TUNNEL: return VS_TUNNEL;
	}
	return VS_NAT;
}

/* All but the key and whether the sorry server can be used. */
static struct pool_service
service_of(const struct config *c, const struct conf_virtual *v)
{
	struct pool_service s = {
		.service = {.flags = v->scheduler_flags | (v->one_packet ? VS_ONE_PACKET : 0u),
			.persistence_s = v->persistence_s},
		.when_none_healthy = v->when_none_healthy == CONF_REFUSE ? POOL_REFUSE : POOL_FAIL_OPEN,
		.down = v->down == CONF_DOWN_CUT ? POOL_DOWN_CUT : POOL_DOWN_DRAIN,
		.min_healthy = v->min_healthy,
		.sorry = v->sorry,
		.sorry_forwarding = table_forwarding(v->forwarding),
		.tunnel = v->tunnel,
		.tunnel_port = v->tunnel_port,
		.tunnel_checksum = v->tunnel_checksum,
		.scale = weights_scale(c, v),
	};

	memcpy(s.service.scheduler, v->scheduler, sizeof(s.service.scheduler));
	memcpy(s.service.engine, v->engine, sizeof(s.service.engine));
	return s;
}

/* Asked only of those that are about to go: the others stay whatever they have. */
static bool
is_busy(const struct pool *p, const struct conf_virtual *v, uint32_t row,
	const struct pool_member *m)
{
	struct vs_real sum;

	if (m->admin == POOL_ENABLED && m->verdict != HEALTH_DOWN && !m->keep_out)
		return false;
	return table_sum_real(p, (uint32_t)(v - p->config.virtuals), row, &sum) &&
		(sum.active_connections != 0 || sum.inactive_connections != 0);
}

/*
 * Both nodes of a hot pair hash over the same servers. One that is down would leave the one where it has no
 * connections, and stay on the other; and who comes back comes in at another place of the kernel's
 * list. Either moves connections of the others in a takeover.
 */
static bool
stays_in_the_hash(const struct pool *p, const struct conf_virtual *v)
{
	return p->config.routers[v->router].standby == CONF_STANDBY_HOT &&
		survival_is_hash(v->scheduler, v->persistence_s);
}

static bool
append_virtual(struct pool *p, const struct conf_virtual *v, mono now,
	struct pool_member *members)
{
	uint32_t services = virtual_services(&p->config, v);
	struct pool_service s = service_of(&p->config, v);
	bool told = p->overlay.count != 0 || agents_any(&p->config, v);
	const struct pool_outcome *judged;
	uint32_t count = 0;
	bool room = true;

	for (uint32_t i = 0; i < v->real_count; i++) {
		const struct conf_real *real = &p->config.reals[v->first_real + i];
		const struct pool_target *t = &p->targets[v->first_real + i];
		struct pool_member *m = &members[count];

		if (real->address.addr.family == IP_NONE)
			continue; /* a name that stands for nothing yet */
		*m = (struct pool_member){.address = real->address, .weight = real->weight,
			.upper_threshold = real->upper_threshold,
			.lower_threshold = real->lower_threshold,
			.forwarding = table_forwarding(real->forwarding), .verdict = t->verdict,
			.keep_out = t->keep_out, .percent = t->percent,
			.stays = stays_in_the_hash(p, v)};
		if (told || t->weighs)
			operate_member(p, v, v->first_real + i, m);
		m->busy = is_busy(p, v, v->first_real + i, m);
		count++;
	}
	s.has_sorry = modes_has_sorry(p, v);
	judged = modes_judge(p, v, now, &s, members, count);
	if (p->former_count > 0)
		count = formers_members(p, v, members, count);
	for (uint32_t i = 0; i < services && room; i++) {
		s.service.key = virtual_key(&p->config, v, i);
		s.service.netmask = (struct ip_addr){.family = IP_NONE};
		if (v->persistence_mask.family == s.service.key.listen.addr.family)
			s.service.netmask = v->persistence_mask;
		room = pool_append_as(&s, judged->mode, members, count, &p->wanted);
	}
	return room;
}

static bool
make_room(struct pool *p)
{
	size_t services = 1, reals = 1 + formers_rows(p);

	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		const struct conf_virtual *v = &p->config.virtuals[i];

		services += virtual_services(&p->config, v);
		reals += (size_t)virtual_services(&p->config, v) * (v->real_count + 1);
	}
	if (p->wanted.service_capacity >= services && p->wanted.real_capacity >= reals)
		return true;
	free(p->wanted.services);
	free(p->wanted.reals);
	p->wanted = (struct vs_table){
		.services = calloc(services, sizeof(struct vs_service)),
		.reals = calloc(reals, sizeof(struct vs_real)),
		.service_capacity = services,
		.real_capacity = reals,
	};
	return p->wanted.services && p->wanted.reals;
}

/* Rows for the servers of any virtual server, and one. */
static size_t
largest(const struct config *c)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < c->virtual_count; i++)
		if (c->virtuals[i].real_count > most)
			most = c->virtuals[i].real_count;
	return (size_t)most + 1;
}

bool
table_build_wanted(struct pool *p)
{
	struct pool_member *members = reallocarray(NULL, largest(&p->config) + p->former_count,
		sizeof(*members));
	bool ok = members && make_room(p);
	mono now = mono_now();

	if (ok)
		vs_table_clear(&p->wanted);
	for (uint32_t i = 0; ok && i < p->config.virtual_count; i++)
		if (virtual_is_served(p, i))
			ok = append_virtual(p, &p->config.virtuals[i], now, members);
	free(members);
	if (ok)
		vs_table_sort(&p->wanted);
	return ok;
}

static void
add_counters(struct vs_real *sum, const struct vs_real *row)
{
	sum->active_connections += row->active_connections;
	sum->inactive_connections += row->inactive_connections;
	sum->persistent_connections += row->persistent_connections;
	sum->connections += row->connections;
	sum->in_packets += row->in_packets;
	sum->out_packets += row->out_packets;
	sum->in_bytes += row->in_bytes;
	sum->out_bytes += row->out_bytes;
}

bool
table_sum_at(const struct pool *p, uint32_t virtual_row, const struct endpoint *at,
	struct vs_real *sum)
{
	const struct conf_virtual *v = &p->config.virtuals[virtual_row];
	uint32_t services = virtual_services(&p->config, v);
	bool found = false;

	for (uint32_t i = 0; i < services; i++) {
		struct vs_key key = virtual_key(&p->config, v, i);
		struct endpoint address = *at;
		const struct vs_service *s = vs_table_find(&p->actual, &key);
		const struct vs_real *row;

		if (address.port == 0)
			address.port = key.listen.port;
		row = s ? vs_table_find_real(&p->actual, s, &address) : NULL;
		if (row && found)
			add_counters(sum, row);
		else if (row)
			*sum = *row;
		found = found || row;
	}
	return found;
}

bool
table_sum_real(const struct pool *p, uint32_t virtual_row, uint32_t real_row, struct vs_real *sum)
{
	return table_sum_at(p, virtual_row, &p->config.reals[real_row].address, sum);
}
