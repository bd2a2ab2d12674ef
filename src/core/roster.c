/*
 * Connections carried from look to look. See roster.h. Both lists are sorted by client, so that
 * carrying over is one walk along both, and a client's connections stand together.
 */
#include "core/roster.h"

#include "core/rows.h"

enum { MISSES_MAX = 2 };
_Static_assert(sizeof(struct roster_row) <= ROWS_BYTES_MAX, "sorted as rows");

static int
by_client(const void *a, const void *b)
{
	const struct roster_row *x = a, *y = b;
	int order = ip_addr_compare(&x->client.addr, &y->client.addr);

	if (order != 0)
		return order;
	if (x->client.port != y->client.port)
		return x->client.port < y->client.port ? -1 : 1;
	return (x->way > y->way) - (x->way < y->way);
}

bool
roster_has_room(const struct roster *r, uint16_t place)
{
	return r->count < r->most && (place != WAYS_ELSEWHERE || r->elsewhere < r->most / 2);
}

void
roster_see(struct roster *r, const struct roster_row *row)
{
	r->rows[r->count++] = *row;
	r->elsewhere += row->place == WAYS_ELSEWHERE;
}

/* A table that changes while it is read may show a connection twice. */
static void
drop_doubles(struct roster *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->count; i++)
		if (kept == 0 || by_client(&r->rows[kept - 1], &r->rows[i]) != 0)
			r->rows[kept++] = r->rows[i];
		else
			r->elsewhere -= r->rows[i].place == WAYS_ELSEWHERE;
	r->count = kept;
}

static void
carry_row(struct roster_row *row, const struct roster_row *before)
{
	if (before->ending && !row->ending)
		return; /* the same port, used again */
	row->since = before->since;
}

static void
keep_missed(struct roster *r, const struct roster_row *row, size_t capacity)
{
	if (row->missed >= MISSES_MAX || r->count >= capacity || !roster_has_room(r, row->place))
		return;
	roster_see(r, row);
	r->rows[r->count - 1].missed++;
}

void
roster_carry(struct roster *r, const struct roster *before, size_t capacity)
{
	size_t seen, i = 0;

	rows_sort(r->rows, r->count, sizeof(*r->rows), by_client);
	drop_doubles(r);
	seen = r->count;
	for (size_t k = 0; k < before->count; k++) {
		int order = -1;

		while (i < seen && (order = by_client(&before->rows[k], &r->rows[i])) > 0)
			i++;
		if (i < seen && order == 0)
			carry_row(&r->rows[i], &before->rows[k]);
		else
			keep_missed(r, &before->rows[k], capacity);
	}
	rows_sort(r->rows, r->count, sizeof(*r->rows), by_client);
}

/* Is that connection the one to tell of, rather than the one known so far? */
static bool
is_longer(bool open, mono since, const struct roster_client *than)
{
	if (open != (than->open > 0))
		return open;
	return mono_before(since, than->since);
}

static void
add_row(struct roster_client *c, const struct roster_row *row)
{
	if (c->connections == 0 || is_longer(!row->ending, row->since, c)) {
		c->since = row->since;
		c->state = row->state;
		c->expires_s = row->expires_s;
	}
	c->connections++;
	c->open += !row->ending;
}

static bool
goes_before(const struct roster_client *a, const struct roster_client *b)
{
	if ((a->open > 0) != (b->open > 0) || a->since.ns != b->since.ns)
		return is_longer(a->open > 0, a->since, b);
	return a->connections > b->connections;
}

/* Into its place among those told so far. */
static size_t
insert(struct roster_client *out, size_t count, size_t capacity, const struct roster_client *c)
{
	size_t at = count;

	while (at > 0 && goes_before(c, &out[at - 1]))
		at--;
	if (at == capacity)
		return count;
	for (size_t i = count < capacity ? count : capacity - 1; i > at; i--)
		out[i] = out[i - 1];
	out[at] = *c;
	return count < capacity ? count + 1 : capacity;
}

size_t
roster_clients(const struct roster *r, uint16_t place, struct roster_client *out, size_t capacity,
	struct roster_sum *sum)
{
	size_t count = 0;

	*sum = (struct roster_sum){.clients = 0};
	for (size_t i = 0, next; i < r->count; i = next) {
		struct roster_client c = {.address = r->rows[i].client.addr};

		for (next = i; next < r->count &&
			ip_addr_equal(&r->rows[next].client.addr, &c.address); next++)
			if (r->rows[next].place == place && r->rows[next].missed == 0)
				add_row(&c, &r->rows[next]);
		if (c.connections == 0)
			continue;
		sum->clients++;
		sum->connections += c.connections;
		sum->open += c.open;
		count = insert(out, count, capacity, &c);
	}
	return count;
}
