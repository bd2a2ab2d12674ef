/* Devices with a virtual MAC: made, adopted, refused, removed, and what is put back afterwards. */
#include "bed.h"

#include "core/virtual_mac.h"
#include "linux/hands.h"
#include "linux/macvlan.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct virtual_device
device(enum ip_family family, uint8_t vrid, const char *parent)
{
	struct virtual_device d = {.family = (uint8_t)family};

	memcpy(d.parent, parent, strlen(parent));
	virtual_mac(family, vrid, d.mac);
	virtual_mac_device(family, vrid, d.parent, d.name);
	return d;
}

static struct macvlan_socket *
opened(void)
{
	struct macvlan_socket *s;

	assert_int_equal(macvlan_open(&s), 0);
	return s;
}

static void
count_name(void *count, const char *name)
{
	assert_non_null(name);
	++*(int *)count;
}

/* Removes all that is not wanted; how many. */
static int
purge(struct macvlan_socket *s, const struct virtual_device *wanted, size_t count)
{
	int removed = 0;

	assert_int_equal(macvlan_purge(s, wanted, count, count_name, &removed), 0);
	return removed;
}

static void
expect_knobs(const char *ignore, const char *announce)
{
	assert_string_equal(bed_ask("cat /proc/sys/net/ipv4/conf/v0/arp_ignore"), ignore);
	assert_string_equal(bed_ask("cat /proc/sys/net/ipv4/conf/v0/arp_announce"), announce);
}

static void
test_made_and_adopted(void **state)
{
	struct macvlan_socket *s = opened(), *later;
	struct virtual_device d = device(IP_V4, 51, "v0");
	int ifindex;

	(void)state;
	assert_int_equal(macvlan_prepare(s, &d), 0);
	assert_true(d.made && !d.up && d.ifindex > 0);
	ifindex = d.ifindex;
	assert_string_equal(bed_ask("ip -d link show vrrp.51.v0 | grep -c 'macvlan mode bridge'"), "1");
	assert_string_equal(bed_ask("ip -o link show vrrp.51.v0 | grep -c 00:00:5e:00:01:33"), "1");
	assert_string_equal(bed_ask("cat /proc/sys/net/ipv4/conf/vrrp.51.v0/rp_filter"), "2");
	assert_int_equal(macvlan_set_up(s, d.ifindex, true), 0);
	later = opened();
	assert_int_equal(macvlan_prepare(later, &d), 0);
	assert_true(!d.made && d.up && d.ifindex == ifindex);
	macvlan_close(later);
	assert_int_equal(purge(s, &d, 1), 0);
	assert_int_equal(purge(s, NULL, 0), 1);
	assert_string_equal(bed_ask("ip -o link | grep -c vrrp"), "0");
	macvlan_close(s);
}

/* One that has somebody's other MAC is made again; one that we were about to make is completed. */
static void
test_leftovers(void **state)
{
	struct macvlan_socket *s = opened();
	struct virtual_device d = device(IP_V6, 61, "v0");

	(void)state;
	assert_int_equal(macvlan_prepare(s, &d), 0);
	bed_run("ip link set vrrp6.61.v0 address 02:00:00:00:00:09");
	assert_int_equal(macvlan_prepare(s, &d), 0);
	assert_true(d.made);
	assert_string_equal(bed_ask("ip -o link show vrrp6.61.v0 | grep -c 00:00:5e:00:02:3d"), "1");
	assert_int_equal(purge(s, NULL, 0), 1);
	bed_run("ip link add vrrp6.61.v0 link v0 address 00:00:5e:00:02:3d type macvlan mode bridge");
	assert_int_equal(macvlan_prepare(s, &d), 0);
	assert_false(d.made);
	assert_string_equal(bed_ask("cat /proc/sys/net/ipv6/conf/vrrp6.61.v0/addr_gen_mode"), "1");
	assert_int_equal(purge(s, NULL, 0), 1);
	macvlan_close(s);
}

static void
test_knobs_are_put_back_by_the_last(void **state)
{
	struct macvlan_socket *s = opened(), *later = opened();
	struct virtual_device both[] = {device(IP_V4, 51, "v0"), device(IP_V4, 52, "v0")};

	(void)state;
	bed_run("echo 1 > /proc/sys/net/ipv4/conf/v0/arp_announce");
	assert_int_equal(macvlan_prepare(s, &both[0]), 0);
	expect_knobs("1", "2");
	assert_int_equal(macvlan_prepare(later, &both[1]), 0); /* asks what the first one has written */
	assert_int_equal(purge(s, &both[1], 1), 1);
	expect_knobs("1", "2");
	macvlan_close(s);
	s = opened();
	assert_int_equal(purge(s, NULL, 0), 1);
	expect_knobs("0", "1");
	/* What somebody has set since stays, and what is stricter is left alone. */
	bed_run("echo 2 > /proc/sys/net/ipv4/conf/v0/arp_ignore");
	assert_int_equal(macvlan_prepare(s, &both[0]), 0);
	expect_knobs("2", "2");
	bed_run("echo 0 > /proc/sys/net/ipv4/conf/v0/arp_announce");
	assert_int_equal(purge(s, NULL, 0), 1);
	expect_knobs("2", "0");
	bed_run("echo 0 > /proc/sys/net/ipv4/conf/v0/arp_ignore");
	macvlan_close(s);
	macvlan_close(later);
}

