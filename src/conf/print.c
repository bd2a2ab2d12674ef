/* The effective configuration as text. See print.h. */
#include "conf/print.h"
#include "conf/bytes.h"
#include "conf/host.h"
#include "conf/keys.h"
#include "conf/printer.h"

#include <string.h>

void
put_text(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		fputc(*text, to);
	}
	fputc('"', to);
}

void
put_key_text(FILE *to, const char *indent, const char *key, const char *text)
{
	fprintf(to, "%s%s = ", indent, key);
	put_text(to, text);
	fputs(";\n", to);
}

const char *
truth(bool value)
{
	return value ? "true" : "false";
}

static void
print_links(const struct config *c, FILE *to)
{
	char text[ADDR_TEXT];

	fputs("  links = (\n", to);
	for (uint32_t i = 0; i < c->link_count; i++) {
		const struct conf_link *link = &c->links[i];

		fprintf(to, "    { name = \"%s\"; interface = \"%s\";", link->name,
			link->interface);
		for (uint32_t n = 0; n < c->node_count; n++)
			fprintf(to, " %s = \"%s\";", c->nodes[n].name,
				ip_addr_format(&link->address[n], text));
		fprintf(to, " }%s\n", i + 1 < c->link_count ? "," : "");
	}
	fputs("  );\n", to);
}

static void
print_head(const struct config *c, FILE *to)
{
	char text[ADDR_TEXT];

	put_key_text(to, "", "cluster", c->cluster);
	fputs("nodes = (\n", to);
	for (uint32_t i = 0; i < c->node_count; i++)
		fprintf(to, "  { name = \"%s\"; address = \"%s\"; }%s\n", c->nodes[i].name,
			ip_addr_format(&c->nodes[i].address, text),
			i + 1 < c->node_count ? "," : "");
	fprintf(to, ");\nheartbeat = {\n  interval_ms = %u;\n  version = %u;\n"
		"  checksum = \"%s\";\n", c->interval_ms, c->version,
		words_checksum[c->checksum]);
	if (c->key_file[0] != '\0') {
		put_key_text(to, "  ", "key_file", c->key_file);
		put_key_text(to, "  ", "authentication", words_authentication[c->authentication]);
	}
	print_links(c, to);
	fputs("};\n", to);
}

static void
print_addresses(const struct config *c, const struct conf_router *r, FILE *to)
{
	char text[ADDR_TEXT];

	fputs("    addresses = (\n", to);
	for (uint32_t i = 0; i < r->address_count; i++) {
		const struct conf_address *a = &c->addresses[r->first_address + i];

		ip_prefix_format(&a->prefix, text);
		fprintf(to, "      { address = \"%s\"; interface = \"%s\"; }", text, a->interface);
		fputs(i + 1 < r->address_count ? ",\n" : "\n", to);
	}
	fputs("    );\n", to);
}

static void
print_blocks(const struct config *c, const struct conf_router *r, FILE *to)
{
	char text[ADDR_TEXT];

	fputs("    blocks = [", to);
	for (uint32_t i = 0; i < r->block_count; i++)
		fprintf(to, "%s\n      \"%s\"", i ? "," : "",
			ip_prefix_format(&c->blocks[r->first_block + i].prefix, text));
	fputs(r->block_count ? "\n    ];\n" : " ];\n", to);
}

static void
print_expect(const struct conf_probe *p, const char *indent, FILE *to)
{
	fprintf(to, "%sexpect = { status = \"", indent);
	for (uint32_t i = 0; i < p->status_count; i++) {
		fprintf(to, "%s%u", i ? "," : "", p->status[i].low);
		if (p->status[i].high != p->status[i].low)
			fprintf(to, "-%u", p->status[i].high);
	}
	fputs("\"; header = ", to);
	put_text(to, p->header);
	fputs("; body = ", to);
	put_text(to, p->body);
	fputs("; regex = ", to);
	put_text(to, p->regex);
	fputs("; json = {", to);
	if (p->has_json) {
		fputs(" pointer = ", to);
		put_text(to, p->json_pointer);
		fputs("; value = ", to);
		put_text(to, p->json_value);
		fputc(';', to);
	}
	fputs(" }; };\n", to);
}

