/* Interfaces and addresses as they change: what is told, how soon, and after lost events. */
#include "bed.h"

#include "base/mono.h"
#include "linux/addresses.h"
#include "linux/links.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NOTES = 4096 };

/* What the handlers were told, in order. */
struct ear {
	struct links *links;
	struct link_state states[NOTES];
	size_t state_count;
	struct link_address addresses[NOTES];
	size_t address_count;
	mono last_state;
};

static void
on_link(void *context, const struct link_state *s)
{
	struct ear *e = context;

	if (e->state_count < NOTES)
		e->states[e->state_count++] = *s;
	e->last_state = mono_now();
}

static void
on_address(void *context, const struct link_address *a)
{
	struct ear *e = context;

	if (e->address_count < NOTES)
		e->addresses[e->address_count++] = *a;
}

static struct ear *
ear_open(void)
{
	struct ear *e = calloc(1, sizeof(*e));
	struct links_handlers handlers = {on_link, on_address, e};

	assert_non_null(e);
	assert_int_equal(links_open(&handlers, &e->links), 0);
	return e;
}

static void
ear_close(struct ear *e)
{
	links_close(e->links);
	free(e);
}

static void
ear_watch(struct ear *e, const char *name)
{
	char names[1][LIMIT_IFNAME] = {{0}};

	snprintf(names[0], sizeof(names[0]), "%s", name);
	assert_int_equal(links_watch(e->links, (const char (*)[LIMIT_IFNAME])names, 1), 0);
}

/* One turn of a loop. */
static void
turn(struct ear *e, int timeout_ms)
{
	struct pollfd p[2] = {{.fd = links_event_fd(e->links), .events = POLLIN},
		{.fd = links_carrier_fd(e->links), .events = POLLIN}};

	poll(p, 2, timeout_ms);
	if (p[0].revents)
		links_read_events(e->links);
	if (p[1].revents)
		links_read_carrier(e->links);
}

static void
listen_for(struct ear *e, int ms)
{
	mono end = mono_add_ns(mono_now(), ms * NS_PER_MS);

	while (mono_before(mono_now(), end))
		turn(e, 10);
}

static const struct link_state *
last_of(const struct ear *e, const char *name)
{
	for (size_t i = e->state_count; i-- > 0;)
		if (strcmp(e->states[i].name, name) == 0)
			return &e->states[i];
	return NULL;
}

/* Turns until the interface is as wanted; the moment it was told, or a failure after a while. */
static mono
await_state(struct ear *e, const char *name, bool exists, bool up, bool carrier)
{
	mono end = mono_add_ns(mono_now(), 5 * NS_PER_S);
	const struct link_state *s;

	for (;;) {
		s = last_of(e, name);
		if (s && (s->ifindex != 0) == exists && s->up == up && s->carrier == carrier)
			return e->last_state;
		if (!mono_before(mono_now(), end))
			fail_msg("%s: never exists=%d up=%d carrier=%d", name, exists, up, carrier);
		turn(e, 10);
	}
}

static const struct link_address *
last_address(const struct ear *e, const char *text)
{
	struct ip_prefix p;

	assert_true(ip_prefix_parse(text, &p));
	for (size_t i = e->address_count; i-- > 0;)
		if (e->addresses[i].prefix.length == p.length &&
			ip_addr_equal(&e->addresses[i].prefix.addr, &p.addr))
			return &e->addresses[i];
	return NULL;
}

static void
test_everything_is_told_at_open(void **state)
{
	static const uint8_t mac[6] = {0x02, 0, 0, 0, 0, 0x01};
	struct bed *bed = *state;
	struct ear *e = ear_open();
	const struct link_state *v0 = last_of(e, "v0");
	const struct link_address *a = last_address(e, "10.9.0.1/24");

	assert_non_null(v0);
	assert_int_equal(v0->ifindex, bed->v0);
	assert_true(v0->up && v0->carrier);
	assert_int_equal(v0->mtu, 1500);
	assert_memory_equal(v0->mac, mac, 6);
	assert_non_null(last_of(e, "lo"));
	assert_non_null(a);
	assert_int_equal(a->ifindex, bed->v0);
	assert_int_equal(a->valid_s, UINT32_MAX);
	assert_int_equal(a->port, 0);
	assert_false(a->removed);
	ear_close(e);
}

