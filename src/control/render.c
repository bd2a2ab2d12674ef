/* The status for people. See render.h. */
#include "control/render_internal.h"

#include "base/addr.h"
#include "base/reason.h"
#include "control/table.h"

#include <string.h>
#include <time.h>

const char *
render_duration(int64_t ms, char out[32])
{
	long long s = ms / 1000;

	if (ms < 0)
		snprintf(out, 32, "never");
	else if (ms < 10000)
		snprintf(out, 32, "%.2f s", (double)ms / 1000.);
	else if (s < 60)
		snprintf(out, 32, "%lld s", s);
	else if (s < 3600)
		snprintf(out, 32, "%lldm %llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, 32, "%lldh %lldm", s / 3600, s % 3600 / 60);
	else
		snprintf(out, 32, "%lldd %lldh", s / 86400, s % 86400 / 3600);
	return out;
}

const char *
render_reason(const char *tag)
{
	for (int i = 0; i < REASON_COUNT; i++)
		if (strcmp(reason_tag((enum reason)i), tag) == 0)
			return reason_sentence((enum reason)i);
	return tag;
}

static enum table_colour
colour_of(const char *word)
{
	static const struct {
		const char *word;
		enum table_colour colour;
	} colours[] = {
		{"active", TABLE_GOOD}, {"fault", TABLE_BAD}, {"init", TABLE_WARN},
		{"up", TABLE_GOOD}, {"down", TABLE_BAD}, {"lost", TABLE_BAD},
		{"unknown", TABLE_WARN}, {"drained", TABLE_WARN}, {"disabled", TABLE_WARN},
	};

	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strcmp(colours[i].word, word) == 0)
			return colours[i].colour;
	return TABLE_PLAIN;
}

static void
set_text(struct table *t, size_t column, const json_t *object, const char *key)
{
	const char *text = text_of(object, key);

	table_set(t, column, colour_of(text), "%s", text);
}

static void
set_int(struct table *t, size_t column, const json_t *object, const char *key)
{
	int64_t value = int_of(object, key);

	if (value < 0)
		table_set(t, column, TABLE_PLAIN, "-");
	else
		table_set(t, column, TABLE_PLAIN, "%lld", (long long)value);
}

static const char *
path_word(const json_t *link)
{
	if (is_true(link, "up"))
		return " up";
	if (is_true(link, "in"))
		return " one-way: it does not hear us";
	return is_true(link, "out") ? " one-way: we do not hear it" : " silent";
}

static void
render_peer(FILE *to, const json_t *peer, bool colour)
{
	const char *state = text_of(peer, "state");
	enum table_colour c = colour_of(state);
	const json_t *link;
	char age[32];
	size_t i;

	if (strcmp(state, "none") == 0) {
		fputs("Peer: none configured\n", to);
		return;
	}
	fputs("Peer: ", to);
	print_plain(to, text_of(peer, "name"));
	fprintf(to, " %s", table_colour_on(c, colour));
	print_plain(to, state);
	fprintf(to, "%s, last heard %s%s", table_colour_off(c, colour),
		render_duration(int_of(peer, "last_heard_ms"), age),
		int_of(peer, "last_heard_ms") < 0 ? "" : " ago");
	json_array_foreach(json_object_get(peer, "links"), i, link) {
		fputs(i == 0 ? " (" : ", ", to);
		print_plain(to, text_of(link, "name"));
		fputs(path_word(link), to);
	}
	fputs(json_array_size(json_object_get(peer, "links")) > 0 ? ")" : "", to);
	fputs(strcmp(state, "unknown") == 0 ? "; a plain VRRP standby is silent\n" : "\n", to);
}

static void
set_addresses(struct table *t, size_t column, const json_t *router)
{
	const json_t *list = json_object_get(router, "addresses");
	size_t n = json_array_size(list);
	const char *first = json_string_value(json_array_get(list, 0));
	const char *second = json_string_value(json_array_get(list, 1));
	size_t blocks = json_array_size(json_object_get(router, "blocks"));
	const char *block = json_string_value(json_array_get(json_object_get(router, "blocks"), 0));
	char more[ADDR_TEXT + 32] = "";

	if (blocks == 1)
		snprintf(more, sizeof(more), " + block %s", block ? block : "-");
	else if (blocks > 1)
		snprintf(more, sizeof(more), " + %zu blocks", blocks);
	if (n > 2)
		table_set(t, column, TABLE_PLAIN, "%s and %zu more%s", first ? first : "-", n - 1, more);
	else
		table_set(t, column, TABLE_PLAIN, "%s%s%s%s", first ? first : "-", n == 2 ? ", " : "",
			n == 2 && second ? second : "", more);
}

