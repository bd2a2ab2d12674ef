/* The agent group of a virtual server or real server: a probe besides the probe. */
#include "conf/bytes.h"
#include "conf/reader.h"

#include <string.h>

static void
set_defaults(struct conf_probe *p)
{
	const struct scope defaults = {.keys = &keys_agent};

	memset(p, 0, sizeof(*p));
	p->type = CONF_PROBE_AGENT;
	p->rise = p->fall = 1; /* what it says counts at once */
	p->interval_ms = scope_int(&defaults, "interval_ms");
	p->timeout_ms = scope_int(&defaults, "timeout_ms");
}

uint32_t
read_agent(struct reader *r, const struct scope *holder, uint32_t base)
{
	struct conf_probe p;
	struct scope s;

	if (!scope_member(holder, "agent"))
		return base;
	scope_open_member(&s, holder, "agent");
	if (r->out->probes[base].type == CONF_PROBE_AGENT)
		memcpy(&p, &r->out->probes[base], sizeof(p));
	else
		set_defaults(&p);
	if (scope_member(&s, "port"))
		p.port = (uint16_t)scope_int(&s, "port");
	else if (p.port == 0 && !config_setting_get_member(s.setting, "port"))
		scope_error(&s, s.setting, "port is missing");
	read_address(&s, &p);
	if (scope_member(&s, "send"))
		bytes_parse(scope_text(&s, "send"), &p.send);
	read_times(&s, &p.interval_ms, &p.timeout_ms);
	r->out->has_agents = true;
	return add_probe(r, &p);
}
