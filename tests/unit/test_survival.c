/* What connections survive by: each fact alone, which of several goes first, and the digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/survival.h"

static const struct survival_facts synced = {.balancing = true, .sync_enabled = true,
	.sync_running = true, .servers = SERVERS_EQUAL};
static const struct survival_facts hashed = {.balancing = true, .hashing = true,
	.servers = SERVERS_EQUAL};

static void
is(struct survival_facts f, enum survival_mode mode, enum reason why)
{
	struct survival s = survival_judge(&f);

	assert_string_equal(survival_name(s.mode), survival_name(mode));
	assert_string_equal(reason_tag(s.why), reason_tag(why));
}

#define WITH(base, ...) ({ struct survival_facts f_ = base; f_.__VA_ARGS__; f_; })

static void
nothing_survives_without(void **state)
{
	(void)state;
	is(WITH(hashed, alone = true), SURVIVAL_NONE, REASON_NO_STANDBY);
	is(WITH(hashed, peer_lost = true), SURVIVAL_NONE, REASON_PEER_LOST);
	is(WITH(hashed, cold = true), SURVIVAL_NONE, REASON_COLD_STANDBY);
	is(WITH(hashed, balancing = false), SURVIVAL_NONE, REASON_NO_IP_VS);
	is(WITH(hashed, one_packet = true), SURVIVAL_NONE, REASON_ONE_PACKET);
	is(WITH(synced, sync_enabled = false), SURVIVAL_NONE, REASON_SYNC_OFF);
	is(WITH(synced, sync_running = false), SURVIVAL_NONE, REASON_SYNC_REFUSED);
}

static void
sync_tells_what_is_wrong(void **state)
{
	(void)state;
	is(synced, SURVIVAL_SYNC, REASON_NONE);
	is(WITH(synced, sysctl_refused = true), SURVIVAL_SYNC, REASON_SYSCTL_REFUSED);
	is(WITH(synced, behind = true), SURVIVAL_SYNC, REASON_CATCHING_UP);
	is(WITH(synced, servers = SERVERS_DIFFER), SURVIVAL_SYNC, REASON_SERVERS_DIFFER);
	is(WITH(synced, servers = SERVERS_UNTOLD), SURVIVAL_SYNC, REASON_NONE);
	is(WITH(synced, sloppy_refused = true), SURVIVAL_SYNC, REASON_NONE); /* not needed */
}

static void
hash_needs_equal_servers_and_its_sysctl(void **state)
{
	struct survival_facts both = hashed;

	(void)state;
	is(hashed, SURVIVAL_HASH, REASON_NONE);
	is(WITH(hashed, behind = true), SURVIVAL_HASH, REASON_NONE); /* there is nothing to learn */
	is(WITH(hashed, servers = SERVERS_UNTOLD), SURVIVAL_HASH, REASON_SERVERS_UNTOLD);
	is(WITH(hashed, servers = SERVERS_DIFFER), SURVIVAL_NONE, REASON_SERVERS_DIFFER);
	is(WITH(hashed, sloppy_refused = true), SURVIVAL_NONE, REASON_SYSCTL_REFUSED);
	both.sync_enabled = both.sync_running = true;
	is(both, SURVIVAL_HASH, REASON_NONE);
	is(WITH(both, servers = SERVERS_DIFFER), SURVIVAL_SYNC, REASON_SERVERS_DIFFER);
	is(WITH(both, sloppy_refused = true), SURVIVAL_SYNC, REASON_SYSCTL_REFUSED);
}

static void
which_schedulers_hash(void **state)
{
	static const char *const others[] = {"sh", "rr", "wlc", "dh", "lblc", "m", "mhx", ""};

	(void)state;
	assert_true(survival_is_hash("mh", 0));
	assert_false(survival_is_hash("mh", 300)); /* persistence has a memory */
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(survival_is_hash(others[i], 0));
}

static void
digest_tells_servers_apart(void **state)
{
	unsigned same = 0;

	(void)state;
	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t other = i + 1;
		uint8_t a = survival_digest_end(
			survival_digest_add(survival_digest_begin(), &i, sizeof(i)));
		uint8_t b = survival_digest_end(
			survival_digest_add(survival_digest_begin(), &other, sizeof(other)));

		assert_int_not_equal(a, 0);
		same += a == b;
	}
	assert_in_range(same, 0, 80); /* one in 127, were it by chance */
	assert_int_not_equal(survival_digest_end(survival_digest_begin()), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_survives_without),
		cmocka_unit_test(sync_tells_what_is_wrong),
		cmocka_unit_test(hash_needs_equal_servers_and_its_sysctl),
		cmocka_unit_test(which_schedulers_hash),
		cmocka_unit_test(digest_tells_servers_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