static void
print_http(const struct conf_probe *p, const char *indent, FILE *to)
{
	const char *line = p->headers, *end;

	put_key_text(to, indent, "path", p->path);
	put_key_text(to, indent, "host", p->host);
	put_key_text(to, indent, "method", words_method[p->method]);
	put_key_text(to, indent, "version", words_http_version[p->http_version]);
	fprintf(to, "%sheaders = [", indent);
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		char text[LIMIT_PROBE_HEADERS];

		snprintf(text, sizeof(text), "%.*s", (int)(end - line), line);
		fputs(line == p->headers ? " " : ", ", to);
		put_text(to, text);
	}
	fprintf(to, " ];\n%skeep_alive = %s;\n%sbody = ", indent, truth(p->keep_alive), indent);
	bytes_print(&p->send, to);
	fputs(";\n", to);
	print_expect(p, indent, to);
}

static void
print_asking(uint32_t interval_ms, uint32_t timeout_ms, unsigned rise, unsigned fall,
	const char *indent, FILE *to)
{
	fprintf(to, "%sinterval_ms = %u;\n%stimeout_ms = %u;\n%srise = %u;\n%sfall = %u;\n", indent,
		interval_ms, indent, timeout_ms, indent, rise, indent, fall);
}

static void
print_dns(const struct conf_probe *p, const char *indent, FILE *to)
{
	put_key_text(to, indent, "query", p->query);
	put_key_text(to, indent, "query_type", words_query_type[p->query_type]);
	fprintf(to, "%sexpect = { rcode = \"%s\"; answer = ", indent, words_rcode[p->rcode]);
	bytes_print(&p->answer, to);
	fputs("; };\n", to);
}

static void
print_https(const struct conf_probe *p, const char *indent, FILE *to)
{
	put_key_text(to, indent, "sni", p->sni);
	fprintf(to, "%sverify = %s;\n", indent, truth(p->verify));
	if (p->verify)
		put_key_text(to, indent, "ca_file", p->ca_file);
	put_key_text(to, indent, "tls_min", words_tls[p->tls_min]);
	fprintf(to, "%sexpiry_warning_days = %u;\n%sexpiry_fail = %s;\n", indent,
		p->expiry_warning_days, indent, truth(p->expiry_fail));
}

static void
print_send(const struct conf_probe *p, const char *indent, FILE *to)
{
	fprintf(to, "%ssend = ", indent);
	bytes_print(&p->send, to);
	fputs(";\n", to);
}

static void
print_words(const struct conf_words *words, const char *indent, const char *key, FILE *to)
{
	fprintf(to, "%s%s = [", indent, key);
	for (unsigned i = 0; i < words->count; i++) {
		fputs(i ? ", " : " ", to);
		put_text(to, conf_word(words, i));
	}
	fputs(" ];\n", to);
}

static void
print_exec(const struct conf_probe *p, const char *indent, FILE *to)
{
	print_words(&p->command, indent, "command", to);
	print_words(&p->environment, indent, "environment", to);
	put_key_text(to, indent, "user", p->user);
	fprintf(to, "%sexit_weight = %s;\n", indent, truth(p->exit_weight));
}

static void
print_flap(const struct conf_probe *p, const char *indent, FILE *to)
{
	if (p->flap_window_s == 0)
		return; /* of a group's member: the server as a whole falls */
	fprintf(to, "%sflap_falls = %u;\n%sflap_window_s = %u;\n", indent, p->flap_falls, indent,
		p->flap_window_s);
	fprintf(to, "%sflap_hold_s = %u;\n%sflap_hold_max_s = %u;\n", indent, p->flap_hold_s, indent,
		p->flap_hold_max_s);
}

static void print_probe_keys(const struct config *c, const struct conf_probe *p, const char *indent,
	FILE *to);

static void
print_source(const struct config *c, const struct conf_probe *p, const char *indent, FILE *to)
{
	char text[ADDR_TEXT];

	fprintf(to, "%ssource = {", indent);
	for (uint32_t n = 0; n < c->node_count; n++)
		if (p->source[n].family != IP_NONE)
			fprintf(to, " %s = \"%s\";", c->nodes[n].name,
				ip_addr_format(&p->source[n], text));
	fputs(" };\n", to);
}

static void
print_members(const struct config *c, const struct conf_probe *p, const char *indent, FILE *to)
{
	char inner[32];

	snprintf(inner, sizeof(inner), "%s    ", indent);
	put_key_text(to, indent, "type", words_probe_type[p->type - CONF_PROBE_ICMP]);
	fprintf(to, "%sprobes = (\n", indent);
	for (uint8_t i = 0; i < p->member_count; i++) {
		fprintf(to, "%s  {\n", indent);
		print_probe_keys(c, &c->probes[p->members[i]], inner, to);
		fprintf(to, "%s  }%s\n", indent, i + 1 < p->member_count ? "," : "");
	}
	fprintf(to, "%s);\n", indent);
	print_flap(p, indent, to);
}

