/* virtual_servers, their real servers, and connection sync. */
#include "conf/host.h"
#include "conf/listen.h"
#include "conf/reader.h"
#include "core/table.h"

#include <string.h>

/* Port 0 where the text has none. */
static bool
read_server(const struct scope *s, const char *key, struct endpoint *out, uint32_t *host)
{
	const char *text = scope_text(s, key);

	if (text && !endpoint_parse(text, out) && !ip_addr_parse(text, &out->addr))
		*host = read_name(s->reader, text, IP_NONE, false, &out->port);
	return text != NULL;
}

static void
add_listen(struct reader *r, config_setting_t *at, struct conf_virtual *row)
{
	struct config *c = r->out;

	if (setting_is_wrong(at))
		return;
	c->listens = conf_grow(c->listens, c->listen_count, &r->listen_capacity,
		sizeof(*c->listens));
	memset(&c->listens[c->listen_count], 0, sizeof(*c->listens));
	if (listen_parse(config_setting_get_string(at), &c->listens[c->listen_count])) {
		r->listened += listen_count(&c->listens[c->listen_count]);
		c->listen_count++;
		row->listen_count++;
	}
}

static void
read_listen(const struct scope *s, struct conf_virtual *row)
{
	config_setting_t *at = scope_member(s, "listen");
	config_setting_t *mark = scope_member(s, "fwmark");
	bool has_any = config_setting_get_member(s->setting, "listen") ||
		config_setting_get_member(s->setting, "fwmark");

	row->first_listen = s->reader->out->listen_count;
	row->fwmark = mark ? scope_int(s, "fwmark") : 0;
	if (!has_any)
		scope_error(s, s->setting, "listen is missing; or give a fwmark");
	if (at && mark) {
		scope_error(s, mark, "listen and fwmark exclude each other; remove one of them");
		row->fwmark = 0;
	}
	if (at && config_setting_type(at) == CONFIG_TYPE_STRING) {
		add_listen(s->reader, at, row);
		return;
	}
	if (at && config_setting_length(at) == 0)
		scope_error(s, at, "listen is empty; a virtual server needs one address at least");
	for (int i = 0; at && i < config_setting_length(at); i++)
		add_listen(s->reader, config_setting_get_elem(at, (unsigned)i), row);
}

static void
read_tunnel(const struct scope *virtual, struct conf_virtual *row)
{
	static const uint8_t types[] = {VS_IPIP, VS_GUE, VS_GRE};
	static const uint8_t checksums[] = {VS_NO_CHECKSUM, VS_CHECKSUM, VS_REMOTE_CHECKSUM};
	struct scope s;

	scope_open_member(&s, virtual, "tunnel");
	row->tunnel = types[scope_word(&s, "type")];
	row->tunnel_checksum = checksums[scope_word(&s, "checksum")];
	if (row->tunnel == VS_GUE)
		row->tunnel_port = (uint16_t)scope_int(&s, "port");
	else if (scope_member(&s, "port"))
		scope_error(&s, scope_member(&s, "port"), "port has no meaning for a tunnel of type %s",
			words_tunnel[row->tunnel]);
	if (row->tunnel == VS_IPIP && row->tunnel_checksum != VS_NO_CHECKSUM)
		scope_error(&s, scope_member(&s, "checksum"),
			"checksum has no meaning for a tunnel of type ipip");
	if (row->tunnel == VS_GRE && row->tunnel_checksum == VS_REMOTE_CHECKSUM)
		scope_error(&s, scope_member(&s, "checksum"),
			"checksum remote is for tunnels of type gue only");
}

static void
read_flags(const struct scope *s, struct conf_virtual *row)
{
	config_setting_t *list = scope_member(s, "scheduler_flags");

	for (uint32_t i = 0; i < scope_length(s, "scheduler_flags"); i++) {
		config_setting_t *element = config_setting_get_elem(list, i);
		const char *word = config_setting_get_string(element);
		int place;

		if (setting_is_wrong(element))
			continue;
		place = word_index(words_scheduler_flag, word);
		if (!conf_scheduler_flag_fits(place, row->scheduler))
			scope_error(s, element, "scheduler_flags \"%s\" does not belong to "
				"scheduler %s", word, row->scheduler);
		else if (row->scheduler_flags & conf_scheduler_flag_bit(place))
			scope_error(s, element, "scheduler_flags \"%s\" is there twice", word);
		else
			row->scheduler_flags |= conf_scheduler_flag_bit(place);
	}
}

