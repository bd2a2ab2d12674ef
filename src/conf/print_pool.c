/* The part of virtual servers and connection sync of the effective configuration. See print.h. */
#include "conf/host.h"
#include "conf/keys.h"
#include "conf/listen.h"
#include "conf/printer.h"
#include "core/table.h"

static void
print_flags(const struct conf_virtual *v, FILE *to)
{
	int printed = 0;

	fputs("    scheduler_flags = [", to);
	for (int i = 0; words_scheduler_flag[i]; i++)
		if (conf_scheduler_flag_fits(i, v->scheduler) &&
			(v->scheduler_flags & conf_scheduler_flag_bit(i)))
			fprintf(to, "%s \"%s\"", printed++ ? "," : "", words_scheduler_flag[i]);
	fputs(" ];\n", to);
}

static void
print_listens(const struct config *c, const struct conf_virtual *v, FILE *to)
{
	char text[LISTEN_TEXT];

	if (v->fwmark != 0)
		fprintf(to, "    fwmark = %u;\n", v->fwmark);
	else if (v->listen_count == 1)
		put_key_text(to, "    ", "listen", listen_format(&c->listens[v->first_listen], text));
	else
		for (uint32_t i = 0; i < v->listen_count; i++)
			fprintf(to, "%s\n      \"%s\"%s", i ? "," : "    listen = [",
				listen_format(&c->listens[v->first_listen + i], text),
				i + 1 < v->listen_count ? "" : " ];\n");
}

static void
print_tunnel(const struct conf_virtual *v, FILE *to)
{
	fprintf(to, "    tunnel = { type = \"%s\";", words_tunnel[v->tunnel]);
	if (v->tunnel == VS_GUE)
		fprintf(to, " port = %u;", v->tunnel_port);
	fprintf(to, " checksum = \"%s\"; };\n", words_tunnel_checksum[v->tunnel_checksum]);
}

static void
print_reals(const struct config *c, const struct conf_virtual *v, FILE *to)
{
	char text[SERVER_TEXT];

	fputs("    real_servers = (\n", to);
	for (uint32_t i = 0; i < v->real_count; i++) {
		const struct conf_real *real = &c->reals[v->first_real + i];

		fprintf(to, "      { name = \"%s\"; address = \"%s\"; weight = %u;", real->name,
			server_format(c, &real->address, real->host, text), real->weight);
		fprintf(to, " upper_threshold = %u; lower_threshold = %u; forwarding = \"%s\";",
			real->upper_threshold, real->lower_threshold,
			words_forwarding[real->forwarding]);
		if (real->probe_overridden || real->agent_overridden)
			fputs("\n", to);
		if (real->probe_overridden)
			print_probe(c, &c->probes[real->probe], "        ", to);
		if (real->agent_overridden)
			print_agent(c, &c->probes[real->agent], "        ", to);
		fputs(real->probe_overridden || real->agent_overridden ? "      }" : " }", to);
		fputs(i + 1 < v->real_count ? ",\n" : "\n", to);
	}
	fputs("    );\n", to);
}

void
print_virtual(const struct config *c, const struct conf_virtual *v, FILE *to)
{
	char text[SERVER_TEXT];

	put_key_text(to, "    ", "name", v->name);
	put_key_text(to, "    ", "router", c->routers[v->router].name);
	print_listens(c, v, to);
	put_key_text(to, "    ", "protocol", conf_protocol_name(v->protocol));
	put_key_text(to, "    ", "scheduler", v->scheduler);
	print_flags(v, to);
	fprintf(to, "    one_packet = %s;\n", truth(v->one_packet));
	put_key_text(to, "    ", "forwarding", words_forwarding[v->forwarding]);
	print_tunnel(v, to);
	fprintf(to, "    persistence_s = %u;\n", v->persistence_s);
	put_key_text(to, "    ", "persistence_mask", ip_addr_format(&v->persistence_mask, text));
	if (v->engine[0] != '\0')
		put_key_text(to, "    ", "persistence_engine", v->engine);
	print_probe(c, &c->probes[v->probe], "    ", to);
	print_agent(c, &c->probes[v->agent], "    ", to);
	print_reals(c, v, to);
	fprintf(to, "    resolve_s = %u;\n", v->resolve_s);
	if (v->has_sorry)
		put_key_text(to, "    ", "sorry_server", server_format(c, &v->sorry, v->sorry_host, text));
	fprintf(to, "    min_healthy = %u;\n", v->min_healthy);
	put_key_text(to, "    ", "when_none_healthy", words_none_healthy[v->when_none_healthy]);
	put_key_text(to, "    ", "down", words_down[v->down]);
	fprintf(to, "    drain_s = %u;\n", v->drain_s);
	fprintf(to, "    slow_start_s = %u;\n", v->slow_start_s);
	put_key_text(to, "    ", "weighting", words_weighting[v->weighting]);
	fprintf(to, "    black_hole = %s;\n", v->black_hole ? "true" : "false");
	fprintf(to, "    correlated_hold_ms = %u;\n", v->correlated_hold_ms);
}

void
print_sync(const struct conf_sync *sync, FILE *to)
{
	char text[ADDR_TEXT];

	fprintf(to, "sync = {\n  enabled = %s;\n", truth(sync->enabled));
	if (sync->interface[0] != '\0')
		put_key_text(to, "  ", "interface", sync->interface);
	fprintf(to, "  id = %u;\n", sync->id);
	put_key_text(to, "  ", "group", ip_addr_format(&sync->group, text));
	fprintf(to, "  port = %u;\n  ttl = %u;\n  maxlen = %u;\n};\n", sync->port, sync->ttl,
		sync->maxlen);
}
