/*
 * The health of real servers and of tracked probes: which are probed, by which prober, and what the
 * verdicts change. Both are targets, in one row of numbers: the real servers of the configuration
 * first, then what its routers track, then the sorry servers, then the agents of real servers, then the
 * members of groups of probes.
 * Tracked probes run in every role: a standby that probes nothing else must know whether it is fit.
 *
 * The probers own rise and fall; the pool owns the last verdict, and gives it as a seed to a
 * successor when a prober dies. A target keeps its slot over a reload that does not touch it: its
 * prober then does not even notice.
 */
#include "proc/pool_process.h"

#include "conf/keys.h"
#include "conf/pack.h"
#include "ipc/channel.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double flush_again_s = 0.005;
enum { RESULTS_A_TURN = 512 };

const char *
health_name(enum health_verdict verdict)
{
	switch (verdict) {
	case HEALTH_UNKNOWN: return "unknown";
	case HEALTH_UP: return "up";
	case HEALTH_DOWN: return "down";
	}
	return "invalid";
}

bool
virtual_is_served(const struct pool *p, uint32_t row)
{
	uint32_t router = p->config.virtuals[row].router;
	const struct pool_router *r = &p->routers[router];

	if (p->config.routers[router].standby == CONF_STANDBY_HOT)
		return true;
	return r->preparing || (r->known && r->facts.role == EL_ACTIVE);
}

uint32_t
virtual_healthy(const struct pool *p, uint32_t row)
{
	const struct conf_virtual *v = &p->config.virtuals[row];
	uint32_t healthy = 0;

	for (uint32_t i = 0; i < v->real_count; i++)
		healthy += p->targets[v->first_real + i].verdict == HEALTH_UP &&
			!p->targets[v->first_real + i].held;
	return healthy;
}

static struct pool_prober *
prober_of(struct pool *p, const struct pool_target *t)
{
	return p->prober_count == 0 ? NULL : &p->probers[t->slot % p->prober_count];
}

static bool
send_table(struct pool_prober *prober)
{
	const struct config *c = &prober->pool->config;
	struct ipc_probe_table table = {.count = c->probe_count};
	int memfd = config_pack_probes(c);
	bool sent;

	if (memfd == -1)
		return false;
	sent = channel_send(prober->fd, IPC_PROBE_TABLE, &table, sizeof(table), memfd) == 0;
	close(memfd);
	prober->table_untold = !sent;
	return sent;
}

/* A program is the supervisor's to run. */
static bool
send_exec(struct pool *p, uint32_t target, const struct ipc_probe_set *set)
{
	const struct config *c = &p->config;
	struct ipc_exec_set m = {.config = p->generation, .set = *set,
		.elsewhere = target_probe(c, target)->address};

	memcpy(m.server, c->reals[target_real(c, target)].name, sizeof(m.server));
	memcpy(m.virtual, c->virtuals[target_virtual(c, target)].name, sizeof(m.virtual));
	if (channel_send(p->child->supervisor_fd, IPC_EXEC_SET, &m, sizeof(m), -1) == -1)
		return false;
	p->targets[target].untold = p->targets[target].urgent = false;
	return true;
}

static bool
send_set(struct pool *p, uint32_t target)
{
	static const uint8_t seeds[] = {
		[HEALTH_UNKNOWN] = PROBE_SEED_UNKNOWN, [HEALTH_UP] = PROBE_SEED_UP,
		[HEALTH_DOWN] = PROBE_SEED_DOWN};
	struct pool_target *t = &p->targets[target];
	struct pool_prober *prober = prober_of(p, t);
	struct ipc_probe_set set = {
		.target = t->slot,
		.generation = t->generation,
		.seed = seeds[t->said],
		.urgent = t->urgent,
		.node = (uint8_t)p->child->node,
		.address = target_address(&p->config, target),
		.probe = (uint32_t)(target_probe(&p->config, target) - p->config.probes),
	};

	if (conf_probe_is_group(target_probe(&p->config, target))) { /* its members are asked */
		t->untold = t->urgent = false;
		return true;
	}
	if (target_probe(&p->config, target)->port != 0)
		set.address.port = target_probe(&p->config, target)->port;
	if (t->exec)
		return send_exec(p, target, &set);
	if (!prober || prober->fd == -1)
		return true; /* the one to come gets it */
	if (prober->table_untold && !send_table(prober))
		return false;
	if (channel_send(prober->fd, IPC_PROBE_SET, &set, sizeof(set), -1) == -1)
		return false;
	t->untold = t->urgent = false;
	t->told_at = mono_now();
	t->overdue = false;
	return true;
}

