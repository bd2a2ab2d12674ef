/*
 * Out of the connections of a look those that are new. See newest.h.
 *
 * The table tells no ages, but in how many seconds a connection will be forgotten: that begins at the
 * timeout of its state with each packet. Who has about the most of all in its state had a packet
 * within the last seconds; so has every new one.
 */
#include "linux/newest.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
	FOUND_MAX = 8192,
	SLOTS = 2 * FOUND_MAX,       /* a power of two */
	OTHERS_MAX = FOUND_MAX / 2,  /* a place for each handshake comes first */
	RECENT_S = 2,                /* of most states; the table tells whole seconds */
};

struct row {
	const char *name;
	enum sync_state state;
	uint32_t recent_s;
};
/* Who repeats a SYN does it after 1, 3 and 7 s. */
static const struct row rows[] = {
	{"SYN_RECV", SYNC_SYN_RECV, 8},
	{"ESTABLISHED", SYNC_ESTABLISHED, RECENT_S},
	{"FIN_WAIT", SYNC_FIN_WAIT, RECENT_S},
	{"CLOSE_WAIT", SYNC_CLOSE_WAIT, RECENT_S},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

struct newest {
	uint64_t found[SLOTS];       /* 0: free */
	size_t found_count, others;
	uint32_t most_s[ROWS];       /* until now */
	bool full;
	size_t service_count;
	struct newest_service services[];
};

struct newest *
newest_new(const struct newest_service *services, size_t count)
{
	struct newest *n = calloc(1, sizeof(*n) + count * sizeof(*services));

	if (!n)
		return NULL;
	memcpy(n->services, services, count * sizeof(*services));
	n->service_count = count;
	return n;
}

void
newest_free(struct newest *n)
{
	free(n);
}

void
newest_begin(struct newest *n)
{
	n->full = false;
}

bool
newest_is_full(const struct newest *n)
{
	return n->full;
}

static bool
is_served(const struct newest *n, const struct endpoint *at)
{
	for (size_t i = 0; i < n->service_count; i++) {
		const struct newest_service *s = &n->services[i];

		if (ip_addr_compare(&at->addr, &s->first) >= 0 &&
			ip_addr_compare(&at->addr, &s->last) <= 0 &&
			(s->port_high == 0 || (at->port >= s->port_low && at->port <= s->port_high)))
			return true;
	}
	return false;
}

static uint64_t
add_hash(uint64_t hash, const void *bytes, size_t size)
{
	for (const uint8_t *at = bytes; size > 0; at++, size--)
		hash = (hash ^ *at) * UINT64_C(1099511628211); /* FNV-1a */
	return hash;
}

static uint64_t
number_of(const struct ipvs_connection *c)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	hash = add_hash(hash, c->client.addr.bytes, sizeof(c->client.addr.bytes));
	hash = add_hash(hash, &c->client.port, sizeof(c->client.port));
	hash = add_hash(hash, c->way.service.addr.bytes, sizeof(c->way.service.addr.bytes));
	hash = add_hash(hash, &c->way.service.port, sizeof(c->way.service.port));
	return hash != 0 ? hash : 1;
}

/* False: it was found before, or there is no place to remember it. */
static bool
remember(struct newest *n, uint64_t number, bool handshake)
{
	size_t at = number % SLOTS;

	for (; n->found[at] != 0; at = (at + 1) % SLOTS)
		if (n->found[at] == number)
			return false;
	if (n->found_count == FOUND_MAX || (!handshake && n->others == OTHERS_MAX)) {
		n->full = true;
		return false;
	}
	n->found[at] = number;
	n->found_count++;
	n->others += !handshake;
	return true;
}

static size_t
row_of(const struct ipvs_connection *c)
{
	const char *state = ipvs_state_name(c->state);

	for (size_t i = 0; i < ROWS && c->way.protocol == IPPROTO_TCP; i++)
		if (strcmp(state, rows[i].name) == 0)
			return i;
	return ROWS;
}

static bool
is_recent(struct newest *n, size_t row, uint32_t left_s)
{
	if (left_s > n->most_s[row])
		n->most_s[row] = left_s;
	return left_s + rows[row].recent_s >= n->most_s[row];
}

bool
newest_take(struct newest *n, const struct ipvs_connection *c, struct sync_connection *out)
{
	size_t row = row_of(c);

	if (row == ROWS || !is_recent(n, row, c->expires_s) ||
		c->client.addr.family != c->way.server.addr.family ||
		!is_served(n, &c->way.service) ||
		!remember(n, number_of(c), rows[row].state == SYNC_SYN_RECV))
		return false;
	*out = (struct sync_connection){.client = c->client, .virtual = c->way.service,
		.real = c->way.server, .state = rows[row].state, .left_s = c->expires_s + 1};
	return true;
}