static void
print_place(const struct config *c, const struct conf_probe *p, const char *indent, FILE *to)
{
	char text[ADDR_TEXT];

	if (p->address_host != 0)
		put_key_text(to, indent, "address", conf_host(c, p->address_host)->name);
	else if (p->address.family != IP_NONE)
		put_key_text(to, indent, "address", ip_addr_format(&p->address, text));
}

static void
print_probe_keys(const struct config *c, const struct conf_probe *p, const char *indent, FILE *to)
{
	if (conf_probe_is_group(p)) {
		print_members(c, p, indent, to);
		return;
	}
	put_key_text(to, indent, "type", words_probe_type[p->type - CONF_PROBE_ICMP]);
	print_place(c, p, indent, to);
	if (p->port != 0)
		fprintf(to, "%sport = %u;\n", indent, p->port);
	if (p->type != CONF_PROBE_EXEC)
		print_source(c, p, indent, to);
	if (p->type != CONF_PROBE_EXEC)
		fprintf(to, "%smark = %u;\n", indent, p->mark);
	if (p->type == CONF_PROBE_TCP)
		fprintf(to, "%shalf_open = %s;\n%sdata_path = %s;\n", indent, truth(p->half_open),
			indent, truth(p->data_path));
	if (p->type == CONF_PROBE_TCP || p->type == CONF_PROBE_UDP) {
		print_send(p, indent, to);
		fprintf(to, "%sexpect = { answer = ", indent);
		bytes_print(&p->answer, to);
		fputs("; };\n", to);
	}
	if (p->type == CONF_PROBE_AGENT)
		print_send(p, indent, to);
	if (p->type == CONF_PROBE_EXEC)
		print_exec(p, indent, to);
	if (p->type == CONF_PROBE_DNS)
		print_dns(p, indent, to);
	if (p->type == CONF_PROBE_HTTP || p->type == CONF_PROBE_HTTPS) {
		print_http(p, indent, to);
	}
	if (p->type == CONF_PROBE_HTTPS)
		print_https(p, indent, to);
	print_asking(p->interval_ms, p->timeout_ms, p->rise, p->fall, indent, to);
	fprintf(to, "%sinterval_fast_ms = %u;\n%sinterval_down_ms = %u;\n", indent,
		p->interval_fast_ms, indent, p->interval_down_ms);
	fprintf(to, "%sspread_percent = %u;\n", indent, p->spread_percent);
	fprintf(to, "%srefusal_weight = %u;\n", indent, p->refusal_weight);
	print_flap(p, indent, to);
}

void
print_probe(const struct config *c, const struct conf_probe *p, const char *indent, FILE *to)
{
	char inner[16];

	if (p->type == CONF_PROBE_NONE)
		return; /* no probe is no group */
	snprintf(inner, sizeof(inner), "%s  ", indent);
	fprintf(to, "%sprobe = {\n", indent);
	print_probe_keys(c, p, inner, to);
	fprintf(to, "%s};\n", indent);
}

void
print_agent(const struct config *c, const struct conf_probe *p, const char *indent, FILE *to)
{
	char inner[16];

	if (p->type == CONF_PROBE_NONE)
		return;
	snprintf(inner, sizeof(inner), "%s  ", indent);
	fprintf(to, "%sagent = {\n", indent);
	fprintf(to, "%sport = %u;\n", inner, p->port);
	print_place(c, p, inner, to);
	print_send(p, inner, to);
	fprintf(to, "%sinterval_ms = %u;\n%stimeout_ms = %u;\n%s};\n", inner, p->interval_ms, inner,
		p->timeout_ms, indent);
}

static void
print_tracked(const struct config *c, const struct conf_track *t, const char *indent, FILE *to)
{
	char text[SERVER_TEXT];

	switch ((enum conf_track_kind)t->kind) {
	case CONF_TRACK_GATEWAY:
		put_key_text(to, indent, "address", t->name);
		print_asking(t->interval_ms, t->timeout_ms, t->rise, t->fall, indent, to);
		break;
	case CONF_TRACK_PROBE:
		put_key_text(to, indent, "name", t->name);
		put_key_text(to, indent, "address", server_format(c, &t->target, t->host, text));
		if (t->host != 0)
			fprintf(to, "%sresolve_s = %u;\n", indent, t->resolve_s);
		print_probe_keys(c, &c->probes[t->probe], indent, to);
		break;
	case CONF_TRACK_SCRIPT:
		put_key_text(to, indent, "name", t->name);
		put_key_text(to, indent, "command", t->script);
		print_asking(t->interval_ms, t->timeout_ms, t->rise, t->fall, indent, to);
		break;
	}
	if (t->weight != 0)
		fprintf(to, "%sweight = %d;\n", indent, t->weight);
	else
		put_key_text(to, indent, "fail", words_fail[0]);
}

