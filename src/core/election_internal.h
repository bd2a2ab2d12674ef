/*
 * What the parts of the election share: election.c has the state machine of RFC 9568,
 * election_keyed.c what the nodes of a keyed pair do beyond it, election_announce.c who has the last
 * word to the neighbours, election_grouped.c what a member of a group does, election_catch_up.c how
 * a standby that was away learns. Inside of src/core only.
 */
#ifndef TANDEM_CORE_ELECTION_INTERNAL_H
#define TANDEM_CORE_ELECTION_INTERNAL_H

#include "core/election.h"

/* election.c: actions and roles */
struct el_act *election_act(struct el_acts *out, enum el_act_kind kind);
void election_send_advert(struct el_acts *out, uint8_t priority);
void election_enter_active(struct election *e, mono now, enum reason reason, struct el_acts *out);
void election_enter_backup(struct election *e, mono now, enum reason reason,
	int64_t active_interval_ns, struct el_acts *out);
void election_enter_fault(struct election *e, mono now, enum reason reason, struct el_acts *out);
void election_enter(struct election *e, mono now, enum reason reason, struct el_acts *out);
void election_release(struct election *e, mono now, bool resign, struct el_acts *out);
/* True: an active has slept too long, or its lease is over; it is backup now. */
bool election_must_step_down(struct election *e, mono now, struct el_acts *out);
void election_recv_as_backup(struct election *e, mono now, const struct el_advert *advert);
void election_answer_rival(struct election *e, mono now, const struct el_advert *advert,
	struct el_acts *out);
int64_t election_skew_ns(const struct election *e, int64_t interval_ns);
int64_t election_down_ns(const struct election *e, int64_t interval_ns);
bool election_is_able(const struct election *e);

/* election_keyed.c */
void keyed_start(struct election *e);
void keyed_enter(struct election *e, mono now, enum reason reason, struct el_acts *out);
/* An offer that is under way, if any, ends without having been taken. */
void keyed_drop_offer(struct election *e, enum reason why, struct el_acts *out);
/* Not active: a hello now, unless it was held up and listens. */
void keyed_speak(struct election *e, mono now, struct el_acts *out);
void keyed_recv(struct election *e, mono now, const struct el_advert *message, struct el_acts *out);
/* True: the silence is over, claim. False: the wire is being asked. */
bool keyed_silence_is_real(struct election *e, mono now);
void keyed_tick(struct election *e, mono now, struct el_acts *out);
mono keyed_deadline(const struct election *e);
/* Fitness changed, or what is known of the peer: should the other one be active? */
void keyed_reconsider(struct election *e, mono now, struct el_acts *out);
void keyed_offer(struct election *e, mono now, enum reason why, struct el_acts *out);
bool keyed_may_offer(const struct election *e, mono now);
/* It took an offer: the peer is no rival until it has given up. */
void keyed_taking(struct election *e, mono now);
bool keyed_is_taking(const struct election *e, mono now);
/* Would the peer, as last heard, rather be active than we? */
bool keyed_peer_outranks(const struct election *e);

/* election_announce.c */
void announcements_begin(struct election *e, mono now, struct el_acts *out);
/* Somebody else may have been believed since the last one: at most once a second, else put off. */
void announcements_repeat(struct election *e, mono now, struct el_acts *out);
/* The peer is to have the last word; ours again then, if it does not hold the addresses. */
void announcements_hush(struct election *e, mono until);
void announcements_tick(struct election *e, mono now, struct el_acts *out);

/* election_catch_up.c: an active was heard, so what it tells arrives here */
void catch_up_heard(struct election *e, mono now);

/* election_grouped.c: the way to active for whoever may be in a group */
void grouped_rise(struct election *e, mono now, enum reason why, struct el_acts *out);
void grouped_rise_offered(struct election *e, mono now, enum reason why, struct el_acts *out);
/* Another active is heard; `deposing`: it is to be preempted. */
void grouped_heard(struct election *e, bool deposing);
void grouped_forget(struct election *e);

#endif