/* False: a channel is full. */
static bool
send_untold(struct pool *p)
{
	uint32_t count = targets_count(&p->config);

	if (!clears_flush(p))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (p->targets[i].probed && p->targets[i].untold && !send_set(p, i))
			return false;
	return true;
}

static void
flush(struct pool *p)
{
	if (send_untold(p))
		return;
	ev_timer_stop(p->loop, &p->flush_timer);
	ev_timer_set(&p->flush_timer, flush_again_s, 0.);
	ev_timer_start(p->loop, &p->flush_timer);
}

void
targets_flush_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	flush(w->data);
}

static void
send_clear(struct pool *p, const struct pool_target *t)
{
	const struct pool_prober *prober = prober_of(p, t);

	if (t->exec)
		clears_exec(p, t->slot);
	else if (prober && prober->fd != -1)
		clears_prober(p, t->slot, prober->index);
}

/* Its twin is probed: what that knows, it knows. */
static void
join_twin(struct pool *p, uint32_t target, const struct pool_target *twin)
{
	struct pool_target *t = &p->targets[target];

	t->probed = true;
	t->untold = twin->untold;
	t->told_at = twin->told_at;
	t->generation = twin->generation;
	t->last_result = twin->last_result;
	if (mono_is_never(twin->last_result) || twin->said == HEALTH_UNKNOWN)
		return;
	t->reason = twin->said == HEALTH_UP && twin->flap.held ? REASON_PROBE_OK : twin->reason;
	t->detail = twin->detail;
	t->connect_ns = twin->connect_ns;
	t->answer_ns = twin->answer_ns;
	t->expires_s = twin->expires_s;
	memcpy(t->evidence, twin->evidence, sizeof(t->evidence));
	target_take_verdict(p, target, twin->said);
}

static void
start_probing(struct pool *p, uint32_t target, bool urgent)
{
	uint32_t twin = shares_probed_twin(p, target);
	struct pool_target *t = &p->targets[target];

	if (twin != CONF_NO_INDEX) {
		join_twin(p, target, &p->targets[twin]);
		return;
	}
	t->probed = t->untold = true;
	if (t->reason == REASON_UNRESOLVED)
		t->reason = REASON_NONE;
	t->exec = target_probe(&p->config, target)->type == CONF_PROBE_EXEC;
	t->urgent = urgent;
	t->generation = ++p->probe_generation;
}

void
target_probe_now(struct pool *p, uint32_t target)
{
	if (!p->targets[target].probed)
		return;
	start_probing(p, target, true);
	for (uint32_t i = 0; target_is_real(&p->config, target) &&
		i < group_members(&p->config, target); i++)
		if (p->targets[member_target(&p->config, target, i)].probed)
			start_probing(p, member_target(&p->config, target, i), true);
	flush(p);
}

static void
stop_probing(struct pool *p, uint32_t target)
{
	struct pool_target *t = &p->targets[target];

	if (shares_probed_twin(p, target) == CONF_NO_INDEX)
		send_clear(p, t);
	t->probed = t->untold = false;
	t->generation = ++p->probe_generation;
	t->verdict = t->said = HEALTH_UNKNOWN; /* what was true then says nothing about now */
	t->agent = (struct agent_state){0};
	t->flap = (struct flap){.held = false};
	t->weighs = false;
	t->member = 0;
	t->reason = REASON_NONE;
	t->last_result = MONO_NEVER;
	t->silent_since = MONO_NEVER;
	t->held = t->believed = false;
	weights_forget(t);
}

