/*
 * The diff of two tables. See plan.h.
 *
 * A row that stands in the wanted table twice counts once: the first one.
 */
#include "core/plan.h"

#include <string.h>

struct plan {
	const struct vs_table *wanted, *actual;
	struct plan_op *ops;
	size_t count, capacity;
	bool whole;
};

/* The operations on the real servers of one service, in the order that keeps it serving. */
enum pass { PASS_SERVING, PASS_QUIET };

static void
plan_emit(struct plan *p, enum plan_kind kind, const struct vs_service *service,
	const struct vs_real *real, uint32_t connections)
{
	struct plan_op *op;

	if (p->count >= p->capacity) {
		p->whole = false;
		return;
	}
	op = &p->ops[p->count++];
	*op = (struct plan_op){.kind = kind, .service = *service, .connections = connections};
	if (real)
		op->real = *real;
}

static uint32_t
real_connections(const struct vs_real *real)
{
	return real->active_connections + real->inactive_connections;
}

static uint32_t
service_connections(const struct vs_table *t, const struct vs_service *service)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < service->real_count; i++)
		sum += real_connections(&t->reals[service->first_real + i]);
	return sum;
}

static bool
netmask_whole(const struct ip_addr *mask)
{
	for (size_t i = 0; i < ip_addr_size(mask); i++)
		if (mask->bytes[i] != 0xff)
			return false;
	return true;
}

static bool
netmask_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return ip_addr_equal(a, b) || (netmask_whole(a) && netmask_whole(b));
}

static bool
service_equal(const struct vs_service *a, const struct vs_service *b)
{
	return strncmp(a->scheduler, b->scheduler, sizeof(a->scheduler)) == 0 &&
		strncmp(a->engine, b->engine, sizeof(a->engine)) == 0 &&
		((a->flags ^ b->flags) & ~(uint32_t)VS_HASHED) == 0 &&
		a->persistence_s == b->persistence_s && netmask_equal(&a->netmask, &b->netmask);
}

static bool
real_equal(const struct vs_real *a, const struct vs_real *b)
{
	bool same_tunnel = a->forwarding != VS_TUNNEL ||
		(a->tunnel == b->tunnel && a->tunnel_port == b->tunnel_port &&
			a->tunnel_checksum == b->tunnel_checksum);

	return a->forwarding == b->forwarding && same_tunnel && a->weight == b->weight &&
		a->upper_threshold == b->upper_threshold &&
		a->lower_threshold == b->lower_threshold;
}

/* Two sorted tables are mostly the same: the row that stands at the same place comes first. */
static const struct vs_real *
find_near(const struct vs_table *t, const struct vs_service *service, uint32_t place,
	const struct endpoint *address)
{
	if (t->sorted && place < service->real_count) {
		const struct vs_real *row = &t->reals[service->first_real + place];

		if (endpoint_equal(&row->address, address) &&
			(place == 0 || !endpoint_equal(&row[-1].address, address)))
			return row;
	}
	return vs_table_find_real(t, service, address);
}

static void
plan_reals_in(struct plan *p, const struct vs_service *wanted, const struct vs_service *actual,
	enum pass pass)
{
	for (uint32_t i = 0; i < wanted->real_count; i++) {
		const struct vs_real *real = &p->wanted->reals[wanted->first_real + i];
		const struct vs_real *is;

		if ((real->weight == 0) != (pass == PASS_QUIET) ||
			find_near(p->wanted, wanted, i, &real->address) != real)
			continue;
		is = actual ? find_near(p->actual, actual, i, &real->address) : NULL;
		if (!is)
			plan_emit(p, PLAN_ADD_REAL, wanted, real, 0);
		else if (!real_equal(real, is))
			plan_emit(p, PLAN_SET_REAL, wanted, real, real_connections(is));
	}
}

static void
plan_reals_out(struct plan *p, const struct vs_service *wanted, const struct vs_service *actual)
{
	for (uint32_t i = 0; i < actual->real_count; i++) {
		const struct vs_real *real = &p->actual->reals[actual->first_real + i];

		if (!find_near(p->wanted, wanted, i, &real->address))
			plan_emit(p, PLAN_DEL_REAL, actual, real, real_connections(real));
	}
}

/* As find_near(), of services. */
static const struct vs_service *
find_service_near(const struct vs_table *t, size_t place, const struct vs_key *key)
{
	if (t->sorted && place < t->service_count) {
		const struct vs_service *row = &t->services[place];

		if (vs_key_equal(&row->key, key) && (place == 0 || !vs_key_equal(&row[-1].key, key)))
			return row;
	}
	return vs_table_find(t, key);
}

