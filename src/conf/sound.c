/*
 * Is a configuration that came as bytes one that its readers can use? Every text ends, every
 * reference is to a row that is there, every number that stands for a word has one. See sound.h.
 */
#include "conf/sound.h"

#include "conf/keys.h"
#include "conf/listen.h"
#include "conf/pack.h"

#include <string.h>

/* Rows are zero-filled before they are set: behind a text that fits there are zeros to the end. */
static bool
ends(const char *text, size_t size)
{
	return text[size - 1] == '\0';
}

#define ENDS(field) ends(field, sizeof(field))

/* To read any other byte as a bool is undefined. */
static bool
is_truth(const bool *value)
{
	uint8_t byte;

	memcpy(&byte, value, sizeof(byte));
	return byte <= 1;
}

static bool
is_prefix(const struct ip_prefix *p)
{
	return ip_addr_is_sound(&p->addr) && p->addr.family != IP_NONE &&
		p->length <= 8 * ip_addr_size(&p->addr);
}

/* Is the number the place of a word? */
static bool
is_word(const char *const *words, uint8_t place)
{
	for (uint8_t i = 0; words[i]; i++)
		if (i == place)
			return true;
	return false;
}

bool
config_range_fits(uint32_t first, uint32_t count, uint32_t all)
{
	return first <= all && count <= all - first;
}

static bool
router_is_sound(const struct config *c, const struct conf_router *r)
{
	bool sound = ENDS(r->name) && ENDS(r->interface) && ENDS(r->group) &&
		is_truth(&r->preempt) && is_truth(&r->unicast) && is_truth(&r->virtual_mac) &&
		is_word(words_standby, r->standby) && is_word(words_fence, r->fence) &&
		config_range_fits(r->first_address, r->address_count, c->address_count) &&
		config_range_fits(r->first_block, r->block_count, c->block_count) &&
		config_range_fits(r->first_track, r->track_count, c->track_count) &&
		r->interface_count <= LIMIT_ROUTER_INTERFACES &&
		r->tracked_count <= LIMIT_ROUTER_INTERFACES;

	for (uint32_t i = 0; sound && i < LIMIT_ROUTER_INTERFACES; i++)
		sound = ENDS(r->interfaces[i]) && ENDS(r->tracked[i]);
	for (int i = 0; sound && i < CONF_HOOKS; i++)
		sound = ENDS(r->hook[i]);
	return sound;
}

static bool
virtual_is_sound(const struct config *c, const struct conf_virtual *v)
{
	return ENDS(v->name) && ENDS(v->scheduler) && ENDS(v->engine) &&
		is_truth(&v->one_packet) && is_truth(&v->black_hole) && is_truth(&v->has_sorry) &&
		(v->protocol == CONF_TCP || v->protocol == CONF_UDP || v->protocol == CONF_SCTP) &&
		is_word(words_forwarding, v->forwarding) && is_word(words_tunnel, v->tunnel) &&
		is_word(words_tunnel_checksum, v->tunnel_checksum) && is_word(words_down, v->down) &&
		is_word(words_none_healthy, v->when_none_healthy) &&
		is_word(words_weighting, v->weighting) && ip_addr_is_sound(&v->sorry.addr) &&
		ip_addr_is_sound(&v->persistence_mask) &&
		(v->fwmark == 0 || v->family == IP_V4 || v->family == IP_V6) &&
		v->router < c->router_count &&
		config_range_fits(v->first_listen, v->listen_count, c->listen_count) &&
		(v->listen_count != 0) == (v->fwmark == 0) &&
		v->probe < c->probe_count && v->sorry_probe < c->probe_count &&
		v->agent < c->probe_count &&
		v->sorry_host <= c->host_count &&
		config_range_fits(v->first_real, v->real_count, c->real_count);
}

static bool
heartbeat_is_sound(const struct config *c)
{
	for (uint32_t i = 0; i < c->key_count; i++)
		if (c->keys[i].id == 0 || c->keys[i].length > LIMIT_KEY)
			return false;
	for (uint32_t i = 0; i < c->link_count; i++)
		if (!ENDS(c->links[i].name) || !ENDS(c->links[i].interface) ||
			!ip_addr_is_sound(&c->links[i].address[0]) ||
			!ip_addr_is_sound(&c->links[i].address[1]))
			return false;
	return ENDS(c->key_file) && is_word(words_checksum, c->checksum) &&
		is_word(words_authentication, c->authentication);
}

static bool
tracks_are_sound(const struct config *c)
{
	for (uint32_t i = 0; i < c->block_count; i++)
		if (!ENDS(c->blocks[i].interface) || !is_prefix(&c->blocks[i].prefix))
			return false;
	for (uint32_t i = 0; i < c->track_count; i++)
		if (!ENDS(c->tracks[i].name) || !ENDS(c->tracks[i].script) ||
			c->tracks[i].kind > CONF_TRACK_SCRIPT || c->tracks[i].host > c->host_count ||
			!ip_addr_is_sound(&c->tracks[i].gateway) ||
			!ip_addr_is_sound(&c->tracks[i].target.addr) ||
			(c->tracks[i].kind == CONF_TRACK_PROBE &&
				(c->tracks[i].probe >= c->probe_count ||
					c->probes[c->tracks[i].probe].type == CONF_PROBE_NONE)))
			return false;
	return true;
}