static void
render_routers(FILE *to, const json_t *routers, bool colour)
{
	static const char *const heading[] = {"ROUTER", "VRID", "ROLE", "SINCE", "PRIORITY",
		"STANDBY", "ADDRESSES", "REASON"};
	const json_t *r;
	struct table t;
	char age[32];
	size_t i;

	table_begin(&t, heading, sizeof(heading) / sizeof(heading[0]));
	t.right[1] = t.right[4] = true;
	json_array_foreach(routers, i, r) {
		table_row(&t);
		table_set(&t, 0, TABLE_PLAIN, "%s", text_of(r, "name"));
		set_int(&t, 1, r, "vrid");
		set_text(&t, 2, r, "role");
		table_set(&t, 3, TABLE_PLAIN, "%s", render_duration(int_of(r, "since_ms"), age));
		set_int(&t, 4, r, "priority");
		table_set(&t, 5, TABLE_PLAIN, "%s", text_of(r, "standby"));
		set_addresses(&t, 6, r);
		table_set(&t, 7, TABLE_PLAIN, "%s%s%s%s", render_reason(text_of(r, "reason")),
			is_true(r, "hold") ? "; preemption is held off until the next failure" : "",
			int_of(r, "catching_up_ms") >= 0 ? "; it is learning the connections" : "",
			strcmp(text_of(r, "fence"), "egress") == 0 ? "; egress fence" : "");
	}
	table_end(&t, to, "", colour);
}

/* "web: script load is lost: a tracked script fails (exit 1); costs 60 of priority" */
static void
render_lost(FILE *to, const char *router, const json_t *track, bool colour)
{
	long long weight = json_integer_value(json_object_get(track, "weight"));
	const char *detail = text_of(track, "detail");

	fprintf(to, "%s", table_colour_on(TABLE_BAD, colour));
	print_plain(to, router);
	fputs(": ", to);
	print_plain(to, text_of(track, "kind"));
	fputc(' ', to);
	print_plain(to, text_of(track, "name"));
	fputs(" is lost: ", to);
	print_plain(to, render_reason(text_of(track, "reason")));
	if (detail[0] != '\0' && strcmp(detail, "-") != 0) {
		fputs(" (", to);
		print_plain(to, detail);
		fputc(')', to);
	}
	if (weight == 0)
		fputs("; this node is not fit without it", to);
	else
		fprintf(to, "; %s %lld of priority", weight < 0 ? "costs" : "would add",
			weight < 0 ? -weight : weight);
	fprintf(to, "%s\n", table_colour_off(TABLE_BAD, colour));
}

static void
render_tracks(FILE *to, const json_t *routers, bool colour)
{
	const json_t *r, *t;
	size_t i, k;

	json_array_foreach(routers, i, r)
		json_array_foreach(json_object_get(r, "track"), k, t)
			if (json_is_false(json_object_get(t, "up")))
				render_lost(to, text_of(r, "name"), t, colour);
}

/* Why a server is as it is: "the status is not an expected one (503)". */
static void
set_server_reason(struct table *t, size_t column, const json_t *server)
{
	const char *tag = text_of(server, "reason");
	long long detail = (long long)int_of(server, "detail");

	if (strcmp(tag, "none") == 0)
		table_set(t, column, TABLE_PLAIN, "%s",
			is_true(server, "probed") ? "no probe result yet" : "not probed");
	else if (strcmp(tag, "http-status") == 0 && detail > 0)
		table_set(t, column, TABLE_PLAIN, "%s (%lld)", render_reason(tag), detail);
	else
		table_set(t, column, TABLE_PLAIN, "%s", render_reason(tag));
}

/* "10.88.0.21:8080 (web1.example.net)"; the name alone while it stands for no address. */
static void
set_address(struct table *t, size_t column, const json_t *server)
{
	const char *host = json_string_value(json_object_get(server, "host"));

	if (host && strncmp(text_of(server, "address"), host, strlen(host)) != 0)
		table_set(t, column, TABLE_PLAIN, "%s (%s)", text_of(server, "address"), host);
	else
		table_set(t, column, TABLE_PLAIN, "%s", text_of(server, "address"));
}

