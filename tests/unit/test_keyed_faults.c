/* A keyed pair when one of the two hangs, sleeps or gives up in the middle of something. */
#include "keyed_bench.h"
#include "core/vrrp.h"

/* A lower active that offers nothing and falls silent: its kernel may still answer. */
static void
test_wanted_place_of_a_silent_active_is_asked_for(void **state)
{
	struct bench b;
	struct el_params p = keyed_params(150);
	size_t asks = 0;

	(void)state;
	p.preempt = true;
	start_backup(&b, p);
	tick(&b);
	live(&b, 250 * MS, NULL);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	assert_true((el_flags(&b.e) & TRAILER_WANT) != 0);
	while (b.e.role == EL_BACKUP) {
		next(&b);
		asks += count(&b, EL_ASK);
	}
	assert_int_equal(asks, 3);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_SILENT);
}

/* The last lease may be the peer's, whose configuration may be another one. */
static void
test_the_longer_lease_is_waited_for(void **state)
{
	struct bench b;
	struct el_advert m;
	mono heard;

	(void)state;
	start_standby(&b, 100, 150);
	m = message(EL_ACTIVE, 150, TRAILER_HOLDING);
	m.lease_ns = 10 * NS_PER_S;
	hear_message(&b, m);
	heard = b.e.last_heard;
	while (b.e.role == EL_BACKUP) {
		next(&b);
		if (!find(&b, EL_ASK))
			continue;
		b.acts.count = 0;
		el_answered(&b.e, b.now, &b.acts);
	}
	assert_true(mono_diff_ns(b.now, heard) >= 12 * NS_PER_S);
	assert_true(mono_diff_ns(b.now, heard) < 13 * NS_PER_S);
}

/*
 * What a peer says that is refused, ten times a second, while its kernel answers for the addresses,
 * until this node is active or so much time has passed. How often that was told, and as what.
 */
static size_t
listen_to(struct bench *b, enum reason refused, struct vrrp_advert said, int64_t for_ns, enum reason *as)
{
	mono end = mono_add_ns(b->now, for_ns), next_said = b->now;
	size_t told = 0;

	*as = REASON_NONE;
	while (b->e.role == EL_BACKUP && mono_before(b->now, end)) {
		if (mono_due(next_said, b->now)) {
			el_refused(&b->e, b->now, refused, &said);
			next_said = mono_add_ns(b->now, 100 * MS);
		}
		next(b);
		if (!find(b, EL_ASK))
			continue;
		b->acts.count = 0;
		el_answered(&b->e, b->now, &b->acts);
		if (find(b, EL_STILL_ANSWERED)) {
			*as = find(b, EL_STILL_ANSWERED)->reason;
			told++;
		}
	}
	return told;
}

/* The peer was given another key: it is alive, has the addresses, and no lease of it ends. */
static void
test_an_active_with_another_key_keeps_what_it_has(void **state)
{
	static const enum reason kinds[] = {REASON_BAD_KEY, REASON_BAD_MAC, REASON_NO_TRAILER};
	struct vrrp_advert advert = {.type = VRRP_ADVERT, .priority = 150};
	enum reason as;
	struct bench b;
	mono silent;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		start_standby(&b, 100, 150);
		assert_int_equal(listen_to(&b, kinds[i], advert, 30 * NS_PER_S, &as), 1);
		assert_int_equal(as, REASON_PEER_DISBELIEVED);
		assert_int_equal(b.e.role, EL_BACKUP);
		while (b.e.role == EL_BACKUP) /* nobody answers any more */
			next(&b);
		assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_SILENT);
	}
	start_standby(&b, 100, 150);
	listen_to(&b, REASON_BAD_MAC, advert, 10 * NS_PER_S, &as);
	silent = b.now;
	/* Its kernel answers, and it says nothing: hung, and its leases end. */
	assert_int_equal(listen_to(&b, REASON_NONE, advert, 30 * NS_PER_S, &as), 0);
	assert_int_equal(b.e.role, EL_ACTIVE);
	assert_in_range(mono_diff_ns(b.now, silent), 4800 * MS, 5200 * MS);
}