/* The other end goes down: netlink tells up to a second late, GLINK at once. Several times. */
static void
test_carrier_loss_is_seen_at_once(void **state)
{
	enum { ROUNDS = 5, WITHIN_MS = 50 };
	struct bed *bed = *state;
	struct ear *e = ear_open();

	ear_watch(e, "v0");
	listen_for(e, 50);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t took;
		mono begun;

		bed_enter(bed->there);
		bed_run("ip link set v1 down");
		begun = mono_now();
		bed_enter(bed->here);
		took = mono_diff_ns(await_state(e, "v0", true, true, false), begun);
		print_message("carrier loss told after %lld us\n", (long long)(took / NS_PER_US));
		assert_true(took < WITHIN_MS * NS_PER_MS);
		bed_run_there(bed, "ip link set v1 up");
		await_state(e, "v0", true, true, true);
	}
	/* Late netlink events of all that must not turn it round. */
	e->state_count = 0;
	listen_for(e, 1500);
	for (size_t i = 0; i < e->state_count; i++)
		assert_true(strcmp(e->states[i].name, "v0") != 0 || e->states[i].carrier);
	ear_close(e);
}

static void
test_down_and_up_again(void **state)
{
	struct ear *e = ear_open();

	(void)state;
	ear_watch(e, "v0");
	listen_for(e, 50);
	/* Faster than the poll looks, and with time between. */
	for (int i = 0; i < 5; i++) {
		bed_run("printf 'link set v0 down\\nlink set v0 up\\n' | ip -batch -");
		listen_for(e, 100);
		await_state(e, "v0", true, true, true);
	}
	bed_run("ip link set v0 down");
	await_state(e, "v0", true, false, false);
	bed_run("ip link set v0 up");
	await_state(e, "v0", true, true, true);
	ear_close(e);
}

static void
test_unwatched_follows_netlink(void **state)
{
	struct bed *bed = *state;
	struct ear *e = ear_open();

	bed_run_there(bed, "ip link set v1 down");
	await_state(e, "v0", true, true, false);
	bed_run_there(bed, "ip link set v1 up");
	await_state(e, "v0", true, true, true);
	ear_close(e);
}

static void
test_deleted_and_made_again(void **state)
{
	struct ear *e = ear_open();
	int first;

	(void)state;
	ear_watch(e, "x0");
	bed_run("ip link add x0 type veth peer name x1 && ip link set x1 up && ip link set x0 up");
	await_state(e, "x0", true, true, true);
	first = last_of(e, "x0")->ifindex;
	bed_run("ip link del x0");
	await_state(e, "x0", false, false, false);
	bed_run("ip link add x0 type veth peer name x1 && ip link set x0 up");
	await_state(e, "x0", true, true, false); /* x1 is down */
	assert_int_not_equal(last_of(e, "x0")->ifindex, first);
	bed_run("ip link set x1 up");
	await_state(e, "x0", true, true, true);
	bed_run("ip link del x0");
	await_state(e, "x0", false, false, false);
	ear_close(e);
}

