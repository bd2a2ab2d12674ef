/* Addresses with leases, in a real kernel: set, renewed, lapsed, removed, listed, many at once. */
#include "bed.h"

#include "base/mono.h"
#include "linux/addresses.h"
#include "linux/block_routes.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct found {
	struct ip_prefix prefix;
	int ifindex;
	size_t times;
	struct address_seen seen;
};

static void
look(void *context, const struct address_seen *a)
{
	struct found *f = context;

	if (a->ifindex != f->ifindex || a->prefix.length != f->prefix.length ||
		!ip_addr_equal(&a->prefix.addr, &f->prefix.addr))
		return;
	f->times++;
	f->seen = *a;
}

static struct found
find(struct address_socket *s, const char *text, int ifindex)
{
	struct found f = {.ifindex = ifindex};

	assert_true(ip_prefix_parse(text, &f.prefix));
	assert_int_equal(addresses_list(s, look, &f), 0);
	return f;
}

static struct address_change
change(const char *text, int ifindex, uint32_t lease_s)
{
	struct address_change c = {.ifindex = ifindex, .lease_s = lease_s, .error = 12345};

	assert_true(ip_prefix_parse(text, &c.prefix));
	return c;
}

static struct address_socket *
open_socket(void)
{
	struct address_socket *s;

	assert_int_equal(address_socket_open(&s), 0);
	assert_int_not_equal(address_socket_port(s), 0);
	return s;
}

static void
sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		;
}

static void
test_set_list_remove(void **state)
{
	struct bed *bed = *state;
	struct address_socket *s = open_socket();
	struct address_change list[] = {change("10.9.0.100/24", bed->v0, 30),
		change("10.8.0.1/32", bed->v0, 0), change("fd00:9::100/64", bed->v0, 30)};
	struct found f;

	assert_int_equal(addresses_apply(s, ADDRESS_SET, list, 3), 0);
	f = find(s, "10.9.0.100/24", bed->v0);
	assert_int_equal(f.times, 1);
	assert_true(f.seen.valid_s >= 29 && f.seen.valid_s <= 30);
	assert_int_equal(f.seen.proto, ADDRESS_PROTO);
	assert_true(f.seen.secondary); /* v0 has its own address in that subnet */
	f = find(s, "10.8.0.1/32", bed->v0);
	assert_int_equal(f.seen.valid_s, UINT32_MAX);
	assert_false(f.seen.secondary);
	f = find(s, "fd00:9::100/64", bed->v0);
	assert_int_equal(f.times, 1);
	assert_int_equal(f.seen.proto, ADDRESS_PROTO);

	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, list, 3), 0);
	assert_int_equal(find(s, "10.9.0.100/24", bed->v0).times, 0);
	assert_int_equal(find(s, "fd00:9::100/64", bed->v0).times, 0);
	assert_int_equal(find(s, "10.9.0.1/24", bed->v0).times, 1); /* not ours: untouched */
	address_socket_close(s);
}

static void
test_ipv6_is_usable_at_once_and_after_renewal(void **state)
{
	struct bed *bed = *state;
	struct address_socket *s = open_socket();
	struct address_change a = change("fd00:9::101/64", bed->v0, 30);

	for (int i = 0; i < 2; i++) {
		assert_int_equal(addresses_apply(s, ADDRESS_SET, &a, 1), 0);
		assert_string_equal(
			bed_ask("ip -6 -o addr show dev v0 tentative | grep -c fd00:9::101"), "0");
		assert_string_equal(
			bed_ask("ip -6 -o addr show dev v0 | grep fd00:9::101 | grep -c nodad"), "1");
	}
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, &a, 1), 0);
	address_socket_close(s);
}

