/*
 * What is told of a drain: how many connections are left, how long they will take, and whose they are. To
 * whom drains a server in words, in the status as JSON.
 */
#include "proc/pool_process.h"

#include "linux/ipvs_connections.h"

#include <jansson.h>
#include <string.h>

enum { CLIENTS_SHOWN = 5 };

static const char *
plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static long long
age_s(const struct roster_client *c, mono now)
{
	return (long long)(mono_diff_ns(now, c->since) / NS_PER_S);
}

/* "  192.0.2.7 for at least 340 s: 2 connections, 1 of them ending" */
static void
answer_client(const struct roster_client *c, mono now, json_t *lines)
{
	char text[ADDR_TEXT], ending[48] = "";
	uint32_t closed = c->connections - c->open;

	if (closed == c->connections)
		snprintf(ending, sizeof(ending), ", ending");
	else if (closed > 0)
		snprintf(ending, sizeof(ending), ", %u of them ending", closed);
	answer_line(lines, "  %s for at least %lld s: %u connection%s%s",
		ip_addr_format(&c->address, text), age_s(c, now), c->connections,
		plural(c->connections), ending);
}

/* Those who have been there for longest. */
static void
answer_clients(const struct clients_told *told, mono now, json_t *lines)
{
	size_t shown = told->count < CLIENTS_SHOWN ? told->count : CLIENTS_SHOWN;

	if (told->error != 0) {
		answer_line(lines, "  whose they are cannot be read from /proc/net/ip_vs_conn: %s",
			strerror(-told->error));
		return;
	}
	for (size_t i = 0; i < shown; i++)
		answer_client(&told->clients[i], now, lines);
	if (told->sum.clients > shown)
		answer_line(lines, "  and %zu client%s more", told->sum.clients - shown,
			plural(told->sum.clients - shown));
	if (told->partial)
		answer_line(lines, "  the kernel has too many connections to look at all of them: "
			"there may be more clients, and some that have been there for longer");
}

void
drains_answer(const struct pool *p, uint32_t virtual_row, uint32_t row, uint32_t connections,
	json_t *lines)
{
	const struct conf_virtual *v = &p->config.virtuals[virtual_row];
	const char *name = p->config.reals[row].name;
	const struct override *r = overlay_find(&p->overlay, v->name, name);
	const struct clients_told *told = clients_of(p, v->name, name);
	int64_t eta_ns = drain_eta_ns(&p->targets[row].drain);
	char of[48] = "", eta[48] = "";
	mono now = mono_now();

	if (!r || r->admin != POOL_DRAINED) {
		answer_line(lines, "%s/%s: drained, and not any more", v->name, name);
		return;
	}
	if (connections == 0) {
		answer_line(lines, "%s/%s: drained, no connections", v->name, name);
		return;
	}
	if (told && told->sum.clients > 0)
		snprintf(of, sizeof(of), " of %s%u client%s", told->partial ? "at least " : "",
			told->sum.clients, plural(told->sum.clients));
	if (eta_ns > 0)
		snprintf(eta, sizeof(eta), ", about %lld s to go", (long long)(eta_ns / NS_PER_S + 1));
	answer_line(lines, "%s/%s: drained, %u connection%s%s left%s", v->name, name, connections,
		plural(connections), of, eta);
	if (r->drain_s != 0 && v->protocol != CONF_UDP)
		answer_line(lines, "  what is left in %lld s is cut", (long long)lasting_left_s(
			mono_add_ns(r->since, r->drain_s * NS_PER_S), now));
	if (told)
		answer_clients(told, now, lines);
}

static json_t *
client_json(const struct roster_client *c, mono now)
{
	char text[ADDR_TEXT];

	return json_pack("{s:s, s:I, s:I, s:I, s:s, s:I}",
		"address", ip_addr_format(&c->address, text),
		"connections", (json_int_t)c->connections, "open", (json_int_t)c->open,
		"age_s", (json_int_t)age_s(c, now), "state", ipvs_state_name(c->state),
		"expires_s", (json_int_t)c->expires_s);
}

void
drains_clients_json(const struct clients_told *told, mono now, json_t *drain)
{
	json_t *list = json_array();

	for (size_t i = 0; told && i < told->count; i++)
		json_array_append_new(list, client_json(&told->clients[i], now));
	json_object_set_new(drain, "clients", list);
	json_object_set_new(drain, "clients_total", told && told->error == 0
		? json_integer(told->sum.clients) : json_null());
	json_object_set_new(drain, "partial", told ? json_boolean(told->partial) : json_null());
	json_object_set_new(drain, "looked_ms", told
		? json_integer(mono_diff_ns(now, told->looked) / NS_PER_MS) : json_null());
	json_object_set_new(drain, "watched_s", told
		? json_integer(mono_diff_ns(now, told->first) / NS_PER_S) : json_null());
}