/* Somebody takes the only device away that says how it was; whoever has seen it still knows. */
static void
test_knobs_outlive_a_stolen_device(void **state)
{
	struct macvlan_socket *s = opened(), *later = opened();
	struct virtual_device d = device(IP_V4, 51, "v0");

	(void)state;
	assert_int_equal(macvlan_prepare(s, &d), 0);
	assert_int_equal(macvlan_prepare(later, &d), 0);
	bed_run("ip link del vrrp.51.v0");
	assert_int_equal(macvlan_prepare(later, &d), 0);
	assert_true(d.made);
	assert_int_equal(purge(later, NULL, 0), 1);
	expect_knobs("0", "0");
	macvlan_close(s);
	macvlan_close(later);
}

static void
expect_trouble(const char *parent, int error, const char *text)
{
	struct macvlan_socket *s = opened();
	struct virtual_device d = device(IP_V4, 51, parent);
	char said[160];

	assert_int_equal(macvlan_prepare(s, &d), error);
	assert_int_equal(d.error, error);
	assert_int_equal(d.ifindex, 0);
	macvlan_trouble(&d, said, sizeof(said));
	assert_non_null(strstr(said, text));
	assert_int_equal(purge(s, NULL, 0), 0);
	macvlan_close(s);
}

static void
test_refusals_name_what_is_in_the_way(void **state)
{
	(void)state;
	expect_trouble("gone0", ENODEV, "gone0 does not exist");
	expect_trouble("lo", EINVAL, "lo is no Ethernet");
	bed_run("ip link add mv0 link v0 type macvlan mode bridge");
	expect_trouble("mv0", ELOOP, "mv0 is itself a macvlan");
	bed_run("ip link del mv0");
	bed_run("ip link add br9 type bridge && ip link add p0 type veth peer name p1 && "
		"ip link set p0 master br9");
	expect_trouble("p0", EBUSY, "p0 is a port of a bridge");
	bed_run("ip link set br9 name vrrp.51.v0");
	expect_trouble("v0", EEXIST, "vrrp.51.v0 is there already");
	bed_run("ip link del vrrp.51.v0 && ip link del p0");
	bed_run("ip link add vrrp.51.v0 link v0 address 00:00:5e:00:01:33 type macvlan mode bridge");
	bed_run("ip link set vrrp.51.v0 up");
	expect_trouble("v0", EEXIST, "remove or rename it"); /* somebody uses it */
	bed_run("ip link del vrrp.51.v0");
	expect_knobs("0", "0");
}

/* Submits and waits for a job that sets or removes `count` addresses on the device. */
static struct hands_job *
done(struct hands *h, const struct virtual_device *d, size_t count, enum address_verb verb)
{
	struct hands_job *job = hands_job_with(count, d, 1);
	struct pollfd p = {.fd = hands_fd(h), .events = POLLIN};

	assert_non_null(job);
	job->verb = verb;
	for (size_t i = 0; i < count; i++) {
		char text[ADDR_TEXT];

		snprintf(text, sizeof(text), "10.9.%d.%d/16", 1 + (int)i / 250, 1 + (int)i % 250);
		assert_true(ip_prefix_parse(text, &job->changes[i].prefix));
		job->changes[i].ifindex = -1;
		job->changes[i].lease_s = 30;
		job->changes[i].metric = MACVLAN_METRIC;
	}
	assert_true(hands_submit(h, job));
	assert_int_equal(poll(&p, 1, 10000), 1);
	job = hands_next_done(h);
	assert_non_null(job);
	assert_int_equal(job->failed, 0);
	return job;
}

static bool
is_up(void)
{
	return strcmp(bed_ask("ip -o link show up | grep -c vrrp.51.v0"), "1") == 0;
}

static void
test_hands_raise_and_lower(void **state)
{
	struct virtual_device d = device(IP_V4, 51, "v0");
	struct hands_job *job;
	struct hands *h;

	(void)state;
	assert_int_equal(hands_start(&h), 0);
	job = done(h, &d, 3, ADDRESS_SET);
	assert_true(job->devices[0].made);
	free(job);
	assert_true(is_up());
	assert_string_equal(bed_ask("ip -o addr show dev vrrp.51.v0 | grep -c 'metric 65000'"), "3");
	free(done(h, &d, 3, ADDRESS_REMOVE));
	assert_string_equal(bed_ask("ip -o addr show dev vrrp.51.v0 | grep -c inet"), "0");
	free(done(h, &d, 3, ADDRESS_SET)); /* before it is lowered: then it is not */
	usleep(300000);
	assert_true(is_up());
	free(done(h, &d, 3, ADDRESS_REMOVE));
	for (int i = 0; i < 100 && is_up(); i++)
		usleep(20000);
	assert_false(is_up());
	free(done(h, &d, 300, ADDRESS_SET));
	assert_string_equal(bed_ask("ip -o addr show dev vrrp.51.v0 | grep -c inet"), "300");
	free(done(h, &d, 300, ADDRESS_REMOVE)); /* many: down first */
	assert_false(is_up());
	assert_string_equal(bed_ask("ip -o addr show dev vrrp.51.v0 | grep -c inet"), "0");
	bed_run("ip link del vrrp.51.v0");
	hands_stop(h);
	bed_run("for k in arp_ignore arp_announce; do echo 0 > /proc/sys/net/ipv4/conf/v0/$k; done");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_and_adopted),
		cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_knobs_are_put_back_by_the_last),
		cmocka_unit_test(test_knobs_outlive_a_stolen_device),
		cmocka_unit_test(test_refusals_name_what_is_in_the_way),
		cmocka_unit_test(test_hands_raise_and_lower),
	};

	return cmocka_run_group_tests(tests, bed_setup, bed_teardown);
}