/* The host has an address of its own in that prefix, by itself or by router advertisements. */
static void
test_prefix_route_of_the_host_is_not_touched(void **state)
{
	struct bed *bed = *state;
	struct address_socket *s = open_socket();
	struct address_change list[] = {change("fd00:a::100/64", bed->v0, 30),
		change("fd00:b::100/64", bed->v0, 30), change("fd00:c::100/128", bed->v0, 30)};

	bed_run("ip addr add fd00:a::1/64 dev v0 nodad valid_lft 1000 preferred_lft 1000");
	bed_run("ip addr add fd00:b::1/64 dev v0 nodad");
	for (int i = 0; i < 2; i++) { /* set and renewed */
		assert_int_equal(addresses_apply(s, ADDRESS_SET, list, 3), 0);
		assert_string_equal(bed_ask("ip -6 route show fd00:a::/64 metric 256 | "
			"grep -cE 'expires (9[0-9][0-9]|1000)sec'"), "1");
		assert_string_equal(bed_ask("ip -6 route show fd00:b::/64 metric 256 | "
			"grep -c expires"), "0");
		assert_string_equal(bed_ask("ip -6 route show fd00:c::100 | wc -l"), "0");
	}
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, list, 3), 0);
	assert_string_equal(bed_ask("ip -6 route show fd00:a::/64 | grep -cE "
		"'metric 256 expires (9[0-9][0-9]|1000)sec'"), "1");
	assert_string_equal(bed_ask("ip -6 route show fd00:b::/64 | grep metric.256 | grep -c expires"),
		"0");
	/* The kernel keeps the other one for as long as the lease was, while a neighbour is there. */
	assert_string_equal(bed_ask("ip -6 route show fd00:b::/64 | grep metric.1000 | "
		"grep -cv expires"), "0");
	bed_run("ip -6 route flush dev v0 proto kernel metric 1000; "
		"ip addr del fd00:a::1/64 dev v0; ip addr del fd00:b::1/64 dev v0");

	/* Without one the virtual address brings the route, which ends as the lease does. */
	list[0] = change("fd00:d::100/64", bed->v0, 30);
	assert_int_equal(addresses_apply(s, ADDRESS_SET, list, 1), 0);
	assert_string_equal(bed_ask("ip -6 route show fd00:d::/64 dev v0 | wc -l"), "1");
	assert_string_equal(bed_ask("ip -6 route show fd00:d::/64 dev v0 | grep -c expires"), "1");
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, list, 1), 0);
	address_socket_close(s);
}

static void
test_lease_lapses_unless_renewed(void **state)
{
	struct bed *bed = *state;
	struct address_socket *s = open_socket();
	struct address_change a = change("10.9.0.101/24", bed->v0, 2);
	mono last;
	int64_t lived;

	for (int i = 0; i < 3; i++) { /* 3 s and more than the lease */
		last = mono_now();
		assert_int_equal(addresses_apply(s, ADDRESS_SET, &a, 1), 0);
		sleep_ms(1000);
	}
	assert_int_equal(find(s, "10.9.0.101/24", bed->v0).times, 1);
	do {
		sleep_ms(20);
		lived = mono_diff_ns(mono_now(), last);
		assert_true(lived < 5 * NS_PER_S);
	} while (find(s, "10.9.0.101/24", bed->v0).times != 0);
	assert_true(lived > 1900 * NS_PER_MS);
	address_socket_close(s);
}

struct listed {
	struct block_route last;
	size_t count;
};

static void
count_block(void *context, const struct block_route *route)
{
	struct listed *l = context;

	l->last = *route;
	l->count++;
}

static struct listed
blocks_now(void)
{
	struct listed l = {.count = 0};

	assert_int_equal(block_routes_list(count_block, &l), 0);
	return l;
}

static struct address_change
block(const char *text, int ifindex, const char *anchor)
{
	struct address_change c = change(text, ifindex, 0);

	assert_true(ip_addr_parse(anchor, &c.anchor));
	return c;
}

static void
test_a_block_stands_on_its_address(void **state)
{
	struct bed *bed = *state;
	struct address_socket *s = open_socket();
	struct address_change list[] = {change("10.9.0.110/24", bed->v0, 30),
		block("10.40.0.0/16", bed->v0, "10.9.0.110")};
	struct address_change lonely = block("10.41.0.0/16", bed->v0, "10.9.0.222");
	struct listed l;

	assert_int_equal(addresses_apply(s, ADDRESS_SET, list, 2), 0);
	assert_int_equal(addresses_apply(s, ADDRESS_SET, list, 2), 0); /* renewed: it is there */
	l = blocks_now();
	assert_int_equal(l.count, 1);
	assert_int_equal(l.last.ifindex, bed->v0);
	assert_memory_equal(&l.last.prefix, &list[1].prefix, sizeof(l.last.prefix));
	assert_int_equal(block_route_answers(&list[1].prefix, &list[1].anchor), 0);
	bed_run_there(bed, "ip route replace 10.40.0.0/16 dev v1; ping -c 1 -W 1 -q 10.40.9.7 >&2");
	assert_int_equal(addresses_apply(s, ADDRESS_SET, &lonely, 1), 1); /* no such address here */
	assert_int_equal(lonely.error, EINVAL);

	/* removed: alone, again, and with its address */
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, &list[1], 1), 0);
	assert_int_equal(blocks_now().count, 0);
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, &list[1], 1), 0);
	assert_int_equal(addresses_apply(s, ADDRESS_SET, &list[1], 1), 0);
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, &list[0], 1), 0);
	assert_int_equal(blocks_now().count, 0);
	address_socket_close(s);
}

