/*
 * Probes that tell nothing (core/overdue.h has when that is so): said once for each such time, and a
 * prober that goes on like that is killed and replaced by the supervisor, which gives its successor
 * what it had. The prober cannot tell: it may be what is stuck.
 *
 * Nothing is said where this process itself was held up, or has not read what is there.
 */
#include "proc/pool_process.h"

#include "ipc/channel.h"

#include <poll.h>

static struct overdue_rhythm
rhythm_of(const struct pool_target *t, const struct conf_probe *probe)
{
	struct overdue_rhythm r = {.interval_ms = probe->interval_ms,
		.timeout_ms = probe->timeout_ms, .spread_percent = probe->spread_percent};

	if (t->said == HEALTH_DOWN && probe->interval_down_ms > probe->interval_ms)
		r.interval_ms = probe->interval_down_ms;
	return r;
}

/* One that closed its channel and did not die has told all that it will. */
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
	struct overdue_rhythm rhythm = rhythm_of(t, target_probe(&p->config, target));
	uint32_t prober = t->slot % p->prober_count;
	mono heard = t->last_result;
	enum overdue state;

	if (mono_is_never(heard) || mono_before(heard, t->told_at))
		heard = t->told_at;
	state = overdue_judge(&rhythm, mono_diff_ns(now, heard));
	if (state != OVERDUE_NOT && !t->overdue)
		target_log_no_result(p, target, prober, mono_diff_ns(now, heard));
	t->overdue = state != OVERDUE_NOT;
	stuck[prober] |= state == OVERDUE_STUCK;
}

/* Its channel is closed when it dies; until then it is asked for again, but not each second. */
void
process_replace(struct pool *p, const struct ipc_replace *which, struct overdue_pardon *pardon)
{
	if (overdue_replace(pardon, mono_now()))
		channel_send(p->child->supervisor_fd, IPC_REPLACE, which, sizeof(*which), -1);
}

void
prober_replace(struct pool *p, uint32_t index, enum reason why)
{
	struct ipc_replace which = {.role = PROCESS_PROBER, .index = index, .reason = why};

	process_replace(p, &which, &p->probers[index].pardon);
}

void
overdue_second(struct pool *p)
{
	bool ready[LIMIT_PROBERS] = {false}, stuck[LIMIT_PROBERS] = {false};
	mono now = mono_now();

	if (!overdue_look(&p->overdue_watch, now))
		return;
	for (uint32_t i = 0; i < p->prober_count; i++)
		ready[i] = !has_unread(&p->probers[i]);
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
			prober_replace(p, i, REASON_NO_RESULT);
}
