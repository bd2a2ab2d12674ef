/* Members and their health to the wanted table. See pool.h. */
#include "core/pool.h"

#include <string.h>

enum { WEIGHT_MAX = 65535 };

static bool
schedules_by(const struct pool_service *s, const char *scheduler)
{
	return strncmp(s->service.scheduler, scheduler, sizeof(s->service.scheduler)) == 0;
}

/* Who is quiesced keeps its share of that, and the scheduler's fallback looks for another one. */
static bool
shares_a_hash(const struct pool_service *s)
{
	return schedules_by(s, "sh") || schedules_by(s, "mh");
}

/* Of new connections it gets none, but it stays. */
static bool
is_quiesced(const struct pool_member *m)
{
	return m->weight == 0 || (m->is_part && m->part == 0);
}

/*
 * The weight that goes into the kernel. Who has one keeps at least 1: weight 0 means nobody new.
 * When all have failed nothing is known of anybody: then each gets the whole of its weight.
 */
static uint32_t
member_kernel_weight(const struct pool_service *s, const struct pool_member *m, enum pool_mode mode)
{
	uint64_t whole = (uint64_t)m->weight * (s->scale != 0 ? s->scale : 1);
	uint64_t most = (uint64_t)WEIGHT_MAX * (s->scale != 0 ? s->scale : 1), part;

	if (m->is_part)
		whole = is_quiesced(m) ? 0 : whole * m->part / 100 + (whole * m->part < 100);
	if (whole > most)
		whole = most;
	part = m->percent != 0 && mode == POOL_SERVING ? whole * m->percent / 100 : whole;

	return (uint32_t)(part == 0 && whole != 0 ? 1 : part);
}

/* May it get new connections, if it has a weight? */
static bool
member_in(const struct pool_member *m)
{
	if (m->admin != POOL_ENABLED)
		return false;
	switch (m->verdict) {
	case HEALTH_UP: return true;
	case HEALTH_UNKNOWN: return !m->keep_out;
	case HEALTH_DOWN: return false;
	}
	return false;
}

/* Not for new connections, but may those that it has go on? */
static bool
member_lingers(const struct pool_service *s, const struct pool_member *m, enum pool_mode mode)
{
	bool stays = m->busy || (m->stays && mode != POOL_ON_SORRY);

	if (m->admin == POOL_DRAINED)
		return !m->over && (m->verdict != HEALTH_DOWN || m->busy);
	return m->admin == POOL_ENABLED && m->verdict != HEALTH_UP && !member_in(m) &&
		s->down == POOL_DOWN_DRAIN && stays;
}

struct pool_outcome
pool_judge(const struct pool_service *s, const struct pool_member *members, size_t count)
{
	uint32_t needed = s->min_healthy != 0 ? s->min_healthy : 1;
	struct pool_outcome o = {.mode = POOL_SERVING};

	for (size_t i = 0; i < count; i++) {
		o.up += members[i].verdict == HEALTH_UP && members[i].admin == POOL_ENABLED;
		o.usable += member_in(&members[i]) && !is_quiesced(&members[i]);
		o.possible += members[i].admin == POOL_ENABLED && !is_quiesced(&members[i]);
	}
	if (o.usable < needed || s->is_short)
		o.mode = s->has_sorry ? POOL_ON_SORRY :
			s->when_none_healthy == POOL_FAIL_OPEN ? POOL_OPENED : POOL_REFUSING;
	return o;
}

/* A server of this service, behind the others; what has no port of its own has the service's. */
static struct vs_real *
pool_real(const struct pool_service *s, const struct endpoint *address, uint8_t forwarding,
	struct vs_table *wanted)
{
	struct vs_real *real = vs_table_new_real(wanted);

	if (!real)
		return NULL;
	real->address = *address;
	real->forwarding = forwarding;
	if (real->address.port == 0)
		real->address.port = s->service.key.listen.port;
	if (forwarding == VS_TUNNEL) {
		real->tunnel = s->tunnel;
		real->tunnel_port = s->tunnel_port;
		real->tunnel_checksum = s->tunnel_checksum;
	}
	return real;
}

/* Appends the member as the mode has it; false when there is no room. */
static bool
pool_append_member(const struct pool_service *s, const struct pool_member *m, enum pool_mode mode,
	struct vs_table *wanted)
{
	bool used = member_in(m) || (mode == POOL_OPENED && m->admin == POOL_ENABLED);
	bool serves = used && (mode == POOL_SERVING || mode == POOL_OPENED);
	uint32_t weight = serves ? member_kernel_weight(s, m, mode) : 0;
	struct vs_real *real;

	if ((!used && !member_lingers(s, m, mode)) || (weight == 0 && schedules_by(s, "dh")))
		return true;
	if (mode == POOL_ON_SORRY && endpoint_equal(&m->address, &s->sorry))
		return true;
	real = pool_real(s, &m->address, m->forwarding, wanted);
	if (!real)
		return false;
	real->upper_threshold = m->upper_threshold;
	real->lower_threshold = m->lower_threshold;
	real->weight = weight;
	return true;
}

static bool
any_quiesced(const struct vs_table *wanted, const struct vs_service *row)
{
	for (uint32_t i = 0; i < row->real_count; i++)
		if (wanted->reals[row->first_real + i].weight == 0)
			return true;
	return false;
}

bool
pool_append_as(const struct pool_service *service, enum pool_mode mode,
	const struct pool_member *members, size_t count, struct vs_table *wanted)
{
	struct vs_real *sorry;
	size_t services_before = wanted->service_count, reals_before = wanted->real_count;
	struct vs_service *row = vs_table_add_service(wanted, &service->service);
	bool room = row != NULL;

	if (room && row->persistence_s != 0)
		row->flags |= VS_PERSISTENT;
	if (room && mode == POOL_ON_SORRY) {
		sorry = pool_real(service, &service->sorry, service->sorry_forwarding, wanted);
		room = sorry != NULL;
		if (room)
			sorry->weight = shares_a_hash(service) ? WEIGHT_MAX : 1; /* soon found */
	}
	for (size_t i = 0; i < count && room; i++)
		room = pool_append_member(service, &members[i], mode, wanted);
	if (room && shares_a_hash(service) && any_quiesced(wanted, row))
		row->flags |= VS_FALLBACK;
	if (!room) {
		wanted->service_count = services_before;
		wanted->real_count = reals_before;
	}
	return room;
}

bool
pool_append(const struct pool_service *service, const struct pool_member *members, size_t count,
	struct vs_table *wanted, struct pool_outcome *outcome)
{
	struct pool_outcome o = pool_judge(service, members, count);

	if (!pool_append_as(service, o.mode, members, count, wanted))
		return false;
	o.programmed = wanted->services[wanted->service_count - 1].real_count;
	if (outcome)
		*outcome = o;
	return true;
}

const char *
pool_mode_name(enum pool_mode mode)
{
	switch (mode) {
	case POOL_SERVING: return "serving";
	case POOL_ON_SORRY: return "sorry";
	case POOL_OPENED: return "fail-open";
	case POOL_REFUSING: return "refuse";
	}
	return "invalid";
}