static void
test_a_block_lapses_with_its_lease(void **state)
{
	struct bed *bed = *state;
	struct address_socket *s = open_socket();
	struct address_change list[] = {change("10.9.0.111/24", bed->v0, 2),
		block("10.42.0.0/20", bed->v0, "10.9.0.111")};
	mono begun = mono_now();

	assert_int_equal(addresses_apply(s, ADDRESS_SET, list, 2), 0);
	while (blocks_now().count != 0) {
		assert_true(mono_diff_ns(mono_now(), begun) < 4 * NS_PER_S);
		sleep_ms(20);
	}
	assert_true(mono_diff_ns(mono_now(), begun) > 1900 * NS_PER_MS);
	address_socket_close(s);
}

/* A route of somebody else for the same prefix stays, and comes back into force. */
static void
test_a_block_leaves_other_routes_alone(void **state)
{
	struct bed *bed = *state;
	struct address_socket *s = open_socket();
	struct address_change list[] = {change("10.9.0.112/24", bed->v0, 30),
		block("10.43.0.0/20", bed->v0, "10.9.0.112")};

	bed_run("ip route add 10.43.0.0/20 via 10.9.0.2");
	assert_int_equal(addresses_apply(s, ADDRESS_SET, list, 2), 0);
	assert_string_equal(bed_ask("ip route get 10.43.1.1 | grep -c ^local"), "1");
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, &list[1], 1), 0);
	assert_string_equal(bed_ask("ip route get 10.43.1.1 | grep -c 'via 10.9.0.2'"), "1");
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, list, 1), 0);
	bed_run("ip route del 10.43.0.0/20");
	address_socket_close(s);
}

static void
test_removal_of_a_block_is_seen(void **state)
{
	struct bed *bed = *state;
	struct address_socket *s = open_socket();
	struct address_change list[] = {change("10.9.0.113/24", bed->v0, 30),
		block("10.44.0.0/20", bed->v0, "10.9.0.113")};
	struct block_route route;
	int fd = block_watch_open();

	assert_true(fd >= 0);
	assert_int_equal(addresses_apply(s, ADDRESS_SET, list, 2), 0);
	bed_run("ip route add 10.45.0.0/20 dev v0; ip route del 10.45.0.0/20 dev v0");
	assert_false(block_watch_read(fd, &route)); /* what is none of ours is not heard of */
	bed_run("ip route del local 10.44.0.0/20 dev v0 table main");
	assert_true(block_watch_read(fd, &route));
	assert_memory_equal(&route.prefix, &list[1].prefix, sizeof(route.prefix));
	assert_int_equal(route.ifindex, bed->v0);
	assert_int_not_equal(route.port, address_socket_port(s));
	assert_int_equal(addresses_apply(s, ADDRESS_SET, &list[1], 1), 0);
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, &list[1], 1), 0);
	assert_true(block_watch_read(fd, &route));
	assert_int_equal(route.port, address_socket_port(s)); /* by this hand */
	assert_false(block_watch_read(fd, &route));
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, list, 1), 0);
	close(fd);
	address_socket_close(s);
}

static void
test_errors_are_matched_to_their_change(void **state)
{
	struct bed *bed = *state;
	struct address_socket *s = open_socket();
	struct address_change set[] = {change("10.7.0.1/32", bed->v0, 30),
		change("10.7.0.2/32", 99999, 30), change("10.7.0.3/32", bed->v0, 30)};
	struct address_change remove[] = {change("10.7.0.1/32", bed->v0, 0),
		change("10.7.0.2/32", 99999, 0), change("10.7.0.77/32", bed->v0, 0),
		change("10.7.0.3/32", bed->v0, 0)};

	assert_int_equal(addresses_apply(s, ADDRESS_SET, set, 3), 1);
	assert_int_equal(set[0].error, 0);
	assert_int_equal(set[1].error, ENODEV);
	assert_int_equal(set[2].error, 0);
	/* Removing what is not there is done: no such address, no such interface. */
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, remove, 4), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(remove[i].error, 0);
	assert_int_equal(addresses_apply(s, ADDRESS_SET, set, 0), 0);
	address_socket_close(s);
}

