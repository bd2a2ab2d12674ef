/*
 * What the pool asked for. Targets are found by the number that the pool gave them; equal ways to
 * probe are stored once, because a pool of thousands has a handful.
 */
#include "conf/keys.h"
#include "conf/pack.h"
#include "core/cadence.h"
#include "probe/kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
targets_init(struct engine *e)
{
	size_t i;

	for (i = 0; i < TARGET_BUCKETS; i++)
		LIST_INIT(&e->targets[i]);
	for (i = 0; i < DEFINITION_BUCKETS; i++)
		LIST_INIT(&e->definitions[i]);
}

static struct target *
target_find(struct engine *e, uint32_t id)
{
	struct target *t;

	LIST_FOREACH(t, &e->targets[id % TARGET_BUCKETS], link)
		if (t->id == id)
			return t;
	return NULL;
}

static const struct probe_kind *
kind_of(const struct conf_probe *probe)
{
	switch ((enum conf_probe_type)probe->type) {
	case CONF_PROBE_ICMP:
		return &kind_icmp;
	case CONF_PROBE_TCP:
		return probe->data_path ? &kind_path : &kind_tcp;
	case CONF_PROBE_HTTP:
		return &kind_http;
	case CONF_PROBE_UDP:
		return &kind_udp;
	case CONF_PROBE_DNS:
		return &kind_dns;
	case CONF_PROBE_HTTPS:
		return &kind_https;
	case CONF_PROBE_AGENT:
		return &kind_agent;
	case CONF_PROBE_EXEC: /* of the supervisor */
	case CONF_PROBE_ALL:  /* their members are asked */
	case CONF_PROBE_ANY:
	case CONF_PROBE_NONE:
		break;
	}
	return NULL;
}

static bool
set_makes_sense(const struct ipc_probe_set *set, const struct conf_probe *p)
{
	return kind_of(p) != NULL && ip_addr_size(&set->address.addr) != 0 &&
		(p->type == CONF_PROBE_ICMP || set->address.port != 0 || p->port != 0) &&
		(p->address.family == IP_NONE || ip_addr_size(&p->address) != 0) &&
		p->rise > 0 && p->fall > 0 && p->interval_ms > 0 && p->timeout_ms > 0 &&
		set->seed <= PROBE_SEED_DOWN && set->node < LIMIT_NODES && config_probe_is_sound(p) &&
		(p->type != CONF_PROBE_DNS || dns_makes_sense(p)) &&
		(!p->data_path || (p->through.family == set->address.addr.family &&
			p->address.family == IP_NONE));
}

static size_t
definition_bucket(const struct conf_probe *probe)
{
	const uint8_t *bytes = (const uint8_t *)probe;
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < sizeof(*probe); i++)
		h = (h ^ bytes[i]) * 16777619u;
	return (h ^ h >> 16) % DEFINITION_BUCKETS;
}

static struct definition *
definition_new(const struct conf_probe *probe, struct tls_trust *trust)
{
	struct definition *d = calloc(1, sizeof(*d));
	uint32_t i;

	if (d == NULL)
		return NULL;
	d->kind = kind_of(probe);
	d->probe = *probe;
	d->pace = cadence_pace(probe->interval_ms, probe->interval_fast_ms,
		probe->interval_down_ms);
	d->expect.status_count = probe->status_count;
	for (i = 0; i < probe->status_count; i++)
		d->expect.status[i] =
			(struct http_range){probe->status[i].low, probe->status[i].high};
	http_expect_body(&d->expect, probe->body);
	memcpy(d->expect.header, probe->header, sizeof(d->expect.header));
	d->expect.to_end = probe->keep_alive;
	d->expect.head = strcmp(words_method[probe->method], "HEAD") == 0;
	d->expect.whole = probe->regex[0] != '\0' || probe->has_json;
	if (!body_define(d)) {
		free(d);
		return NULL;
	}
	if (probe->type == CONF_PROBE_DNS)
		dns_define(d);
	if (probe->type != CONF_PROBE_HTTPS)
		return d;
	d->tls = tls_context(probe, trust);
	if (d->tls == NULL) {
		pattern_free(d->pattern);
		free(d);
		return NULL;
	}
	d->trust = trust;
	tls_trust_keep(trust);
	return d;
}

static struct definition *
definition_take(struct engine *e, const struct conf_probe *probe, struct tls_trust *trust)
{
	struct definition_list *bucket = &e->definitions[definition_bucket(probe)];
	struct definition *d;

	LIST_FOREACH(d, bucket, link)
		if (d->trust == trust && memcmp(&d->probe, probe, sizeof(*probe)) == 0)
			break;
	if (d == NULL) {
		d = definition_new(probe, trust);
		if (d == NULL)
			return NULL;
		LIST_INSERT_HEAD(bucket, d, link);
	}
	d->users++;
	return d;
}