static void
refresh_sorry(struct pool *p, uint32_t virtual_row, bool served, bool cold)
{
	uint32_t target = sorry_target(&p->config, virtual_row);
	bool wanted = served && target_probe(&p->config, target);

	if (wanted && !p->targets[target].probed)
		start_probing(p, target, cold);
	else if (!wanted && p->targets[target].probed)
		stop_probing(p, target);
}

/* An agent is asked whatever operators say of its server: it counts again when they are done. */
static void
refresh_agent(struct pool *p, uint32_t real, bool served, bool cold)
{
	uint32_t target = agent_target(&p->config, real);
	bool wanted = served && target_probe(&p->config, target);

	if (wanted && !p->targets[target].probed)
		start_probing(p, target, cold);
	else if (!wanted && p->targets[target].probed) {
		stop_probing(p, target);
		p->targets[real].verdict = agents_verdict(p, real);
	}
}

static void
refresh_members(struct pool *p, uint32_t real, bool wanted, bool cold)
{
	for (uint32_t i = 0; i < group_members(&p->config, real); i++) {
		uint32_t target = member_target(&p->config, real, i);
		bool asked = wanted && target_probe(&p->config, target);

		if (asked && !p->targets[target].probed)
			start_probing(p, target, cold);
		else if (!asked && p->targets[target].probed)
			stop_probing(p, target);
	}
}

static void
refresh_reals(struct pool *p, uint32_t virtual_row, bool served, bool cold)
{
	const struct conf_virtual *v = &p->config.virtuals[virtual_row];

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
		bool wanted = served && target_probe(&p->config, i) &&
			(p->overlay.count == 0 || !operate_is_disabled(p, virtual_row, i));
		bool urgent = cold || p->targets[i].keep_out;

		if (wanted && !p->targets[i].probed)
			start_probing(p, i, urgent);
		else if (!wanted && p->targets[i].probed)
			stop_probing(p, i);
		if (p->config.probe_members != 0)
			refresh_members(p, i, wanted, urgent);
		if (p->config.has_agents)
			refresh_agent(p, i, served, cold);
	}
}

void
targets_refresh(struct pool *p)
{
	for (uint32_t v = 0; v < p->config.virtual_count; v++) {
		const struct conf_virtual *row = &p->config.virtuals[v];
		bool served = virtual_is_served(p, v);
		bool cold = p->config.routers[row->router].standby == CONF_STANDBY_COLD;

		refresh_reals(p, v, served, cold);
		refresh_sorry(p, v, served, cold);
	}
	for (uint32_t i = p->config.real_count; i < sorry_target(&p->config, 0); i++)
		if (target_probe(&p->config, i) && !p->targets[i].probed)
			start_probing(p, i, true);
	flush(p);
}

/* The first free one from *next on, which moves along. */
static uint32_t
take_slot(struct pool *p, uint32_t target, uint32_t *next)
{
	while (*next < p->slot_count && p->slot_rows[*next] != CONF_NO_INDEX)
		(*next)++;
	if (*next == p->slot_count)
		return CONF_NO_INDEX;
	p->slot_rows[*next] = target;
	return (*next)++;
}

/* Room for every target before and after the reload at the same time. */
static int
grow_slots(struct pool *p, uint32_t count)
{
	uint32_t *grown;

	if (count <= p->slot_count)
		return 0;
	grown = realloc(p->slot_rows, (count + 1) * sizeof(*grown));
	if (!grown)
		return -1;
	for (uint32_t i = p->slot_count; i < count; i++)
		grown[i] = CONF_NO_INDEX;
	p->slot_rows = grown;
	p->slot_count = count;
	return 0;
}

