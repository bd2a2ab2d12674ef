/*
 * Probes that tell nothing. Each has a deadline, so a result comes in every period (interval and
 * timeout); two without one are a fault of ours, whoever's. The prober cannot tell: it may be what
 * is stuck. It is said once for each such time, and a prober that goes on like that is killed and
 * replaced by the supervisor, which gives its successor what it had.
 *
 * Nothing is said where this process itself was held up, or has not read what is there.
 */
#include "proc/pool_process.h"

#include "ipc/channel.h"

#include <poll.h>

static const int64_t every_ns = NS_PER_S;         /* how often this is looked at */
static const int64_t sign_of_life_ns = NS_PER_S;  /* equal results are told so often, see finish.c */
static const int64_t slack_ns = 200 * NS_PER_MS;
static const int64_t least_patience_ns = 5 * NS_PER_S;

/* After so long without a word there has been none for two periods. */
static int64_t
limit_ns(const struct pool_target *t, const struct conf_probe *probe)
{
	int64_t interval_ms = probe->interval_ms, period_ns;

	if (t->said == HEALTH_DOWN && probe->interval_down_ms > probe->interval_ms)
		interval_ms = probe->interval_down_ms;
	period_ns = (interval_ms + probe->timeout_ms) * NS_PER_MS;
	return period_ns + (period_ns > sign_of_life_ns ? period_ns : sign_of_life_ns) +
		interval_ms * NS_PER_MS / 100 * probe->spread_percent + slack_ns;
}

static bool
has_unread(const struct pool_prober *prober)
{
	struct pollfd fd = {.fd = prober->fd, .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static void
judge(struct pool *p, uint32_t target, bool stuck[LIMIT_PROBERS], mono now)
{
	struct pool_target *t = &p->targets[target];
	int64_t limit = limit_ns(t, target_probe(&p->config, target)), patience = 2 * limit;
	uint32_t prober = t->slot % p->prober_count;
	mono heard = t->last_result;
	int64_t silent;

	if (mono_is_never(heard) || mono_before(heard, t->told_at))
		heard = t->told_at;
	silent = mono_diff_ns(now, heard);
	if (silent > limit && !t->overdue)
		target_log_no_result(p, target, prober, silent);
	t->overdue = silent > limit;
	if (patience < least_patience_ns)
		patience = least_patience_ns;
	stuck[prober] |= silent > patience;
}

/* Its channel is closed when it dies; until then it is asked for again, but not each second. */
static void
replace(struct pool *p, uint32_t index, mono now)
{
	struct ipc_prober_stuck stuck = {.index = index};
	struct pool_prober *prober = &p->probers[index];

	if (mono_before(now, prober->given_up_until))
		return;
	prober->given_up_until = mono_add_ns(now, least_patience_ns);
	channel_send(p->child->supervisor_fd, IPC_PROBER_STUCK, &stuck, sizeof(stuck), -1);
}

void
overdue_second(struct pool *p)
{
	bool ready[LIMIT_PROBERS] = {false}, stuck[LIMIT_PROBERS] = {false};
	mono now = mono_now(), last = p->overdue_at;

	p->overdue_at = now;
	if (mono_diff_ns(now, last) > every_ns + every_ns / 2)
		return;
	for (uint32_t i = 0; i < p->prober_count; i++)
		ready[i] = p->probers[i].fd != -1 && !has_unread(&p->probers[i]);
	for (uint32_t i = 0; i < targets_count(&p->config); i++) {
		const struct pool_target *t = &p->targets[i];

		/* Programs wait for places in the supervisor, and of groups the members are asked. */
		if (t->probed && !t->exec && !t->untold &&
			!conf_probe_is_group(target_probe(&p->config, i)) &&
			p->prober_count > 0 && ready[t->slot % p->prober_count])
			judge(p, i, stuck, now);
	}
	for (uint32_t i = 0; i < p->prober_count; i++)
		if (stuck[i])
			replace(p, i, now);
}