static void
render_servers(FILE *to, const json_t *servers, bool colour)
{
	static const char *const heading[] = {"SERVER", "ADDRESS", "HEALTH", "SINCE", "WEIGHT",
		"IN KERNEL", "ACTIVE", "REASON"};
	const json_t *s;
	struct table t;
	char age[32];
	size_t i;

	table_begin(&t, heading, sizeof(heading) / sizeof(heading[0]));
	t.right[4] = t.right[5] = t.right[6] = true;
	json_array_foreach(servers, i, s) {
		table_row(&t);
		table_set(&t, 0, TABLE_PLAIN, "%s", text_of(s, "name"));
		set_address(&t, 1, s);
		set_text(&t, 2, s, "health");
		table_set(&t, 3, TABLE_PLAIN, "%s", render_duration(int_of(s, "since_ms"), age));
		set_int(&t, 4, s, "weight");
		if (is_true(s, "in_kernel"))
			set_int(&t, 5, s, "effective_weight");
		else
			table_set(&t, 5, TABLE_PLAIN, "-");
		set_int(&t, 6, s, "active_connections");
		set_server_reason(&t, 7, s);
	}
	table_end(&t, to, "  ", colour);
}

/* Agents that hold their server back, or that are not reached. */
static void
render_agents(FILE *to, const json_t *servers, bool colour)
{
	const json_t *s, *agent;
	size_t i;

	json_array_foreach(servers, i, s) {
		agent = json_object_get(s, "agent");
		if (json_is_false(json_object_get(agent, "reached")))
			fprintf(to, "  %sthe agent of %s is not reached: %s%s\n",
				table_colour_on(TABLE_WARN, colour), text_of(s, "name"),
				render_reason(text_of(agent, "reason")),
				table_colour_off(TABLE_WARN, colour));
		else if (json_is_string(json_object_get(agent, "effect")) &&
			strcmp(text_of(agent, "effect"), "none") != 0)
			fprintf(to, "  the agent of %s says: %s\n", text_of(s, "name"),
				text_of(agent, "said"));
	}
}

/* ", until 2026-11-21 16:20:00", of the operator's clock. */
static void
render_until(FILE *to, int64_t until_s)
{
	time_t at_s = (time_t)until_s;
	char stamp[32] = "";
	struct tm tm;

	if (until_s > 0 && localtime_r(&at_s, &tm))
		strftime(stamp, sizeof(stamp), ", until %Y-%m-%d %H:%M:%S", &tm);
	fputs(stamp, to);
}

static void
render_override(FILE *to, const json_t *server)
{
	const json_t *o = json_object_get(server, "override");
	const char *state = text_of(o, "state");

	if (is_true(o, "added")) {
		fputs("  an operator added ", to);
		print_plain(to, text_of(server, "name"));
		fputc('\n', to);
	}
	if (int_of(o, "weight") >= 0) {
		fputs("  an operator set the weight of ", to);
		print_plain(to, text_of(server, "name"));
		fprintf(to, " to %lld\n", (long long)int_of(o, "weight"));
	}
	if (json_is_object(o) && strcmp(state, "enabled") != 0) {
		fputs("  an operator has ", to);
		print_plain(to, text_of(server, "name"));
		fputc(' ', to);
		print_plain(to, state);
		render_until(to, int_of(o, "until_s"));
		fputc('\n', to);
	}
}

/* What operators changed at run time, which is in no file that anybody edits. */
static void
render_overrides(FILE *to, const json_t *v)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(v, "real_servers"), i, s) {
		render_override(to, s);
		render_drain(to, s);
	}
	json_array_foreach(json_object_get(v, "removed"), i, s) {
		fputs("  an operator removed ", to);
		print_plain(to, json_is_string(s) ? json_string_value(s) : "-");
		fputc('\n', to);
	}
}

/* Only when it is not what it should be. */
static void
render_mode(FILE *to, const json_t *v, bool colour)
{
	static const char *const modes[][2] = {
		{"sorry", "too few are healthy: the sorry server gets the connections"},
		{"fail-open", "too few are healthy: all of them are used, healthy or not"},
		{"refuse", "too few are healthy: clients are turned away"}};
	char age[32];

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(text_of(v, "mode"), modes[i][0]) == 0)
			fprintf(to, "  %s%s, for %s%s\n", table_colour_on(TABLE_BAD, colour),
				modes[i][1], render_duration(int_of(v, "mode_since_ms"), age),
				table_colour_off(TABLE_BAD, colour));
	if (strcmp(text_of(v, "sorry_reason"), reason_tag(REASON_ADDRESS_TAKEN)) == 0)
		fprintf(to, "  %sthe sorry server is not used: %s%s\n", table_colour_on(TABLE_WARN, colour),
			reason_sentence(REASON_ADDRESS_TAKEN), table_colour_off(TABLE_WARN, colour));
	if (strcmp(text_of(v, "sorry_health"), "down") == 0)
		fprintf(to, "  %sthe sorry server is down%s\n", table_colour_on(TABLE_WARN, colour),
			table_colour_off(TABLE_WARN, colour));
}