/* As many texts as it says, and all of them end. */
static bool
words_are_sound(const struct conf_words *words)
{
	size_t ends = 0;

	for (size_t i = 0; i < sizeof(words->text); i++)
		ends += words->text[i] == '\0';
	return ends >= words->count;
}

bool
config_probe_is_sound(const struct conf_probe *p)
{
	return ENDS(p->path) && ENDS(p->host) && ENDS(p->body) && ENDS(p->sni) && ENDS(p->ca_file) &&
		ENDS(p->query) && ENDS(p->headers) && ENDS(p->header) && ENDS(p->regex) &&
		ENDS(p->json_pointer) && ENDS(p->json_value) &&
		words_are_sound(&p->command) && words_are_sound(&p->environment) && ENDS(p->user) &&
		(p->type != CONF_PROBE_EXEC || p->command.count > 0) &&
		is_word(words_method, p->method) && is_word(words_http_version, p->http_version) &&
		is_word(words_query_type, p->query_type) && is_word(words_rcode, p->rcode) &&
		p->type <= CONF_PROBE_ANY && p->member_count <= LIMIT_MEMBERS &&
		p->status_count <= LIMIT_STATUS_RANGES &&
		p->tls_min <= CONF_TLS_1_3 && is_truth(&p->half_open) && is_truth(&p->data_path) &&
		is_truth(&p->tunnelled) && ip_addr_is_sound(&p->through) && is_truth(&p->keep_alive) &&
		is_truth(&p->has_json) && is_truth(&p->exit_weight) && is_truth(&p->verify) &&
		is_truth(&p->expiry_fail) && ip_addr_is_sound(&p->address) &&
		ip_addr_is_sound(&p->source[0]) && ip_addr_is_sound(&p->source[1]) &&
		p->send.length <= LIMIT_PROBE_BYTES && p->answer.length <= LIMIT_PROBE_BYTES;
}

static bool
probe_row_is_sound(const struct config *c, const struct conf_probe *p)
{
	if (!config_probe_is_sound(p) || p->member_count > c->probe_members ||
		p->address_host > c->host_count ||
		(p->member_count > 0) != conf_probe_is_group(p))
		return false;
	for (uint8_t i = 0; i < p->member_count; i++)
		if (p->members[i] >= c->probe_count ||
			conf_probe_is_group(&c->probes[p->members[i]]) ||
			c->probes[p->members[i]].type == CONF_PROBE_NONE)
			return false;
	return true;
}

static bool
listen_is_sound(const struct conf_listen *l)
{
	return ip_addr_is_sound(&l->first) && ip_addr_is_sound(&l->last) &&
		l->first.family != IP_NONE && l->first.family == l->last.family &&
		ip_addr_compare(&l->first, &l->last) <= 0 &&
		l->port_low <= l->port_high && listen_count(l) <= LIMIT_LISTENS;
}

static bool
real_is_sound(const struct config *c, const struct conf_real *r)
{
	return ENDS(r->name) && r->probe < c->probe_count && r->agent < c->probe_count &&
		r->host <= c->host_count && ip_addr_is_sound(&r->address.addr) &&
		is_word(words_forwarding, r->forwarding) && is_truth(&r->probe_overridden) &&
		is_truth(&r->agent_overridden);
}

static bool
head_is_sound(const struct config *c)
{
	return ENDS(c->sync.interface) && ENDS(c->cluster) && ENDS(c->control_group) &&
		ENDS(c->facility_name) && is_truth(&c->sync.enabled) &&
		ip_addr_is_sound(&c->sync.group) && is_truth(&c->has_agents) &&
		c->probe_members <= LIMIT_MEMBERS && c->probers <= LIMIT_PROBERS &&
		c->node_count <= LIMIT_NODES;
}

bool
config_rows_are_sound(const struct config *c)
{
	for (uint32_t i = 0; i < c->node_count; i++)
		if (!ENDS(c->nodes[i].name) || !ip_addr_is_sound(&c->nodes[i].address))
			return false;
	for (uint32_t i = 0; i < c->router_count; i++)
		if (!router_is_sound(c, &c->routers[i]))
			return false;
	for (uint32_t i = 0; i < c->address_count; i++)
		if (!ENDS(c->addresses[i].interface) || !is_prefix(&c->addresses[i].prefix))
			return false;
	for (uint32_t i = 0; i < c->virtual_count; i++)
		if (!virtual_is_sound(c, &c->virtuals[i]))
			return false;
	for (uint32_t i = 0; i < c->listen_count; i++)
		if (!listen_is_sound(&c->listens[i]))
			return false;
	for (uint32_t i = 0; i < c->real_count; i++)
		if (!real_is_sound(c, &c->reals[i]))
			return false;
	for (uint32_t i = 0; i < c->host_count; i++)
		if (!ENDS(c->hosts[i].name) || !is_truth(&c->hosts[i].loopback) ||
			c->hosts[i].resolve_s == 0 ||
			(c->hosts[i].family != IP_V4 && c->hosts[i].family != IP_V6))
			return false;
	for (uint32_t i = 0; i < c->probe_count; i++)
		if (!probe_row_is_sound(c, &c->probes[i]))
			return false;
	for (uint32_t i = 0; i < c->ca_count; i++)
		if (!ENDS(c->cas[i].path) ||
			!config_range_fits(c->cas[i].first, c->cas[i].length, c->ca_byte_count))
			return false;
	return heartbeat_is_sound(c) && tracks_are_sound(c) && head_is_sound(c);
}
