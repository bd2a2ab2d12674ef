/* virtual_servers and their real servers. */
#include "conf/reader.h"

#include <string.h>

static const struct endpoint *
read_endpoint(const struct scope *s, const char *key, struct endpoint *out)
{
	const char *text = scope_text(s, key);

	return text && endpoint_parse(text, out) ? out : NULL;
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
		read_endpoint(&group, "address", &real->address);
		real->weight = scope_int(&group, "weight");
		real->probe = row->probe;
		real->probe_overridden = scope_member(&group, "probe") != NULL;
		if (real->probe_overridden)
			real->probe = read_probe(r, &group, row->probe,
				row->protocol == CONF_UDP ? CONF_PROBE_ICMP : CONF_PROBE_TCP);
		r->real_at[c->real_count++] = element;
	}
	row->real_count = c->real_count - row->first_real;
}

static void
read_virtual(const struct scope *s, struct conf_virtual *row)
{
	static const uint8_t protocols[] = {CONF_TCP, CONF_UDP}; /* as words_protocol */
	struct reader *r = s->reader;

	scope_copy(s, "name", row->name, sizeof(row->name));
	row->router = CONF_NO_INDEX; /* check.c finds it */
	read_endpoint(s, "listen", &row->listen);
	row->protocol = protocols[scope_word(s, "protocol")];
	scope_copy(s, "scheduler", row->scheduler, sizeof(row->scheduler));
	read_flags(s, row);
	row->forwarding = (uint8_t)scope_word(s, "forwarding");
	row->when_none_healthy = (uint8_t)scope_word(s, "when_none_healthy");
	row->persistence_s = scope_int(s, "persistence_s");
	ip_addr_parse(scope_text(s, "persistence_mask"), &row->persistence_mask);
	row->min_healthy = scope_int(s, "min_healthy");
	row->has_sorry = read_endpoint(s, "sorry_server", &row->sorry) != NULL;
	if (scope_member(s, "probe"))
		row->probe = read_probe(r, s, CONF_NO_INDEX,
			row->protocol == CONF_UDP ? CONF_PROBE_ICMP : CONF_PROBE_TCP);
	else
		row->probe = probe_none(r);
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
	if (c->real_count > LIMIT_REALS)
		scope_error(file, list, "there are %u real servers; %d is the limit", c->real_count,
			LIMIT_REALS);
	if (c->probe_count > LIMIT_PROBES)
		scope_error(file, list, "there are %u different probes; %d is the limit",
			c->probe_count, LIMIT_PROBES);
}