/* "  Connections survive a takeover by sync; the standby has not learnt all connections yet" */
static void
render_survival(FILE *to, const json_t *v, bool colour)
{
	const char *mode = text_of(v, "survival"), *why = text_of(v, "survival_reason");
	bool none = strcmp(mode, "none") == 0;
	enum table_colour c = none ? TABLE_WARN : TABLE_PLAIN;

	if (strcmp(mode, "-") == 0)
		return; /* a daemon that does not tell */
	fprintf(to, "  Connections %s%s", table_colour_on(c, colour),
		none ? "end in a takeover" : "survive a takeover by ");
	print_plain(to, none ? "" : mode);
	fputs(table_colour_off(c, colour), to);
	if (strcmp(why, "none") != 0) {
		fputs(none ? ": " : "; ", to);
		print_plain(to, render_reason(why));
	}
	fputc('\n', to);
}

static void
render_virtual(FILE *to, const json_t *v, bool colour)
{
	int64_t healthy = int_of(v, "healthy"), total = int_of(v, "total");
	bool programmed = is_true(v, "programmed"), served = is_true(v, "served");
	enum table_colour health = healthy == total ? TABLE_GOOD
		: healthy > 0 ? TABLE_WARN : TABLE_BAD;

	fputs("\nVirtual server ", to);
	print_plain(to, text_of(v, "name"));
	fputs(": ", to);
	print_plain(to, text_of(v, "listen"));
	fputc('/', to);
	print_plain(to, text_of(v, "protocol"));
	fputc(' ', to);
	print_plain(to, text_of(v, "scheduler"));
	fputc(' ', to);
	print_plain(to, text_of(v, "forwarding"));
	fputs(", router ", to);
	print_plain(to, text_of(v, "router"));
	if (!served)
		health = TABLE_PLAIN;
	fprintf(to, ", %s%lld of %lld healthy%s", table_colour_on(health, colour),
		(long long)healthy, (long long)total, table_colour_off(health, colour));
	if (programmed || !served)
		fputs(programmed ? ", in the kernel\n" : ", idle until needed (cold standby)\n", to);
	else
		fprintf(to, ", %sNOT in the kernel%s\n", table_colour_on(TABLE_BAD, colour),
			table_colour_off(TABLE_BAD, colour));
	render_mode(to, v, colour);
	render_survival(to, v, colour);
	render_servers(to, json_object_get(v, "real_servers"), colour);
	render_agents(to, json_object_get(v, "real_servers"), colour);
	render_overrides(to, v);
}

void
render_status(FILE *to, const json_t *status, bool colour)
{
	const json_t *virtuals = json_object_get(status, "virtual_servers"), *v;
	int64_t lost = int_of(status, "log_dropped");
	size_t i;

	fputs("Node: ", to);
	print_plain(to, text_of(status, "node"));
	if (text_of(status, "cluster")[0] != '\0') {
		fputs(" of cluster ", to);
		print_plain(to, text_of(status, "cluster"));
	}
	fputc('\n', to);
	render_peer(to, json_object_get(status, "peer"), colour);
	if (!is_true(json_object_get(status, "election"), "running"))
		fprintf(to, "%sThe election process does not run: what is shown of routers is old.%s\n",
			table_colour_on(TABLE_BAD, colour), table_colour_off(TABLE_BAD, colour));
	fputc('\n', to);
	render_routers(to, json_object_get(status, "routers"), colour);
	render_tracks(to, json_object_get(status, "routers"), colour);
	if (json_array_size(virtuals) > 0 && !is_true(status, "ip_vs"))
		fprintf(to, "\n%sThis kernel has no ip_vs, or refuses it: nothing is balanced.%s\n",
			table_colour_on(TABLE_BAD, colour), table_colour_off(TABLE_BAD, colour));
	json_array_foreach(virtuals, i, v)
		render_virtual(to, v, colour);
	if (lost > 0)
		fprintf(to, "\n%lld log lines were lost because the log did not take them.\n",
			(long long)lost);
}

void
render_event(FILE *to, const json_t *event, int64_t now_ms, bool colour)
{
	int64_t at_ms = now_ms - (int64_t)json_integer_value(json_object_get(event, "age_ms"));
	const char *level = text_of(event, "level");
	enum table_colour c = strcmp(level, "error") == 0 ? TABLE_BAD
		: strcmp(level, "warning") == 0 ? TABLE_WARN : TABLE_PLAIN;
	time_t at_s = (time_t)(at_ms / 1000);
	char stamp[32] = "";
	struct tm tm;

	if (localtime_r(&at_s, &tm))
		strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(to, "%s.%03d %s", stamp, (int)(at_ms % 1000), table_colour_on(c, colour));
	print_plain(to, level);
	fprintf(to, "%s ", table_colour_off(c, colour));
	print_plain(to, text_of(event, "line"));
	fputc('\n', to);
}