static void
print_track_list(const struct config *c, const struct conf_router *r, enum conf_track_kind kind,
	FILE *to)
{
	static const char *const keys[] = {[CONF_TRACK_GATEWAY] = "gateways",
		[CONF_TRACK_PROBE] = "probes", [CONF_TRACK_SCRIPT] = "scripts"};
	int printed = 0;

	fprintf(to, "      %s = (", keys[kind]);
	for (uint32_t i = r->first_track; i < r->first_track + r->track_count; i++) {
		if (c->tracks[i].kind != kind)
			continue;
		fputs(printed++ ? ",\n        {\n" : "\n        {\n", to);
		print_tracked(c, &c->tracks[i], "          ", to);
		fputs("        }", to);
	}
	fputs(printed ? "\n      );\n" : " );\n", to);
}

static void
print_track(const struct config *c, const struct conf_router *r, FILE *to)
{
	fputs("    track = {\n      interfaces = [", to);
	for (uint32_t i = 0; i < r->tracked_count; i++)
		fprintf(to, "%s \"%s\"", i ? "," : "", r->tracked[i]);
	fputs(" ];\n", to);
	print_track_list(c, r, CONF_TRACK_GATEWAY, to);
	print_track_list(c, r, CONF_TRACK_PROBE, to);
	print_track_list(c, r, CONF_TRACK_SCRIPT, to);
	fputs("    };\n", to);
}

static void
print_router(const struct config *c, const struct conf_router *r, FILE *to)
{
	static const char *const hooks[CONF_HOOKS] = {"on_active", "on_backup", "on_fault"};

	put_key_text(to, "    ", "name", r->name);
	fprintf(to, "    vrid = %u;\n", r->vrid);
	put_key_text(to, "    ", "interface", r->interface);
	fputs("    priority = {", to);
	for (uint32_t i = 0; i < c->node_count; i++)
		fprintf(to, " %s = %u;", c->nodes[i].name, r->priority[i]);
	fprintf(to, " };\n    preempt = %s;\n    preempt_delay_ms = %u;\n", truth(r->preempt),
		r->preempt_delay_ms);
	put_key_text(to, "    ", "standby", words_standby[r->standby]);
	fprintf(to, "    lease_s = %u;\n", r->lease_s);
	put_key_text(to, "    ", "fence", words_fence[r->fence]);
	if (r->fence == CONF_FENCE_EGRESS)
		fprintf(to, "    fence_ms = %u;\n", r->fence_ms);
	fprintf(to, "    unicast = %s;\n", truth(r->unicast));
	print_addresses(c, r, to);
	print_blocks(c, r, to);
	fprintf(to, "    virtual_mac = %s;\n", truth(r->virtual_mac));
	if (r->group[0] != '\0')
		put_key_text(to, "    ", "group", r->group);
	print_track(c, r, to);
	for (int i = 0; i < CONF_HOOKS; i++)
		if (r->hook[i][0] != '\0')
			put_key_text(to, "    ", hooks[i], r->hook[i]);
}

void
config_print(const struct config *c, FILE *to)
{
	print_head(c, to);
	fputs("virtual_routers = (\n", to);
	for (uint32_t i = 0; i < c->router_count; i++) {
		fputs("  {\n", to);
		print_router(c, &c->routers[i], to);
		fputs(i + 1 < c->router_count ? "  },\n" : "  }\n", to);
	}
	fputs(");\nvirtual_servers = (\n", to);
	for (uint32_t i = 0; i < c->virtual_count; i++) {
		fputs("  {\n", to);
		print_virtual(c, &c->virtuals[i], to);
		fputs(i + 1 < c->virtual_count ? "  },\n" : "  }\n", to);
	}
	fputs(");\n", to);
	print_sync(&c->sync, to);
	fputs("control = { group = ", to);
	put_text(to, c->control_group);
	fprintf(to, "; };\nprobing = { probers = %u; };\n", c->probers);
	fprintf(to, "log = { facility = \"%s\"; level = \"%s\"; };\n", c->facility_name,
		log_level_name((enum log_level)c->log_level));
}