static void
test_renamed(void **state)
{
	struct ear *e = ear_open();
	int ifindex;

	(void)state;
	bed_run("ip link add x0 type veth peer name x1 && ip link set x1 up && ip link set x0 up");
	ear_watch(e, "x0");
	await_state(e, "x0", true, true, true);
	ifindex = last_of(e, "x0")->ifindex;
	bed_run("ip link set x0 down && ip link set x0 name y0 && ip link set y0 up");
	await_state(e, "x0", false, false, false);
	await_state(e, "y0", true, true, true);
	assert_int_equal(last_of(e, "y0")->ifindex, ifindex);
	/* The watch is by name: it finds the next one that is called so. */
	bed_run("ip link set x1 down && ip link set x1 name x0 && ip link set x0 up");
	await_state(e, "x0", true, true, true);
	bed_run("ip link set y0 down");
	await_state(e, "x0", true, true, false);
	bed_run("ip link del y0");
	await_state(e, "x0", false, false, false);
	ear_close(e);
}

/* A port that leaves its bridge: RTM_DELLINK of AF_BRIDGE, and nothing has gone. */
static void
test_leaving_a_bridge_is_not_an_end(void **state)
{
	struct ear *e = ear_open();

	(void)state;
	bed_run("ip link add br0 type bridge && ip link add x0 type veth peer name x1 && "
		"ip link set x0 master br0 up && ip link set x1 up");
	await_state(e, "x0", true, true, true);
	e->state_count = 0;
	bed_run("ip link set x0 nomaster && ip link set x0 mtu 1400");
	await_state(e, "x0", true, true, true);
	for (size_t i = 0; i < e->state_count; i++)
		assert_int_not_equal(e->states[i].ifindex, 0);
	assert_int_equal(last_of(e, "x0")->mtu, 1400);
	bed_run("ip link del x0 && ip link del br0");
	ear_close(e);
}

static void
await_address(struct ear *e, const char *text, bool removed)
{
	for (int i = 0; i < 200; i++) {
		const struct link_address *a = last_address(e, text);

		if (a && a->removed == removed)
			return;
		turn(e, 10);
	}
	fail_msg("%s: removed=%d was never told", text, removed);
}

/* Whose doing was it? Ours has our port; that of others has not. */
static void
test_addresses_and_who_caused_them(void **state)
{
	struct bed *bed = *state;
	struct ear *e = ear_open();
	struct address_change c = {.ifindex = bed->v0, .lease_s = 30};
	struct address_socket *s;

	assert_int_equal(address_socket_open(&s), 0);
	assert_true(ip_prefix_parse("10.9.0.100/24", &c.prefix));
	assert_int_equal(addresses_apply(s, ADDRESS_SET, &c, 1), 0);
	await_address(e, "10.9.0.100/24", false);
	assert_int_equal(last_address(e, "10.9.0.100/24")->port, address_socket_port(s));
	assert_int_equal(last_address(e, "10.9.0.100/24")->proto, ADDRESS_PROTO);
	assert_true(last_address(e, "10.9.0.100/24")->secondary);
	assert_in_range(last_address(e, "10.9.0.100/24")->valid_s, 29, 30);
	bed_run("ip addr del 10.9.0.100/24 dev v0");
	await_address(e, "10.9.0.100/24", true);
	assert_int_not_equal(last_address(e, "10.9.0.100/24")->port, address_socket_port(s));
	assert_int_not_equal(last_address(e, "10.9.0.100/24")->port, 0);
	/* A lease that lapses is nobody's doing. */
	c.lease_s = 1;
	assert_int_equal(addresses_apply(s, ADDRESS_SET, &c, 1), 0);
	await_address(e, "10.9.0.100/24", false);
	for (int i = 0; i < 500 && !last_address(e, "10.9.0.100/24")->removed; i++)
		turn(e, 10);
	assert_true(last_address(e, "10.9.0.100/24")->removed);
	assert_int_equal(last_address(e, "10.9.0.100/24")->port, 0);
	address_socket_close(s);
	ear_close(e);
}