static void
init_target(const struct config *c, uint32_t target, mono now, struct pool_target *t)
{
	*t = (struct pool_target){.verdict = HEALTH_UNKNOWN, .said = HEALTH_UNKNOWN, .since = now,
		.last_result = MONO_NEVER, .connect_ns = -1, .answer_ns = -1,
		.expires_s = INT64_MAX, .warned = MONO_NEVER, .slot = CONF_NO_INDEX,
		.drain.since = MONO_NEVER, .ramp.since = MONO_NEVER, .percent = RAMP_FULL,
		.share = LATENCY_SHARE_FULL, .silent_since = MONO_NEVER,
		.hole = BLACK_HOLE_NONE};
	if (target_is_unresolved(c, target))
		t->reason = REASON_UNRESOLVED;
	else if (target_is_real(c, target) && !target_probe(c, target))
		t->verdict = t->said = HEALTH_UP;
}

/* What was there before keeps its number. */
static void
keep_numbers(struct pool *p)
{
	for (uint32_t i = 0; i < p->slot_count; i++)
		p->slot_rows[i] = CONF_NO_INDEX;
	for (uint32_t i = 0; i < targets_count(&p->config); i++)
		if (p->targets[i].slot != CONF_NO_INDEX)
			p->slot_rows[p->targets[i].slot] = i;
}

/*
 * The targets of `now`, row i being row was[i] before; what was there before is moved over, and has no
 * slot in `old` any more.
 */
static struct pool_target *
move_targets(const struct config *now, const uint32_t *was, struct pool_target *old)
{
	uint32_t count = targets_count(now);
	struct pool_target *targets = reallocarray(NULL, (size_t)count + 1, sizeof(*targets));
	mono at = mono_now();

	for (uint32_t i = 0; targets && i < count; i++) {
		if (was[i] == CONF_NO_INDEX || old[was[i]].slot == CONF_NO_INDEX) {
			init_target(now, i, at, &targets[i]);
			continue;
		}
		targets[i] = old[was[i]];
		old[was[i]].slot = CONF_NO_INDEX;
	}
	if (targets)
		agents_settle(now, targets);
	return targets;
}

static bool
is_out(const struct pool_target *t)
{
	return t->verdict == HEALTH_DOWN || t->keep_out;
}

/* Who was down is so still when he is asked in another way: nobody is sent there before an answer. */
static void
keep_out_the_down(const struct config *now, const struct config *before,
	const struct pool_target *old, struct pool_target *targets)
{
	uint32_t *reals = NULL, any = 0;

	for (uint32_t i = 0; old && i < before->real_count; i++)
		any += is_out(&old[i]);
	if (any > 0)
		reals = carry_reals(now, before);
	for (uint32_t i = 0; reals && i < now->real_count; i++)
		if (reals[i] != CONF_NO_INDEX && targets[i].verdict == HEALTH_UNKNOWN)
			targets[i].keep_out = is_out(&old[reals[i]]);
	free(reals);
}

struct pool_target *
targets_foreseen(const struct pool *p, const struct config *now)
{
	uint32_t count = targets_count(&p->config), *was = carry_targets(now, &p->config);
	struct pool_target *old = calloc(count + 1, sizeof(*old)), *targets = NULL;

	if (old && was && p->targets) {
		memcpy(old, p->targets, count * sizeof(*old));
		targets = move_targets(now, was, old);
	}
	if (targets)
		keep_out_the_down(now, &p->config, old, targets);
	free(was);
	free(old);
	return targets;
}