/* Row by row the same: then nothing is to be done, in whatever order they stand. */
static bool
reals_equal(const struct plan *p, const struct vs_service *wanted, const struct vs_service *actual)
{
	const struct vs_real *a = &p->wanted->reals[wanted->first_real];
	const struct vs_real *b = &p->actual->reals[actual->first_real];

	if (wanted->real_count != actual->real_count)
		return false;
	for (uint32_t i = 0; i < wanted->real_count; i++)
		if (!endpoint_equal(&a[i].address, &b[i].address) || !real_equal(&a[i], &b[i]))
			return false;
	return true;
}

static void
plan_service(struct plan *p, size_t place)
{
	const struct vs_service *wanted = &p->wanted->services[place];
	const struct vs_service *actual = find_service_near(p->actual, place, &wanted->key);

	if (find_service_near(p->wanted, place, &wanted->key) != wanted)
		return;
	if (!actual)
		plan_emit(p, PLAN_ADD_SERVICE, wanted, NULL, 0);
	else if (!service_equal(wanted, actual))
		plan_emit(p, PLAN_SET_SERVICE, wanted, NULL,
			service_connections(p->actual, actual));
	if (actual && reals_equal(p, wanted, actual))
		return;
	plan_reals_in(p, wanted, actual, PASS_SERVING);
	plan_reals_in(p, wanted, actual, PASS_QUIET);
	if (actual)
		plan_reals_out(p, wanted, actual);
}

static bool
keys_sorted(const struct vs_key *keys, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (vs_key_compare(&keys[i - 1], &keys[i]) > 0)
			return false;
	return true;
}

size_t
plan_diff(const struct vs_table *wanted, const struct vs_table *actual,
	const struct vs_key *owned, size_t owned_count, struct plan_op *out, size_t capacity,
	bool *whole)
{
	struct plan p = {.wanted = wanted, .actual = actual, .ops = out, .capacity = capacity,
		.whole = true};
	bool sorted = keys_sorted(owned, owned_count);

	for (size_t i = 0; i < wanted->service_count && p.whole; i++)
		plan_service(&p, i);
	for (size_t i = 0; i < actual->service_count && p.whole; i++) {
		const struct vs_service *service = &actual->services[i];

		if (!find_service_near(wanted, i, &service->key) &&
			vs_keys_contain(owned, owned_count, sorted, &service->key))
			plan_emit(&p, PLAN_DEL_SERVICE, service, NULL,
				service_connections(actual, service));
	}
	*whole = p.whole;
	return p.count;
}

static void
patch_service(struct vs_service *row, const struct vs_service *wanted)
{
	struct vs_service fresh = *wanted;

	fresh.first_real = row->first_real;
	fresh.real_count = row->real_count;
	*row = fresh;
}

static void
patch_real(struct vs_real *row, const struct vs_real *wanted)
{
	struct vs_real fresh = *wanted;

	fresh.active_connections = row->active_connections;
	fresh.inactive_connections = row->inactive_connections;
	fresh.persistent_connections = row->persistent_connections;
	fresh.connections = row->connections;
	fresh.in_packets = row->in_packets;
	fresh.out_packets = row->out_packets;
	fresh.in_bytes = row->in_bytes;
	fresh.out_bytes = row->out_bytes;
	*row = fresh;
}

static bool
patch_reals(struct vs_table *t, struct vs_service *service, const struct plan_op *op)
{
	const struct vs_real *found = vs_table_find_real(t, service, &op->real.address);
	size_t at = found ? (size_t)(found - t->reals) : 0;
	size_t behind = service->first_real + service->real_count - at - 1;

	if (!found)
		return false;
	if (op->kind == PLAN_SET_REAL) {
		patch_real(&t->reals[at], &op->real);
		return true;
	}
	memmove(&t->reals[at], &t->reals[at + 1], behind * sizeof(*t->reals));
	service->real_count--;
	return true;
}

bool
plan_patch(struct vs_table *actual, const struct plan_op *op)
{
	const struct vs_service *found = vs_table_find(actual, &op->service.key);
	size_t at = found ? (size_t)(found - actual->services) : 0;

	if (!found)
		return false;
	switch (op->kind) {
	case PLAN_SET_SERVICE:
		patch_service(&actual->services[at], &op->service);
		return true;
	case PLAN_DEL_SERVICE:
		actual->service_count--;
		memmove(&actual->services[at], &actual->services[at + 1],
			(actual->service_count - at) * sizeof(*actual->services));
		return true;
	case PLAN_SET_REAL:
	case PLAN_DEL_REAL: return patch_reals(actual, &actual->services[at], op);
	case PLAN_ADD_SERVICE:
	case PLAN_ADD_REAL: break;
	}
	return false;
}

const char *
plan_kind_name(enum plan_kind kind)
{
	switch (kind) {
	case PLAN_ADD_SERVICE: return "add-service";
	case PLAN_SET_SERVICE: return "set-service";
	case PLAN_DEL_SERVICE: return "del-service";
	case PLAN_ADD_REAL: return "add-real";
	case PLAN_SET_REAL: return "set-real";
	case PLAN_DEL_REAL: return "del-real";
	}
	return "invalid";
}
