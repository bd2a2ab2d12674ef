/* A drain in one line: what is left, for how long, and who has been there for longest. See render.h. */
#include "control/render_internal.h"

static const char *
plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

/* "; longest: 192.0.2.7 for at least 5m 40s with 2 connections" */
static void
render_longest(FILE *to, const json_t *drain)
{
	const json_t *client = json_array_get(json_object_get(drain, "clients"), 0);
	int64_t connections = int_of(client, "connections");
	char age[32];

	if (!json_is_object(client))
		return;
	fputs("; longest: ", to);
	print_plain(to, text_of(client, "address"));
	fprintf(to, " for at least %s with %lld connection%s",
		render_duration(int_of(client, "age_s") * 1000, age), (long long)connections,
		plural(connections));
	if (int_of(client, "open") == 0)
		fputs(", ending", to);
}

void
render_drain(FILE *to, const json_t *server)
{
	const json_t *drain = json_object_get(server, "drain");
	int64_t left = int_of(drain, "connections"), clients = int_of(drain, "clients_total");
	bool partial = is_true(drain, "partial");
	char eta[32];

	if (!json_is_object(drain))
		return;
	fputs("  ", to);
	print_plain(to, text_of(server, "name"));
	if (left <= 0) {
		fputs(" has no connections left\n", to);
		return;
	}
	fprintf(to, " has %lld connection%s", (long long)left, plural(left));
	if (clients > 0)
		fprintf(to, " of %s%lld client%s", partial ? "at least " : "", (long long)clients,
			plural(clients));
	fputs(" left", to);
	if (int_of(drain, "begun_with") >= left)
		fprintf(to, " of %lld", (long long)int_of(drain, "begun_with"));
	if (int_of(drain, "eta_ms") >= 0)
		fprintf(to, ", about %s to go", render_duration(int_of(drain, "eta_ms"), eta));
	render_longest(to, drain);
	fputs(partial ? " (not all connections could be looked at)\n" : "\n", to);
}
