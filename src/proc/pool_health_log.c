/* What the log says of those who are probed: verdicts, faults of our own, certificates that end. */
#include "proc/pool_process.h"

#include "conf/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400, SENT_MAX = 128 };

void
target_log_name(struct log_line *line, const struct config *c, uint32_t target)
{
	const struct conf_router *router;

	if (!target_is_track(c, target)) {
		log_line_text(line, "server", target_is_sorry(c, target) ? "sorry_server"
			: c->reals[target_real(c, target)].name);
		log_line_text(line, "virtual", c->virtuals[target_virtual(c, target)].name);
		return;
	}
	router = tracks_router(c, target - c->real_count);
	log_line_text(line, "probe", target_track(c, target)->name);
	if (router)
		log_line_text(line, "router", router->name);
}

/* What the server was asked, for who looks at what it answered. */
static void
log_sent(struct log_line *line, const struct conf_probe *probe)
{
	char text[LIMIT_PATH + 32];
	size_t length = 0;

	if (!probe)
		return;
	switch ((enum conf_probe_type)probe->type) {
	case CONF_PROBE_HTTP:
	case CONF_PROBE_HTTPS:
		snprintf(text, sizeof(text), "%s %s HTTP/%s", words_method[probe->method],
			probe->path, words_http_version[probe->http_version]);
		length = strlen(text);
		break;
	case CONF_PROBE_DNS:
		snprintf(text, sizeof(text), "%s %s", words_query_type[probe->query_type],
			probe->query);
		length = strlen(text);
		break;
	case CONF_PROBE_TCP:
	case CONF_PROBE_AGENT:
	case CONF_PROBE_UDP:
		length = probe->send.length < SENT_MAX ? probe->send.length : SENT_MAX;
		memcpy(text, probe->send.bytes, length);
		break;
	case CONF_PROBE_EXEC:
		length = strlen(conf_word(&probe->command, 0));
		memcpy(text, probe->command.text, length < SENT_MAX ? length : SENT_MAX);
		break;
	case CONF_PROBE_ALL:
	case CONF_PROBE_ANY:
	case CONF_PROBE_ICMP:
	case CONF_PROBE_NONE:
		break;
	}
	if (length > 0)
		log_line_bytes(line, "sent", text, length < SENT_MAX ? length : SENT_MAX);
}

/* The virtual address that the real server was asked for. */
static void
log_data_path(struct log_line *line, const struct conf_probe *probe)
{
	char text[ADDR_TEXT];

	if (probe && probe->data_path)
		log_line_text(line, "data_path", ip_addr_format(&probe->through, text));
}

/* From the second fall on; how long it is held back. */
static void
log_flap(struct log_line *line, const struct pool *p, uint32_t target)
{
	uint32_t falls = flaps_count(p, target);

	if (falls > 1)
		log_line_int(line, "falls", falls);
	if (flaps_left_ns(p, target) >= 0)
		log_line_ms(line, "held_ms", flaps_left_ns(p, target));
}

void
target_log_verdict(struct pool *p, uint32_t target, enum health_verdict before)
{
	const struct pool_target *t = &p->targets[target];
	struct endpoint address = target_is_sorry(&p->config, target)
		? p->config.virtuals[target_virtual(&p->config, target)].sorry
		: p->config.reals[target_real(&p->config, target)].address;
	const struct conf_probe *asked = target_probe(&p->config, t->member == 0 ? target
		: member_target(&p->config, target, t->member - 1u));
	struct log_line line;

	log_line_begin(&line, target_is_agent(&p->config, target) ? "agent" : "server");
	target_log_name(&line, &p->config, target);
	log_line_text(&line, "from", health_name(before));
	log_line_text(&line, "to", health_name(t->verdict));
	log_line_reason(&line, t->held ? REASON_HELD : t->reason);
	log_line_int(&line, "detail", t->detail);
	if (t->member != 0)
		log_line_int(&line, "member", t->member);
	log_line_endpoint(&line, "address", &address);
	log_data_path(&line, asked);
	log_flap(&line, p, target);
	if (t->connect_ns >= 0)
		log_line_ms(&line, "connect_ms", t->connect_ns);
	if (t->answer_ns >= 0)
		log_line_ms(&line, "first_byte_ms", t->answer_ns);
	log_sent(&line, asked);
	if (t->evidence[0] != '\0')
		log_line_bytes(&line, "evidence", t->evidence, strlen(t->evidence));
	log_emit(&p->child->log,
		t->verdict == HEALTH_DOWN ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, &line);
}