/* False: no memory. */
static bool
renew_targets(struct pool *p, const uint32_t *was, const struct config *before)
{
	uint32_t count_before = targets_count(before);
	struct pool_target *old = p->targets;

	p->targets = move_targets(&p->config, was, old);
	if (!p->targets || grow_slots(p, targets_count(&p->config) + count_before) == -1)
		return false;
	keep_out_the_down(&p->config, before, old, p->targets);
	keep_numbers(p);
	for (uint32_t i = 0; i < count_before; i++)
		if (old[i].slot != CONF_NO_INDEX && old[i].probed &&
			p->slot_rows[old[i].slot] == CONF_NO_INDEX) /* no twin goes on with it */
			send_clear(p, &old[i]);
	free(old);
	return shares_number(p, take_slot);
}

/* The question is the same, and its verdict stays until the one who is asked now says otherwise. */
static void
ask_elsewhere(struct pool *p, uint32_t target)
{
	uint32_t generation = ++p->probe_generation, i = target;

	do {
		p->targets[i].generation = generation;
		p->targets[i].untold = p->targets[i].urgent = true;
		i = p->targets[i].twin;
	} while (i != target);
}

/* Names of what is asked stand for other addresses than before. */
static void
follow_names(struct pool *p, const uint32_t *was, const struct config *before)
{
	for (uint32_t i = 0; i < targets_count(&p->config); i++) {
		struct ip_addr now, then;

		if (was[i] == CONF_NO_INDEX || !p->targets[i].probed)
			continue;
		now = target_asked(&p->config, i);
		then = target_asked(before, was[i]);
		if (!ip_addr_equal(&now, &then))
			ask_elsewhere(p, i);
	}
}

int
targets_configure(struct pool *p, const struct config *before)
{
	uint32_t count_before = targets_count(before), *was = carry_targets(&p->config, before);
	uint32_t count = targets_count(&p->config);
	bool ok = was != NULL;

	if (ok && (!p->targets || !carry_moves_nothing(was, count, count_before)))
		ok = renew_targets(p, was, before);
	if (ok)
		follow_names(p, was, before);
	free(was);
	if (!ok)
		return -1;
	for (uint32_t i = 0; i < p->prober_count; i++)
		p->probers[i].table_untold = true;
	/* What the supervisor did not take while it reloaded. */
	for (uint32_t i = 0; i < count; i++)
		p->targets[i].untold = p->targets[i].untold ||
			(p->targets[i].probed && p->targets[i].exec);
	targets_refresh(p);
	return 0;
}

static void
take_facts(struct pool_target *t, const struct ipc_probe_result *r)
{
	t->reason = r->reason < REASON_COUNT ? (enum reason)r->reason : REASON_NONE;
	t->detail = r->detail;
	t->last_result = (mono){r->at_ns};
	t->connect_ns = r->connect_ns;
	t->answer_ns = r->answer_ns;
	t->probes = r->probes;
	t->failures = r->failures;
	memcpy(t->evidence, r->evidence, sizeof(t->evidence));
	t->evidence[sizeof(t->evidence) - 1] = '\0';
	t->expires_s = r->expires_s;
}

/* What an agent said comes after what was found of reaching it. */
static void
take_agent(struct pool *p, uint32_t target, const struct ipc_probe_result *r)
{
	const struct conf_probe *probe = target_probe(&p->config, target);
	struct pool_target *t = &p->targets[target];
	struct agent_state before = t->agent;
	uint32_t real = target_real(&p->config, target);

	if (!probe || probe->type != CONF_PROBE_AGENT || real >= p->config.real_count ||
		!agent_is_sound(&r->agent))
		return;
	agent_merge(&t->agent, &r->agent);
	agents_heard(p, real, &before, p->targets[real].verdict);
}

/* A program's exit status is a weight. */
static void
take_weight(struct pool *p, uint32_t target, const struct ipc_probe_result *r)
{
	struct pool_target *t = &p->targets[target];

	if (!t->exec || !r->ok || (t->weighs == r->has_weight && t->told_weight == r->weight))
		return;
	t->weighs = r->has_weight;
	t->told_weight = r->weight;
	table_replan(p, REASON_PROBE_WEIGHT);
}