/* With fwmark the first address of a real server tells the family; IP_NONE: none is there. */
static uint8_t
marked_family(const struct scope *s)
{
	config_setting_t *list = scope_member(s, "real_servers");

	for (uint32_t i = 0; i < scope_length(s, "real_servers"); i++) {
		const char *text = NULL;
		struct endpoint e = {0};

		if (config_setting_lookup_string(config_setting_get_elem(list, i), "address", &text) &&
			(endpoint_parse(text, &e) || ip_addr_parse(text, &e.addr)))
			return e.addr.family;
	}
	return IP_NONE;
}

/* Of the whole address, unless it is given. */
static void
read_mask(const struct scope *s, struct conf_virtual *row)
{
	struct ip_addr *mask = &row->persistence_mask;

	ip_addr_parse(scope_text(s, "persistence_mask"), mask);
	if (!scope_member(s, "persistence_mask") && host_family(s->reader->out, row) == IP_V6) {
		mask->family = IP_V6;
		memset(mask->bytes, 0xff, sizeof(mask->bytes));
	}
}

static enum conf_probe_type
standard_probe(const struct conf_virtual *row)
{
	return row->protocol == CONF_TCP ? CONF_PROBE_TCP : CONF_PROBE_ICMP;
}

static void
read_reals(const struct scope *s, struct conf_virtual *row)
{
	struct reader *r = s->reader;
	struct config *c = r->out;
	config_setting_t *list = scope_member(s, "real_servers");
	uint32_t length = scope_length(s, "real_servers");

	row->first_real = c->real_count;
	if (list && length == 0)
		scope_error(s, list, "real_servers is empty; a virtual server needs one at least");
	for (uint32_t i = 0; i < length; i++) {
		config_setting_t *element = config_setting_get_elem(list, i);
		struct conf_real *real = &c->reals[c->real_count];
		struct scope group;

		if (setting_is_wrong(element))
			continue;
		scope_open(&group, r, s, &keys_real, element, (int)i + 1);
		scope_copy(&group, "name", real->name, sizeof(real->name));
		read_server(&group, "address", &real->address, &real->host);
		real->weight = scope_int(&group, "weight");
		real->upper_threshold = scope_int(&group, "upper_threshold");
		real->lower_threshold = scope_int(&group, "lower_threshold");
		real->forwarding = scope_member(&group, "forwarding")
			? (uint8_t)scope_word(&group, "forwarding") : row->forwarding;
		real->probe = row->probe;
		real->probe_overridden = scope_member(&group, "probe") != NULL;
		if (real->probe_overridden)
			real->probe = read_probe(r, &group, row->probe,
				standard_probe(row));
		real->probe = data_path_row(r, real->probe, row, real->forwarding);
		real->agent_overridden = scope_member(&group, "agent") != NULL;
		real->agent = read_agent(r, &group, row->agent);
		r->real_at[c->real_count++] = element;
	}
	row->real_count = c->real_count - row->first_real;
}

/* A page that says sorry may have any status: that something listens is enough. */
static void
read_sorry_probe(struct reader *r, struct conf_virtual *row)
{
	struct conf_real sorry = {.address = row->sorry};

	row->sorry_probe = sorry_probe(r, row->probe, row->protocol == CONF_TCP &&
		conf_real_port(r->out, row, &sorry) != 0);
}

static void
read_virtual(const struct scope *s, struct conf_virtual *row)
{
	static const uint8_t protocols[] = {CONF_TCP, CONF_UDP, CONF_SCTP}; /* as words_protocol */
	struct reader *r = s->reader;

	scope_copy(s, "name", row->name, sizeof(row->name));
	row->router = CONF_NO_INDEX; /* check.c finds it */
	read_listen(s, row);
	if (row->fwmark != 0)
		row->family = marked_family(s);
	row->resolve_s = r->resolve_s = scope_int(s, "resolve_s");
	r->name_family = host_family(r->out, row);
	row->protocol = protocols[scope_word(s, "protocol")];
	scope_copy(s, "scheduler", row->scheduler, sizeof(row->scheduler));
	read_flags(s, row);
	row->one_packet = scope_bool(s, "one_packet");
	row->forwarding = (uint8_t)scope_word(s, "forwarding");
	read_tunnel(s, row);
	row->when_none_healthy = (uint8_t)scope_word(s, "when_none_healthy");
	row->down = (uint8_t)scope_word(s, "down");
	row->drain_s = scope_int(s, "drain_s");
	row->weighting = (uint8_t)scope_word(s, "weighting");
	row->slow_start_s = scope_int(s, "slow_start_s");
	row->black_hole = scope_bool(s, "black_hole");
	row->correlated_hold_ms = scope_int(s, "correlated_hold_ms");
	row->persistence_s = scope_int(s, "persistence_s");
	read_mask(s, row);
	scope_copy(s, "persistence_engine", row->engine, sizeof(row->engine));
	row->min_healthy = scope_int(s, "min_healthy");
	row->has_sorry = read_server(s, "sorry_server", &row->sorry, &row->sorry_host);
	if (scope_member(s, "probe"))
		row->probe = read_probe(r, s, CONF_NO_INDEX,
			standard_probe(row));
	else
		row->probe = probe_none(r);
	row->probe = data_path_row(r, row->probe, row, row->forwarding);
	row->sorry_probe = row->probe;
	row->agent = read_agent(r, s, probe_none(r));
	if (row->has_sorry)
		read_sorry_probe(r, row);
	read_reals(s, row);
}