/* One bad among many, in batches with one wait each. */
static void
set_and_remove(struct bed *bed, int many, int bad)
{
	struct address_socket *s = open_socket();
	struct address_change *list = calloc((size_t)many, sizeof(*list));
	char text[ADDR_TEXT];
	mono begun, set, removed;

	assert_non_null(list);
	for (int i = 0; i < many; i++) {
		snprintf(text, sizeof(text), "10.6.%d.%d/32", i / 250, i % 250 + 1);
		list[i] = change(text, i == bad ? 99999 : bed->v0, 30);
	}
	begun = mono_now();
	assert_int_equal(addresses_apply(s, ADDRESS_SET, list, (size_t)many), 1);
	set = mono_now();
	for (int i = 0; i < many; i++)
		assert_int_equal(list[i].error, i == bad ? ENODEV : 0);
	assert_int_equal(atoi(bed_ask("ip -o -4 addr show dev v0 | grep -c 10.6.")), many - 1);
	removed = mono_now();
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, list, (size_t)many), 0);
	print_message("%d addresses: set in %lld us, removed in %lld us\n", many,
		(long long)(mono_diff_ns(set, begun) / NS_PER_US),
		(long long)(mono_diff_ns(mono_now(), removed) / NS_PER_US));
	assert_string_equal(bed_ask("ip -o -4 addr show dev v0 | grep -c 10.6."), "0");
	free(list);
	address_socket_close(s);
}

static void
test_a_thousand(void **state)
{
	set_and_remove(*state, 1000, 517);
}

static void
test_five_thousand(void **state)
{
	set_and_remove(*state, 5000, 4999);
}

/* Two virtual routers with addresses in a subnet that is nobody's own. */
static void
test_secondaries_stay(void **state)
{
	struct bed *bed = *state;
	struct address_socket *s = open_socket();
	struct address_change a = change("10.5.0.1/24", bed->v0, 30);
	struct address_change b = change("10.5.0.2/24", bed->v0, 30);

	for (int kept = 0; kept <= 1; kept++) {
		if (kept)
			addresses_keep_secondaries(bed->v0);
		assert_int_equal(addresses_apply(s, ADDRESS_SET, &a, 1), 0);
		assert_int_equal(addresses_apply(s, ADDRESS_SET, &b, 1), 0);
		assert_true(find(s, "10.5.0.2/24", bed->v0).seen.secondary);
		assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, &a, 1), 0);
		assert_int_equal(find(s, "10.5.0.2/24", bed->v0).times, kept);
	}
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, &b, 1), 0);
	address_socket_close(s);
}

/* Last: the kernel never merges its tables again once there has been a rule. */
static void
test_policy_routing_mutes_a_block(void **state)
{
	struct bed *bed = *state;
	struct address_socket *s = open_socket();
	struct address_change list[] = {change("10.9.0.114/24", bed->v0, 30),
		block("10.46.0.0/20", bed->v0, "10.9.0.114")};

	assert_int_equal(addresses_apply(s, ADDRESS_SET, list, 2), 0);
	assert_int_equal(block_route_answers(&list[1].prefix, &list[1].anchor), 0);
	bed_run("ip rule add from 192.0.2.1 table 100");
	assert_int_not_equal(block_route_answers(&list[1].prefix, &list[1].anchor), 0);
	bed_run_there(bed, "ip route replace 10.46.0.0/20 dev v1; ! ping -c 1 -W 1 -q 10.46.9.7 >&2");
	assert_int_equal(addresses_apply(s, ADDRESS_REMOVE, list, 2), 0);
	address_socket_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_list_remove),
		cmocka_unit_test(test_ipv6_is_usable_at_once_and_after_renewal),
		cmocka_unit_test(test_prefix_route_of_the_host_is_not_touched),
		cmocka_unit_test(test_lease_lapses_unless_renewed),
		cmocka_unit_test(test_a_block_stands_on_its_address),
		cmocka_unit_test(test_a_block_lapses_with_its_lease),
		cmocka_unit_test(test_a_block_leaves_other_routes_alone),
		cmocka_unit_test(test_removal_of_a_block_is_seen),
		cmocka_unit_test(test_errors_are_matched_to_their_change),
		cmocka_unit_test(test_a_thousand),
		cmocka_unit_test(test_five_thousand),
		cmocka_unit_test(test_secondaries_stay),
		cmocka_unit_test(test_policy_routing_mutes_a_block),
	};

	return cmocka_run_group_tests(tests, bed_setup, bed_teardown);
}