static void
change_verdict(struct pool *p, uint32_t target, enum health_verdict now)
{
	struct pool_target *t = &p->targets[target];
	enum health_verdict before = t->verdict;

	t->verdict = now;
	t->since = mono_now();
	if (target_is_track(&p->config, target)) {
		tracks_tell(p, target - p->config.real_count);
		return;
	}
	if (target_is_agent(&p->config, target)) {
		if (now == HEALTH_DOWN || before == HEALTH_DOWN)
			target_log_verdict(p, target, before);
		return;
	}
	if (target_is_real(&p->config, target))
		weights_verdict(p, &p->config.virtuals[target_virtual(&p->config, target)], target, before);
	target_log_verdict(p, target, before);
	views_tell(p);
	table_replan(p, REASON_HEALTH);
}

static void settle_held(struct pool *p, const struct conf_virtual *v);

/* The verdict out of what the probe says, what the agent says, and who is held back. */
static void
settle(struct pool *p, uint32_t target)
{
	struct pool_target *t = &p->targets[target];
	enum health_verdict now;

	if (flaps_hold(p, target))
		t->reason = REASON_FLAPPING;
	else if (t->reason == REASON_FLAPPING)
		t->reason = REASON_PROBE_OK; /* let in between two results */
	now = target_is_real(&p->config, target) ? agents_verdict(p, target) : flaps_verdict(t);
	if (now == t->verdict)
		return;
	change_verdict(p, target, now);
	if (now == HEALTH_DOWN && target_is_real(&p->config, target))
		settle_held(p, &p->config.virtuals[target_virtual(&p->config, target)]);
}

/* One is down: those held back may be needed. */
static void
settle_held(struct pool *p, const struct conf_virtual *v)
{
	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		if (p->targets[i].flap.held)
			settle(p, i);
}

void
targets_second(struct pool *p)
{
	for (uint32_t i = 0; i < targets_count(&p->config); i++)
		if (p->targets[i].flap.held)
			settle(p, i);
}

void
target_take_verdict(struct pool *p, uint32_t target, enum health_verdict now)
{
	struct pool_target *t = &p->targets[target];

	if (now != t->said) {
		t->keep_out = false;
		flaps_said(p, target, now);
	}
	settle(p, target);
}

static void
take_result(struct pool *p, uint32_t target, const struct ipc_probe_result *r)
{
	enum health_verdict now = r->up ? HEALTH_UP : HEALTH_DOWN;
	struct pool_target *t = &p->targets[target];

	if (!t->probed || t->generation != r->generation)
		return;
	take_facts(t, r);
	target_warn_of_expiry(p, target);
	if (t->reason == REASON_LOCAL_ERROR)
		target_log_local_error(p, target);
	if (r->ok)
		weights_measured(t);
	if (target_is_member(&p->config, target)) {
		if (t->reason != REASON_LOCAL_ERROR || t->said != HEALTH_UNKNOWN)
			t->verdict = t->said = now;
		group_heard(p, target, r);
		return;
	}
	if (target_is_real(&p->config, target) && correlated_takes(p, target, r))
		now = t->said;
	if (t->reason != REASON_LOCAL_ERROR || t->said != HEALTH_UNKNOWN)
		target_take_verdict(p, target, now);
	take_agent(p, target, r);
	take_weight(p, target, r);
}

/* Is that target asked by this one? `prober` is CONF_NO_INDEX for the supervisor, which runs programs. */
static bool
is_asked_by(const struct pool *p, uint32_t target, uint32_t prober)
{
	const struct conf_probe *probe = target_probe(&p->config, target);

	if (probe && probe->type == CONF_PROBE_EXEC)
		return prober == CONF_NO_INDEX;
	return p->prober_count > 0 && p->targets[target].slot % p->prober_count == prober;
}