/* Room for the real servers of all virtual servers together. */
static void
reserve(struct reader *r, config_setting_t *list, uint32_t virtuals)
{
	size_t reals = 0;

	for (uint32_t i = 0; i < virtuals; i++) {
		config_setting_t *element = config_setting_get_elem(list, i);
		config_setting_t *inner = config_setting_is_group(element)
			? config_setting_get_member(element, "real_servers") : NULL;

		if (inner && config_setting_is_aggregate(inner))
			reals += (size_t)config_setting_length(inner);
	}
	r->out->virtuals = conf_alloc(virtuals, sizeof(*r->out->virtuals));
	r->virtual_at = conf_alloc(virtuals, sizeof(config_setting_t *));
	r->out->reals = conf_alloc(reals, sizeof(*r->out->reals));
	r->real_at = conf_alloc(reals, sizeof(config_setting_t *));
}

void
read_pool(struct reader *r, const struct scope *file)
{
	config_setting_t *list = scope_member(file, "virtual_servers");
	uint32_t length = scope_length(file, "virtual_servers");
	struct config *c = r->out;

	if (length > LIMIT_VIRTUALS)
		scope_error(file, list, "virtual_servers has %u entries; %d is the limit", length,
			LIMIT_VIRTUALS);
	reserve(r, list, length);
	for (uint32_t i = 0; i < length; i++) {
		config_setting_t *element = config_setting_get_elem(list, i);
		struct scope s;

		if (setting_is_wrong(element))
			continue;
		scope_open(&s, r, file, &keys_virtual, element, (int)i + 1);
		read_virtual(&s, &c->virtuals[c->virtual_count]);
		r->virtual_at[c->virtual_count++] = element;
	}
	if (r->listened > LIMIT_LISTENS)
		scope_error(file, list, "the virtual servers listen on %u addresses and ports; %d is the "
			"limit", r->listened, LIMIT_LISTENS);
	if (c->real_count > LIMIT_REALS)
		scope_error(file, list, "there are %u real servers; %d is the limit", c->real_count,
			LIMIT_REALS);
	if (c->host_count > LIMIT_HOSTS)
		scope_error(file, list, "there are %u different names of hosts; %d is the limit",
			c->host_count, LIMIT_HOSTS);
	if (c->probe_count > LIMIT_PROBES)
		scope_error(file, list, "there are %u different probes; %d is the limit",
			c->probe_count, LIMIT_PROBES);
}

void
read_sync(struct reader *r, const struct scope *file)
{
	struct conf_sync *sync = &r->out->sync;
	struct scope s;

	scope_open_member(&s, file, "sync");
	sync->enabled = scope_bool(&s, "enabled");
	scope_copy(&s, "interface", sync->interface, sizeof(sync->interface));
	sync->id = (uint8_t)scope_int(&s, "id");
	ip_addr_parse(scope_text(&s, "group"), &sync->group);
	sync->port = (uint16_t)scope_int(&s, "port");
	sync->ttl = (uint8_t)scope_int(&s, "ttl");
	sync->maxlen = (uint16_t)scope_int(&s, "maxlen");
}

void
resolve_sync(struct config *c)
{
	for (uint32_t i = 0; i < c->virtual_count && c->sync.interface[0] == '\0'; i++) {
		uint32_t router = c->virtuals[i].router;

		if (router != CONF_NO_INDEX && c->routers[router].standby == CONF_STANDBY_HOT)
			memcpy(c->sync.interface, c->routers[router].interface,
				sizeof(c->sync.interface));
	}
}
