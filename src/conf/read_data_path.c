/*
 * Probes through the data path: which virtual address they ask for, and what may not be asked so.
 *
 * The key is one of a probe, but what it asks depends on the virtual server and on how packets get
 * to the real server. Both are written into the row, so that rows that ask the same are the same.
 */
#include "conf/reader.h"
#include "core/table.h"

#include <string.h>

static uint32_t
with_members(struct reader *r, struct conf_probe *group, const struct conf_virtual *v,
	uint8_t forwarding)
{
	for (uint8_t i = 0; i < group->member_count; i++)
		group->members[i] = data_path_row(r, group->members[i], v, forwarding);
	return add_probe(r, group);
}

uint32_t
data_path_row(struct reader *r, uint32_t row, const struct conf_virtual *v, uint8_t forwarding)
{
	struct conf_probe p;

	memcpy(&p, &r->out->probes[row], sizeof(p)); /* rows move when one is added */
	if (conf_probe_is_group(&p))
		return with_members(r, &p, v, forwarding);
	if (!p.data_path)
		return row;
	p.tunnelled = forwarding == CONF_FORWARD_TUNNEL;
	if (v->listen_count != 0)
		p.through = r->out->listens[v->first_listen].first;
	return add_probe(r, &p);
}

void
read_data_path(const struct scope *s, struct conf_probe *p)
{
	config_setting_t *at = scope_member(s, "data_path");

	if (at)
		p->data_path = scope_bool(s, "data_path");
	if (p->data_path && p->type != CONF_PROBE_TCP) {
		scope_error(s, at, "data_path is for type tcp only, since it ends before anything is "
			"said; a group of type all can have a probe of each");
		p->data_path = false;
	}
	if (p->data_path && s->keys == &keys_tracked_probe)
		scope_error(s, at, "data_path is for real servers only; remove it");
	else if (p->data_path && (p->send.length > 0 || p->answer.length > 0))
		scope_error(s, at ? at : s->setting, "data_path ends before anything is sent; remove send "
			"and expect, or set data_path = false");
	if (p->data_path && p->mark != 0)
		scope_error(s, at ? at : s->setting, "data_path goes to the real server whatever the "
			"routes are; set mark = 0, or data_path = false");
	if (p->data_path)
		return;
	p->tunnelled = false;
	p->through = (struct ip_addr){0};
}

/* Why that server cannot be asked so, or NULL. */
static const char *
obstacle(const struct conf_virtual *v, const struct conf_real *real, const struct conf_probe *p)
{
	if (real->forwarding == CONF_FORWARD_NAT)
		return "with forwarding nat the data path ends at the server's own address, which every "
			"other probe asks; remove data_path";
	if (v->fwmark != 0)
		return "data_path asks for the virtual server's address, and one by fwmark has none; "
			"remove data_path";
	if (real->address.addr.family != IP_NONE && p->through.family != real->address.addr.family)
		return "data_path knows no tunnels that carry one family over the other; remove "
			"data_path, or give the real server an address of listen's family";
	if (real->forwarding == CONF_FORWARD_TUNNEL && v->tunnel != VS_IPIP)
		return "data_path knows tunnels of type ipip only; remove data_path";
	if (p->address.family != IP_NONE || p->address_host != 0)
		return "data_path goes to the real server itself; remove address or data_path";
	return NULL;
}

void
check_data_path(struct reader *r, const struct conf_virtual *v, const struct conf_real *real,
	uint32_t probe, const config_setting_t *at)
{
	const struct conf_probe *p = &r->out->probes[probe];
	const char *why = p->data_path ? obstacle(v, real, p) : NULL;

	for (uint8_t i = 0; i < p->member_count; i++)
		check_data_path(r, v, real, p->members[i], at);
	if (why)
		reader_error(r, at, "virtual_servers \"%s\": real_servers \"%s\": %s", v->name,
			real->name, why);
}