/* At first it is silent; that it is alive is heard, and told, later. */
static void
test_another_key_is_told_when_it_is_heard(void **state)
{
	struct vrrp_advert advert = {.type = VRRP_ADVERT, .priority = 150};
	enum reason as;
	struct bench b;

	(void)state;
	start_standby(&b, 100, 150);
	assert_int_equal(listen_to(&b, REASON_NONE, advert, NS_PER_S, &as), 1);
	assert_int_equal(as, REASON_ADDRESS_ANSWERED);
	assert_int_equal(listen_to(&b, REASON_BAD_KEY, advert, 30 * NS_PER_S, &as), 1);
	assert_int_equal(as, REASON_PEER_DISBELIEVED);
	assert_int_equal(b.e.role, EL_BACKUP);
}

/* Anybody can send what is refused: without an answer of the wire it delays nothing. */
static void
test_what_is_refused_is_no_advertisement(void **state)
{
	static const struct {
		enum reason why;
		struct vrrp_advert said;
	} others[] = {
		{REASON_REPLAYED, {.type = VRRP_ADVERT, .priority = 150}},
		{REASON_BAD_MAC, {.type = VRRP_HELLO, .priority = 150}},
		{REASON_BAD_MAC, {.type = VRRP_ADVERT, .priority = EL_PRIORITY_RESIGN}},
	};
	struct vrrp_advert advert = {.type = VRRP_ADVERT, .priority = 150};
	enum reason as;
	struct bench b;
	mono heard;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		start_standby(&b, 100, 150);
		heard = b.e.last_heard;
		listen_to(&b, others[i].why, others[i].said, 30 * NS_PER_S, &as);
		assert_int_equal(b.e.role, EL_ACTIVE);
		assert_in_range(mono_diff_ns(b.now, heard), 5 * NS_PER_S, 6 * NS_PER_S);
	}
	start_standby(&b, 100, 150);
	heard = b.e.last_heard;
	while (b.e.role == EL_BACKUP) {
		el_refused(&b.e, b.now, REASON_BAD_MAC, &advert);
		next(&b);
	}
	assert_true(mono_diff_ns(b.now, heard) <= el_down_ns(100, 100 * MS) + MS);
}

static void
assert_offer_ended(const struct bench *b, enum reason why)
{
	assert_int_equal(count(b, EL_OFFER_ENDED), 1);
	assert_false(find(b, EL_OFFER_ENDED)->ok);
	assert_string_equal(reason_tag(find(b, EL_OFFER_ENDED)->reason), reason_tag(why));
}

static void
test_offer_of_a_node_that_gives_up_has_ended(void **state)
{
	struct bench b;
	struct el_params plain = params_of(150);

	(void)state;
	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	set_fit(&b, false, REASON_CARRIER_LOST);
	assert_offer_ended(&b, REASON_CARRIER_LOST);

	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	wait_ns(&b, 2900 * MS);
	tick(&b);
	assert_offer_ended(&b, REASON_LEASE_LAPSED);

	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	b.acts.count = 0;
	el_yield(&b.e, b.now, REASON_GROUP, &b.acts);
	assert_offer_ended(&b, REASON_GROUP);

	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	b.acts.count = 0;
	el_reconfigure(&b.e, b.now, &plain, &b.acts);
	assert_offer_ended(&b, REASON_OFFER_EXPIRED);
}

static void
speak(struct bench *b)
{
	b->acts.count = 0;
	el_speak(&b->e, b->now, &b->acts);
}

static void
test_what_the_peer_waits_for_is_said_unless_we_were_held_up(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	speak(&b);
	assert_acts(&b, EL_SEND_ADVERT, -1);
	wait_ns(&b, 6 * NS_PER_S);
	speak(&b);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	speak(&b);
	assert_no_acts(&b);

	start_standby(&b, 100, 150);
	speak(&b);
	assert_acts(&b, EL_SEND_HELLO, -1);
	wait_ns(&b, 6 * NS_PER_S);
	speak(&b);
	assert_no_acts(&b);

	start_backup(&b, params_of(100));
	speak(&b);
	assert_no_acts(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wanted_place_of_a_silent_active_is_asked_for),
		cmocka_unit_test(test_the_longer_lease_is_waited_for),
		cmocka_unit_test(test_an_active_with_another_key_keeps_what_it_has),
		cmocka_unit_test(test_another_key_is_told_when_it_is_heard),
		cmocka_unit_test(test_what_is_refused_is_no_advertisement),
		cmocka_unit_test(test_offer_of_a_node_that_gives_up_has_ended),
		cmocka_unit_test(test_what_the_peer_waits_for_is_said_unless_we_were_held_up),
	};

	return cmocka_run_group_tests_name("keyed-faults", tests, NULL, NULL);
}