/* For all whose probe that is. */
void
targets_result(struct pool *p, uint32_t prober, const struct ipc_probe_result *r)
{
	uint32_t first = r->target < p->slot_count ? p->slot_rows[r->target] : CONF_NO_INDEX;
	struct ipc_probe_result believed = *r;
	uint32_t target = first;

	if (first == CONF_NO_INDEX || !is_asked_by(p, first, prober))
		return;
	believed.at_ns = mono_min((mono){r->at_ns}, mono_now()).ns;
	do {
		take_result(p, target, &believed);
		target = p->targets[target].twin;
	} while (target != first);
}

static void
take_results(const struct pool_prober *prober, const struct channel_message *m)
{
	const struct ipc_probe_results *results = ipc_results(m->payload, m->size);

	for (uint64_t i = 0; results && i < results->count; i++)
		targets_result(prober->pool, prober->index, &results->results[i]);
}

void
targets_seed(struct pool *p, uint32_t target, enum health_verdict verdict)
{
	struct pool_target *t = &p->targets[target];

	if (!t->probed || t->said != HEALTH_UNKNOWN)
		return;
	t->verdict = t->said = verdict;
	start_probing(p, target, true);
	flush(p);
}

static void
prober_gone(struct pool_prober *prober)
{
	ev_io_stop(prober->pool->loop, &prober->watcher);
	close(prober->fd);
	prober->fd = -1;
	clears_forget(prober->pool, prober->index);
	prober->stats = (struct ipc_prober_stats){0};
}

/* Their verdicts go along, as seeds. */
void
targets_spread(struct pool *p, uint32_t probers)
{
	uint32_t count = targets_count(&p->config);

	for (uint32_t i = 0; i < count; i++)
		if (p->targets[i].probed)
			send_clear(p, &p->targets[i]);
	p->prober_count = probers;
	for (uint32_t i = 0; i < count; i++)
		p->targets[i].untold = p->targets[i].probed;
	flush(p);
}

static void
on_prober(struct ev_loop *loop, ev_io *w, int events)
{
	struct pool_prober *prober = w->data;
	const struct ipc_prober_stats *stats;
	struct channel_message m;

	(void)loop;
	(void)events;
	for (int i = 0; i < RESULTS_A_TURN; i++) {
		int got = incoming_receive(&prober->pool->incoming, prober->fd, PROCESS_PROBER, &m);

		if (got == 0)
			return;
		if (got == INCOMING_REFUSED) {
			prober_replace(prober->pool, prober->index, REASON_BAD_MESSAGE);
			continue;
		}
		if (got == -1) {
			prober_gone(prober);
			return;
		}
		stats = m.kind == IPC_PROBER_STATS ? channel_payload(&m, sizeof(*stats)) : NULL;
		if (stats)
			prober->stats = *stats;
		if (m.kind == IPC_PROBE_RESULTS)
			take_results(prober, &m);
		else if (m.kind == IPC_SOCKETS)
			marks_give(prober, channel_payload(&m, sizeof(struct ipc_sockets)));
	}
}

/* With one prober more, targets are spread anew; a successor gets what its predecessor had. */
void
targets_prober_up(struct pool *p, uint32_t index, int fd)
{
	struct pool_prober *prober = &p->probers[index];

	if (prober->pool && prober->fd != -1)
		prober_gone(prober);
	prober->pool = p;
	prober->index = index;
	prober->socket_limit = (struct log_limit){.every_ns = 10 * NS_PER_MS, .burst = 100};
	prober->fd = fd;
	prober->table_untold = true;
	ev_io_init(&prober->watcher, on_prober, fd, EV_READ);
	prober->watcher.data = prober;
	ev_io_start(p->loop, &prober->watcher);
	if (index >= p->prober_count) {
		targets_spread(p, index + 1);
		return;
	}
	for (uint32_t i = 0; i < targets_count(&p->config); i++)
		if (prober_of(p, &p->targets[i]) == prober)
			p->targets[i].untold = p->targets[i].probed;
	flush(p);
}