/* With a peer the address is IFA_LOCAL; IFA_ADDRESS is the other end. */
static void
test_point_to_point(void **state)
{
	struct ear *e = ear_open();

	(void)state;
	bed_run("ip addr add fd00:1::1 peer fd00:1::2/128 dev v0 nodad && "
		"ip addr add 10.4.0.1 peer 10.4.0.2/32 dev v0");
	await_address(e, "10.4.0.1/32", false);
	await_address(e, "fd00:1::1/128", false);
	assert_null(last_address(e, "fd00:1::2/128"));
	assert_null(last_address(e, "10.4.0.2/32"));
	bed_run("ip addr del 10.4.0.1 peer 10.4.0.2/32 dev v0 && "
		"ip addr del fd00:1::1 peer fd00:1::2/128 dev v0");
	ear_close(e);
}

/*
 * Nobody reads while more happens than the queue holds. Afterwards everything is as it is: what
 * went is told as gone, what came is told, names that changed hands are right.
 */
static void
test_lost_events_are_made_good(void **state)
{
	struct ear *e = ear_open();
	int tiny = 4096;

	(void)state;
	bed_run("ip link add x0 type veth peer name x1 && ip link set x1 up && ip link set x0 up && "
		"ip link add z0 type veth peer name z1 && ip addr add 10.3.0.1/24 dev v0");
	await_address(e, "10.3.0.1/24", false);
	await_state(e, "x0", true, true, true);
	await_state(e, "z0", true, false, false);
	assert_int_equal(setsockopt(links_event_fd(e->links), SOL_SOCKET, SO_RCVBUFFORCE, &tiny,
		sizeof(tiny)), 0);
	bed_run("for i in $(seq 1 100); do echo addr add 10.2.0.$i/32 dev v0; done | ip -batch -");
	bed_run("ip addr del 10.3.0.1/24 dev v0 && ip link del z0 && "
		"ip link set x0 down && ip link set x1 down && ip link set x0 name tmp0 && "
		"ip link set x1 name x0 && ip link set tmp0 name x1 && ip link set x0 up && "
		"ip link set x1 up && ip addr add 10.3.0.2/24 dev v0");
	await_address(e, "10.3.0.1/24", true);
	await_address(e, "10.3.0.2/24", false);
	await_address(e, "10.2.0.100/32", false);
	await_state(e, "z0", false, false, false);
	await_state(e, "x0", true, true, true);
	await_state(e, "x1", true, true, true);
	listen_for(e, 200);
	assert_int_equal(last_of(e, "x0")->ifindex, (int)if_nametoindex("x0"));
	assert_int_equal(last_of(e, "x1")->ifindex, (int)if_nametoindex("x1"));
	assert_false(last_address(e, "10.9.0.1/24")->removed);
	/* And events go on. */
	bed_run("ip addr flush to 10.2.0.0/16 dev v0 && ip addr del 10.3.0.2/24 dev v0");
	await_address(e, "10.2.0.7/32", true);
	await_address(e, "10.3.0.2/24", true);
	bed_run("ip link del x0");
	await_state(e, "x0", false, false, false);
	ear_close(e);
}

/* A churn that keeps overflowing the queue, read all the while: the end is still the truth. */
static void
test_the_truth_after_a_storm(void **state)
{
	struct ear *e = ear_open();
	int tiny = 4096;
	FILE *storm;

	(void)state;
	assert_int_equal(setsockopt(links_event_fd(e->links), SOL_SOCKET, SO_RCVBUFFORCE, &tiny,
		sizeof(tiny)), 0);
	storm = popen("for n in $(seq 1 40); do for i in $(seq 1 50); do "
		"echo addr add 10.2.0.$i/32 dev v0; done; for i in $(seq 1 50); do "
		"echo addr del 10.2.0.$i/32 dev v0; done; done | ip -batch -; "
		"ip addr add 10.2.0.77/32 dev v0", "r");
	assert_non_null(storm);
	for (int i = 0; i < 60; i++) {
		turn(e, 20);
		e->address_count = e->address_count > NOTES / 2 ? 0 : e->address_count;
		usleep((unsigned)i % 3 * 3000);
	}
	while (fgetc(storm) != EOF)
		;
	pclose(storm);
	e->address_count = 0;
	listen_for(e, 500);
	e->address_count = 0;
	links_repeat(e->links);
	assert_non_null(last_address(e, "10.2.0.77/32"));
	assert_non_null(last_address(e, "10.9.0.1/24"));
	for (int i = 1; i <= 50; i++) {
		char text[ADDR_TEXT];

		snprintf(text, sizeof(text), "10.2.0.%d/32", i);
		assert_null(last_address(e, text));
	}
	bed_run("ip addr del 10.2.0.77/32 dev v0");
	ear_close(e);
}