static void
definition_give_back(struct engine *e, struct definition *d)
{
	if (--d->users > 0)
		return;
	LIST_REMOVE(d, link);
	stock_forget(e, d->probe.mark);
	SSL_CTX_free(d->tls);
	tls_trust_close(d->trust);
	pattern_free(d->pattern);
	free(d);
}

/* Out of every queue, with whatever it had in flight. */
static void
target_halt(struct engine *e, struct target *t)
{
	if (t->run != NULL)
		probe_drop(t->run);
	if (t->state == TARGET_QUEUED)
		TAILQ_REMOVE(&e->queue, t, queue_link);
	if (t->state == TARGET_PORTLESS)
		TAILQ_REMOVE(&e->ports.waiting, t, queue_link);
	report_forget(e, t);
	idle_close(e, t);
	path_leave(e, t);
	t->state = TARGET_WAITING;
	heap_remove(&e->deadlines, &t->deadline);
}

static struct target *
target_new(struct engine *e, uint32_t id)
{
	struct target *t;

	if (!heap_reserve(&e->deadlines, e->stats.targets + 1))
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->id = id;
	LIST_INSERT_HEAD(&e->targets[id % TARGET_BUCKETS], t, link);
	e->stats.targets++;
	return t;
}

static void
target_begin(struct engine *e, struct target *t, const struct ipc_probe_set *set)
{
	const struct conf_probe *probe = &t->definition->probe;
	static const enum health_verdict seeds[] = {[PROBE_SEED_UNKNOWN] = HEALTH_UNKNOWN,
		[PROBE_SEED_UP] = HEALTH_UP, [PROBE_SEED_DOWN] = HEALTH_DOWN};
	int64_t interval_ns = t->definition->pace.interval_ns;

	t->generation = set->generation;
	t->address = set->address;
	t->source = probe->source[set->node];
	if (probe->port != 0)
		t->address.port = probe->port;
	t->reported = false;
	t->voids = 0;
	t->portless_since = MONO_NEVER;
	memset(&t->last, 0, sizeof(t->last));
	t->agent = t->reported_agent = (struct agent_state){0};
	t->last.expires_s = INT64_MAX;
	health_init(&t->health, probe->rise, probe->fall, seeds[set->seed]);
	t->step_ns = interval_ns;
	t->phase_ns = cadence_phase_ns(&t->address, set->node, interval_ns);
	if (probe->address.family != IP_NONE) /* servers asked at one address keep their phases */
		t->address.addr = probe->address;
	if (t->definition->kind == &kind_path)
		path_join(e, t);
	t->due = cadence_first(mono_now(), t->phase_ns, interval_ns, set->urgent);
	t->start = t->due; /* at the start the phases alone spread them */
	heap_put(&e->deadlines, &t->deadline, t->due);
}

int
engine_set(struct engine *e, const struct ipc_probe_set *set, const struct conf_probe *probe,
	struct tls_trust *trust)
{
	struct target *t = target_find(e, set->target);
	struct definition *definition, *before = NULL;

	if (!set_makes_sense(set, probe))
		return -EINVAL;
	if (probe->type != CONF_PROBE_HTTPS || !probe->verify)
		trust = NULL;
	else if (trust == NULL)
		return -EINVAL;
	if (t != NULL && t->generation == set->generation)
		return 0; /* said twice */
	definition = definition_take(e, probe, trust);
	if (definition == NULL)
		return -ENOMEM;
	if (t == NULL) {
		t = target_new(e, set->target);
		if (t == NULL) {
			definition_give_back(e, definition);
			return -ENOMEM;
		}
	} else {
		target_halt(e, t);
		before = t->definition;
	}
	t->definition = definition;
	if (before != NULL)
		definition_give_back(e, before);
	target_begin(e, t, set);
	return 0;
}

static void
target_remove(struct engine *e, struct target *t)
{
	target_halt(e, t);
	definition_give_back(e, t->definition);
	LIST_REMOVE(t, link);
	e->stats.targets--;
	free(t);
}

void
engine_clear(struct engine *e, uint32_t id)
{
	struct target *t = target_find(e, id);

	if (t != NULL)
		target_remove(e, t);
}

void
engine_clear_all(struct engine *e)
{
	struct target *t;
	size_t i;

	for (i = 0; i < TARGET_BUCKETS; i++)
		while ((t = LIST_FIRST(&e->targets[i])) != NULL)
			target_remove(e, t);
	e->blocked = false;
}
