/*
 * Those who fall again and again (core/flap.h): the prober says up, and the verdict stays down for a
 * while, with reason `flapping`. Nobody is kept out who is needed: where fewer servers than
 * min_healthy are up, one that may fall again is better than one that does not answer; and a sorry
 * server is the last there is. What a router tracks is held as well: it moves the addresses.
 *
 * Falls are forgotten when this process dies, when the server is probed in another way, and when an
 * operator disables it.
 */
#include "proc/pool_process.h"

static struct flap_rule
rule_of(const struct conf_probe *probe)
{
	return (struct flap_rule){.falls = probe->flap_falls,
		.window_ns = probe->flap_window_s * NS_PER_S,
		.hold_ns = probe->flap_hold_s * NS_PER_S,
		.hold_max_ns = probe->flap_hold_max_s * NS_PER_S};
}

static bool
is_needed(const struct pool *p, uint32_t target)
{
	const struct conf_virtual *v;
	uint32_t row;

	if (target_is_sorry(&p->config, target))
		return true;
	if (!target_is_real(&p->config, target))
		return false;
	row = target_virtual(&p->config, target);
	v = &p->config.virtuals[row];
	return virtual_healthy(p, row) < (v->min_healthy > 1 ? v->min_healthy : 1);
}

void
flaps_said(struct pool *p, uint32_t target, enum health_verdict said)
{
	struct pool_target *t = &p->targets[target];
	const struct flap_rule rule = rule_of(target_probe(&p->config, target));
	enum health_verdict before = t->said;
	mono now = mono_now();

	t->said = said;
	if (target_is_agent(&p->config, target))
		return; /* that is reached or not: no verdict on a server */
	if (before == HEALTH_UP && said == HEALTH_DOWN)
		flap_fell(&t->flap, &rule, now);
	if (before != HEALTH_DOWN || said != HEALTH_UP || flap_rose(&t->flap, &rule, now) == 0)
		return;
	if (!flaps_hold(p, target))
		return;
	t->reason = REASON_FLAPPING;
	if (!target_is_track(&p->config, target))
		target_log_verdict(p, target, t->verdict);
}

bool
flaps_hold(struct pool *p, uint32_t target)
{
	struct flap *f = &p->targets[target].flap;

	if (f->held && (!flap_holds(f, mono_now()) || is_needed(p, target)))
		flap_let_in(f);
	return f->held;
}

enum health_verdict
flaps_verdict(const struct pool_target *t)
{
	return t->said == HEALTH_UP && t->flap.held ? HEALTH_DOWN : t->said;
}

uint32_t
flaps_count(const struct pool *p, uint32_t target)
{
	const struct conf_probe *probe = target_probe(&p->config, target);
	struct flap_rule rule;

	if (!probe)
		return 0;
	rule = rule_of(probe);
	return flap_falls(&p->targets[target].flap, &rule, mono_now());
}

int64_t
flaps_left_ns(const struct pool *p, uint32_t target)
{
	const struct flap *f = &p->targets[target].flap;

	return f->held ? mono_diff_ns(f->until, mono_now()) : -1;
}