static void
await_router(struct ear *e, const char *name, bool wanted)
{
	mono end = mono_add_ns(mono_now(), 5 * NS_PER_S);

	while (!last_of(e, name) || last_of(e, name)->router6 != wanted) {
		if (!mono_before(mono_now(), end))
			fail_msg("%s: never router6=%d", name, wanted);
		turn(e, 10);
	}
}

/* Told and not asked for: whether the host forwards IPv6 on an interface. */
static void
test_forwarding_of_ipv6(void **state)
{
	struct ear *e;

	(void)state;
	bed_run("sysctl -qw net.ipv6.conf.v0.forwarding=1");
	e = ear_open();
	assert_true(last_of(e, "v0")->router6);
	assert_false(last_of(e, "lo")->router6);
	bed_run("sysctl -qw net.ipv6.conf.v0.forwarding=0");
	await_router(e, "v0", false);
	bed_run("sysctl -qw net.ipv6.conf.all.forwarding=1");
	await_router(e, "v0", true);
	bed_run("ip link set v0 mtu 1400"); /* what else is told does not undo it */
	listen_for(e, 200);
	assert_true(last_of(e, "v0")->router6);
	assert_int_equal(last_of(e, "v0")->mtu, 1400);
	/* it is told of before the interface itself */
	bed_run("ip link add late type veth peer name later");
	await_state(e, "late", true, false, false);
	assert_true(last_of(e, "late")->router6);
	bed_run("ip link del late");
	await_state(e, "late", false, false, false);
	bed_run("sysctl -qw net.ipv6.conf.all.forwarding=0; ip link set v0 mtu 1500");
	ear_close(e);
}

static void
test_repeat(void **state)
{
	struct bed *bed = *state;
	struct ear *e = ear_open();

	e->state_count = e->address_count = 0;
	links_repeat(e->links);
	assert_int_equal(last_of(e, "v0")->ifindex, bed->v0);
	assert_non_null(last_address(e, "10.9.0.1/24"));
	assert_non_null(last_address(e, "127.0.0.1/8"));
	ear_close(e);
}

/* The loop never reads: the thread is stuck posting, and still ends. Orders not seen are freed. */
static void
test_close_at_any_time(void **state)
{
	struct bed *bed = *state;

	for (int i = 0; i < 20; i++) {
		struct ear *e = ear_open();

		ear_watch(e, "v0");
		ear_watch(e, "nosuch0");
		if (i % 4 == 3)
			usleep(8000);
		ear_close(e);
	}
	(void)bed;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_told_at_open),
		cmocka_unit_test(test_carrier_loss_is_seen_at_once),
		cmocka_unit_test(test_down_and_up_again),
		cmocka_unit_test(test_unwatched_follows_netlink),
		cmocka_unit_test(test_deleted_and_made_again),
		cmocka_unit_test(test_renamed),
		cmocka_unit_test(test_leaving_a_bridge_is_not_an_end),
		cmocka_unit_test(test_addresses_and_who_caused_them),
		cmocka_unit_test(test_point_to_point),
		cmocka_unit_test(test_lost_events_are_made_good),
		cmocka_unit_test(test_the_truth_after_a_storm),
		cmocka_unit_test(test_forwarding_of_ipv6),
		cmocka_unit_test(test_repeat),
		cmocka_unit_test(test_close_at_any_time),
	};

	return cmocka_run_group_tests(tests, bed_setup, bed_teardown);
}