/* What an operator can do about a fault of this node; NULL: nothing that is known here. */
static const char *
advice_on(int error, const struct conf_probe *probe)
{
	static const struct {
		int error;
		const char *advice;
	} rows[] = {
		{ENETUNREACH, "no route of this node leads there: see ip route get"},
		{EHOSTUNREACH, "a route of type unreachable leads there: see ip route get"},
		{EACCES, "a route of type prohibit leads there: see ip route get"},
		{EINVAL, "a route of type blackhole leads there: see ip route get"},
		{EPERM, "a firewall rule of this node drops the probe: see its output chain"},
		{EADDRINUSE, "every local port is taken: widen net.ipv4.ip_local_port_range"},
		{EADDRNOTAVAIL, "this node has no such address to ask from: see ip address"},
		{EMFILE, "too few descriptors: raise LimitNOFILE"},
		{ENFILE, "too few descriptors: raise fs.file-max"},
	};

	if (!probe || probe->type == CONF_PROBE_EXEC)
		return NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].error == error)
			return rows[i].advice;
	return NULL;
}

void
target_log_local_error(struct pool *p, uint32_t target)
{
	const struct conf_probe *probe = target_probe(&p->config, target);
	const struct pool_target *t = &p->targets[target];
	const char *advice = advice_on(t->detail, probe);
	char text[ADDR_TEXT];
	struct log_line line;
	uint64_t held_back;

	p->local_errors++;
	if (!log_limit_allow(&p->local_limit, mono_now(), &held_back))
		return;
	log_line_begin(&line, "probe");
	target_log_name(&line, &p->config, target);
	log_line_reason(&line, REASON_LOCAL_ERROR);
	log_line_int(&line, "detail", t->detail);
	log_line_text(&line, "error", strerror(t->detail));
	if (probe && probe->source[p->child->node].family != IP_NONE)
		log_line_text(&line, "source", ip_addr_format(&probe->source[p->child->node], text));
	if (advice)
		log_line_text(&line, "advice", advice);
	log_line_int(&line, "suppressed", (int64_t)held_back);
	log_emit(&p->child->log, LOG_LEVEL_WARNING, &line);
}

void
target_log_no_result(struct pool *p, uint32_t target, uint32_t prober, int64_t silent_ns)
{
	struct log_line line;
	uint64_t held_back;

	p->no_results++;
	if (!log_limit_allow(&p->overdue_limit, mono_now(), &held_back))
		return;
	log_line_begin(&line, "probe");
	target_log_name(&line, &p->config, target);
	log_line_reason(&line, REASON_NO_RESULT);
	log_line_ms(&line, "silent_ms", silent_ns);
	log_line_int(&line, "prober", prober);
	log_line_int(&line, "suppressed", (int64_t)held_back);
	log_emit(&p->child->log, LOG_LEVEL_WARNING, &line);
}

/* Once a day, as long as it is so: a certificate does not renew itself. */
void
target_warn_of_expiry(struct pool *p, uint32_t target)
{
	const struct conf_probe *probe = target_probe(&p->config, target);
	struct pool_target *t = &p->targets[target];
	int64_t left_s = t->expires_s - time(NULL);
	struct log_line line;

	if (!probe || t->expires_s == INT64_MAX || left_s >= (int64_t)probe->expiry_warning_days * DAY_S)
		t->warned = MONO_NEVER;
	else if (mono_is_never(t->warned) ||
		mono_diff_ns(mono_now(), t->warned) >= DAY_S * NS_PER_S) {
		t->warned = mono_now();
		log_line_begin(&line, "certificate");
		target_log_name(&line, &p->config, target);
		log_line_reason(&line, left_s > 0 ? REASON_TLS_EXPIRES : REASON_TLS_EXPIRED);
		log_line_int(&line, "days_left", left_s / DAY_S);
		log_emit(&p->child->log, LOG_LEVEL_WARNING, &line);
	}
}
