/* Overrides of real servers, and the configuration that they make. See pool_overlay.h. */
#include "proc/pool_overlay.h"

#include "conf/host.h"
#include "conf/pack.h"

#include <stdlib.h>
#include <string.h>

static int
compare(const struct override *row, const char *virtual, const char *real)
{
	int order = strcmp(row->virtual, virtual);

	return order != 0 ? order : strcmp(row->real, real);
}

/* The first row that does not stand before that server; count: there is none. */
static uint32_t
place_of(const struct overlay *o, const char *virtual, const char *real)
{
	uint32_t low = 0, high = o->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare(&o->rows[middle], virtual, real) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct override *
overlay_find(const struct overlay *o, const char *virtual, const char *real)
{
	uint32_t at = place_of(o, virtual, real);

	return at < o->count && compare(&o->rows[at], virtual, real) == 0 ? &o->rows[at] : NULL;
}

struct override *
overlay_get(struct overlay *o, const char *virtual, const char *real)
{
	uint32_t at = place_of(o, virtual, real);
	struct override *row = overlay_find(o, virtual, real), *grown;

	if (row || o->count == OVERLAY_MAX)
		return row;
	grown = reallocarray(o->rows, o->count + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	o->rows = grown;
	row = &o->rows[at];
	memmove(row + 1, row, (o->count++ - at) * sizeof(*row));
	memset(row, 0, sizeof(*row));
	memcpy(row->virtual, virtual, strnlen(virtual, LIMIT_NAME - 1));
	memcpy(row->real, real, strnlen(real, LIMIT_NAME - 1));
	row->weight = -1;
	row->until = MONO_NEVER;
	return row;
}

void
overlay_tidy(struct overlay *o)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < o->count; i++) {
		const struct override *r = &o->rows[i];

		if (r->admin != POOL_ENABLED || r->weight >= 0 || r->added || r->removed)
			o->rows[kept++] = *r;
	}
	o->count = kept;
}

static bool
is_removed(const struct overlay *o, const struct conf_virtual *v, const struct conf_real *real)
{
	const struct override *r = overlay_find(o, v->name, real->name);

	return r && r->removed;
}

bool
overlay_same_place(const struct config *c, const struct conf_real *real,
	const struct endpoint *address, const char *host)
{
	const struct conf_host *its = conf_real_host(c, real);

	if (!its || host[0] == '\0')
		return !its && host[0] == '\0' && endpoint_equal(&real->address, address);
	return strcmp(its->name, host) == 0 && real->address.port == address->port;
}

static bool
stands_there(const struct overlay *o, const struct config *c, const struct conf_virtual *v,
	const struct override *added)
{
	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		if (!is_removed(o, v, &c->reals[i]) && (strcmp(c->reals[i].name, added->real) == 0 ||
			overlay_same_place(c, &c->reals[i], &added->address, added->host)))
			return true;
	return false;
}

/* 1 + the row of that name; there is room for another one. */
static uint32_t
host_row(struct config *c, const struct conf_virtual *v, const char *name)
{
	uint8_t family = host_family(c, v);
	uint32_t row = 0;

	while (row < c->host_count &&
		(c->hosts[row].family != family || strcmp(c->hosts[row].name, name) != 0))
		row++;
	if (row == c->host_count) {
		memset(&c->hosts[row], 0, sizeof(*c->hosts));
		memcpy(c->hosts[row].name, name, LIMIT_HOST);
		c->hosts[row].family = family;
		c->hosts[row].resolve_s = v->resolve_s;
		c->host_count++;
	}
	return 1 + row;
}

static void
append_added(struct config *c, const struct conf_virtual *v, const struct override *r,
	struct conf_real *to)
{
	memset(to, 0, sizeof(*to));
	if (r->host[0] != '\0')
		to->host = host_row(c, v, r->host);
	memcpy(to->name, r->real, sizeof(to->name));
	to->address = r->address;
	to->weight = r->added_weight;
	to->probe = v->probe;
	to->agent = v->agent;
	to->forwarding = v->forwarding;
}

/* The real servers of one virtual server, from the base into `to`; how many. */
static uint32_t
merge_virtual(const struct overlay *o, const struct config *base, const struct conf_virtual *v,
	struct config *c, struct conf_real *to)
{
	uint32_t first = place_of(o, v->name, ""), count = 0;

	if (first == o->count || strcmp(o->rows[first].virtual, v->name) != 0) {
		if (v->real_count > 0)
			memcpy(to, base->reals + v->first_real, v->real_count * sizeof(*to));
		return v->real_count;
	}
	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		if (!is_removed(o, v, &base->reals[i]))
			to[count++] = base->reals[i];
	for (uint32_t i = first; i < o->count && strcmp(o->rows[i].virtual, v->name) == 0; i++)
		if (o->rows[i].added && !stands_there(o, base, v, &o->rows[i]))
			append_added(c, v, &o->rows[i], &to[count++]);
	return count;
}

/* For the names of servers that were added. */
static bool
add_room(struct config *c, uint32_t more)
{
	struct conf_host *hosts = more == 0 ? c->hosts
		: reallocarray(c->hosts, (size_t)c->host_count + more, sizeof(*hosts));

	if (hosts)
		c->hosts = hosts;
	return hosts;
}

static bool
lay_over(const struct overlay *o, const struct config *base, struct config *out)
{
	struct conf_real *reals = reallocarray(NULL, (size_t)base->real_count + o->count + 1,
		sizeof(*reals));
	struct config rest = *base; /* without them: they are copied below */
	uint32_t count = 0;

	rest.real_count = 0;
	if (!reals || !config_copy(&rest, out)) {
		free(reals);
		return false;
	}
	if (!add_room(out, o->count)) {
		free(reals);
		config_free(out);
		return false;
	}
	for (uint32_t i = 0; i < out->virtual_count; i++) {
		struct conf_virtual *v = &out->virtuals[i];
		uint32_t here = merge_virtual(o, base, &base->virtuals[i], out, reals + count);

		v->first_real = count;
		v->real_count = here;
		count += here;
	}
	free(out->reals);
	out->reals = reals;
	out->real_count = count;
	return true;
}

/* The servers of each virtual server behind those of the one before, and no others. */
static bool
reals_in_order(const struct config *c)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < c->virtual_count; i++) {
		if (c->virtuals[i].first_real != next)
			return false;
		next += c->virtuals[i].real_count;
	}
	return next == c->real_count;
}

bool
overlay_config(const struct overlay *o, const struct config *base, struct config *out)
{
	/* Names get addresses in place. */
	bool same = o->count == 0 && base->host_count == 0 && reals_in_order(base);

	return same ? config_share(base, out) : lay_over(o, base, out);
}

const char *
overlay_admin_name(enum pool_admin admin)
{
	switch (admin) {
	case POOL_ENABLED: return "enabled";
	case POOL_DRAINED: return "drained";
	case POOL_DISABLED: return "disabled";
	}
	return "invalid";
}
