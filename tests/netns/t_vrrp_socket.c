/* VRRP sockets over a cable: what leaves looks as RFC 9568 wants it, and who hears what. */
#include "bed.h"

#include "core/vrrp.h"
#include "linux/vrrp_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
	struct vrrp_socket here, there;
};

static struct ip_addr
address(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static void
open_pair(struct bed *bed, struct pair *p, enum ip_family family)
{
	assert_int_equal(vrrp_socket_open(&p->here, "v0", bed->v0, family), 0);
	bed_enter(bed->there);
	assert_int_equal(vrrp_socket_open(&p->there, "v1", bed->v1, family), 0);
	bed_enter(bed->here);
}

static void
close_pair(struct pair *p)
{
	vrrp_socket_close(&p->here);
	vrrp_socket_close(&p->there);
}

/* What was received: the message, and what came with it. */
struct got {
	uint8_t buffer[256];
	const uint8_t *message;
	struct vrrp_envelope envelope;
};

static ssize_t
receive(struct vrrp_socket *s, struct got *g)
{
	return vrrp_socket_receive(s, g->buffer, sizeof(g->buffer), &g->envelope, &g->message);
}

static ssize_t
await(struct vrrp_socket *s, struct got *g, int timeout_ms)
{
	struct pollfd p = {.fd = s->receive_fd, .events = POLLIN};

	if (poll(&p, 1, timeout_ms) == 0)
		return -EAGAIN;
	return receive(s, g);
}

static void
expect_packet(struct pair *p, const char *from, const char *to)
{
	struct ip_addr source = address(from), destination = address(to);
	uint8_t message[20];
	struct got g;
	ssize_t n;

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7);
	assert_int_equal(
		vrrp_socket_send(&p->here, &source, &destination, message, sizeof(message)), 0);
	n = await(&p->there, &g, 1000);
	assert_int_equal(n, sizeof(message));
	assert_int_equal(g.envelope.ttl, 255);
	assert_true(ip_addr_equal(&g.envelope.source, &source));
	assert_true(ip_addr_equal(&g.envelope.destination, &destination));
	memset(message + 6, 0, 2); /* the kernel's checksum over IPv6 */
	if (source.family == IP_V6)
		memset((uint8_t *)(uintptr_t)g.message + 6, 0, 2);
	else
		memcpy(message + 6, g.message + 6, 2);
	assert_memory_equal(g.message, message, sizeof(message));
	if (source.family == IP_V4) {
		assert_int_equal(g.buffer[0], 0x45);
		assert_int_equal(g.buffer[1], 0xc0); /* CS6 */
		assert_int_equal(g.message[6], 42);
	}
	assert_int_equal(receive(&p->there, &g), -EAGAIN);
	/* Not looped back to ourselves. */
	assert_int_equal(receive(&p->here, &g), -EAGAIN);
}

static void
add_ipv6(struct bed *bed)
{
	bed_add_ipv6("v0", "fe80::a");
	bed_add_ipv6("v0", "fd00:9::a");
	bed_add_ipv6_there(bed, "v1", "fe80::b");
	bed_add_ipv6_there(bed, "v1", "fd00:9::b");
}

static void
remove_ipv6(struct bed *bed)
{
	bed_run("ip addr del fe80::a/64 dev v0 && ip addr del fd00:9::a/64 dev v0");
	bed_run_there(bed, "ip addr del fe80::b/64 dev v1 && ip addr del fd00:9::b/64 dev v1");
}

static void
test_ipv6_multicast_and_unicast(void **state)
{
	struct pair p;

	add_ipv6(*state);
	open_pair(*state, &p, IP_V6);
	expect_packet(&p, "fe80::a", "ff02::12");
	expect_packet(&p, "fe80::a", "fe80::b");
	expect_packet(&p, "fd00:9::a", "fd00:9::b"); /* as over a heartbeat link */
	close_pair(&p);
	remove_ipv6(*state);
}

static void
test_multicast_and_unicast(void **state)
{
	struct pair p;

	open_pair(*state, &p, IP_V4);
	expect_packet(&p, "10.9.0.1", "224.0.0.18");
	expect_packet(&p, "10.9.0.1", "10.9.0.2");
	close_pair(&p);
}

/* The source is the one given, even where another would be chosen. */
static void
test_source_is_kept(void **state)
{
	struct ip_addr foreign = address("10.9.0.77"), group = address("224.0.0.18");
	struct pair p;

	bed_run("ip addr add 10.9.0.9/24 dev v0");
	open_pair(*state, &p, IP_V4);
	expect_packet(&p, "10.9.0.9", "224.0.0.18");
	expect_packet(&p, "10.9.0.1", "224.0.0.18");
	assert_true(vrrp_socket_send(&p.here, &foreign, &group, "x", 1) < 0);
	close_pair(&p);
	bed_run("ip addr del 10.9.0.9/24 dev v0");
}

/* A second cable between the same machines: its packets are for its own sockets alone. */
static void
test_other_interfaces_are_not_heard(void **state)
{
	struct ip_addr source = address("10.10.0.1"), group = address("224.0.0.18");
	struct bed *bed = *state;
	struct vrrp_socket second_here, second_there;
	struct got g;
	struct pair p;

	bed_run("ip link add w0 type veth peer name w1 netns /proc/%d/fd/%d && "
		"ip addr add 10.10.0.1/24 dev w0 && ip link set w0 up", (int)getpid(), bed->there);
	bed_run_there(bed, "ip addr add 10.10.0.2/24 dev w1 && ip link set w1 up");
	open_pair(bed, &p, IP_V4);
	bed_await_up("w0");
	assert_int_equal(vrrp_socket_open(&second_here, "w0", (int)if_nametoindex("w0"), IP_V4), 0);
	bed_enter(bed->there);
	bed_await_up("w1");
	assert_int_equal(vrrp_socket_open(&second_there, "w1", (int)if_nametoindex("w1"), IP_V4), 0);
	bed_enter(bed->here);
	assert_int_equal(vrrp_socket_send(&second_here, &source, &group, "hello", 5), 0);
	assert_int_equal(await(&second_there, &g, 1000), 5);
	assert_int_equal(await(&p.there, &g, 100), -EAGAIN);
	vrrp_socket_close(&second_here);
	vrrp_socket_close(&second_there);
	close_pair(&p);
	bed_run("ip link del w0");
}

/* The sending socket is a raw socket of protocol 112 as well: nothing may pile up in it. */
static void
test_sender_is_deaf(void **state)
{
	struct ip_addr source = address("10.9.0.1"), group = address("224.0.0.18");
	struct ip_addr unicast = address("10.9.0.2");
	uint8_t packet[64];
	struct got g;
	struct pair p;

	open_pair(*state, &p, IP_V4);
	assert_int_equal(vrrp_socket_send(&p.here, &source, &group, "one", 3), 0);
	assert_int_equal(vrrp_socket_send(&p.here, &source, &unicast, "two", 3), 0);
	assert_int_equal(await(&p.there, &g, 1000), 3);
	assert_int_equal(await(&p.there, &g, 1000), 3);
	assert_int_equal(recv(p.there.send_fd, packet, sizeof(packet), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	close_pair(&p);
}

static void
send_with_ttl(struct vrrp_socket *s, int ttl, const char *from, const char *to)
{
	struct ip_addr source = address(from), destination = address(to);
	bool v6 = source.family == IP_V6;
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;

	assert_int_equal(setsockopt(s->send_fd, level, v6 ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL,
		&ttl, sizeof(ttl)), 0);
	assert_int_equal(setsockopt(s->send_fd, level, v6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl,
		sizeof(ttl)), 0);
	assert_int_equal(vrrp_socket_send(s, &source, &destination, "01234567", 8), 0);
}

/*
 * Ten times what the receive buffer holds comes from afar before the neighbour's message, while
 * nobody reads. The message must be there, and a few of the others, so that they can be told of.
 */
static void
expect_flood_survived(struct bed *bed, enum ip_family family, const char *from, const char *to)
{
	enum { FLOOD = 30000 };
	size_t from_afar = 0, near = 0;
	struct got g;
	struct pair p;
	ssize_t n;

	open_pair(bed, &p, family);
	for (int i = 0; i < FLOOD; i++)
		send_with_ttl(&p.here, 1 + i % 254, from, to);
	send_with_ttl(&p.here, 255, from, to);
	while ((n = await(&p.there, &g, 200)) != -EAGAIN) {
		assert_int_equal(n, 8);
		from_afar += g.envelope.ttl < 255;
		near += g.envelope.ttl == 255;
	}
	assert_int_equal(near, 1);
	assert_in_range(from_afar, FLOOD / VRRP_SAMPLE / 2, FLOOD / VRRP_SAMPLE * 2);
	close_pair(&p);
}

static void
test_flood_from_afar(void **state)
{
	add_ipv6(*state);
	expect_flood_survived(*state, IP_V4, "10.9.0.1", "10.9.0.2");
	expect_flood_survived(*state, IP_V6, "fd00:9::a", "fd00:9::b");
	remove_ipv6(*state);
}

static void
expect_all_admitted(struct bed *bed, enum ip_family family, const char *from, const char *to)
{
	enum { SOME = 100 };
	struct got g;
	struct pair p;

	open_pair(bed, &p, family);
	assert_int_equal(vrrp_socket_admit(&p.there, true), 0);
	assert_int_equal(vrrp_socket_admit(&p.there, true), 0);
	for (int i = 0; i < SOME; i++) {
		send_with_ttl(&p.here, 64, from, to);
		assert_int_equal(await(&p.there, &g, 1000), 8);
		assert_int_equal(g.envelope.ttl, 64);
	}
	assert_int_equal(vrrp_socket_admit(&p.there, false), 0);
	for (int i = 0; i < SOME; i++)
		send_with_ttl(&p.here, 64, from, to);
	for (int i = 0; i < SOME / 2; i++)
		if (await(&p.there, &g, 100) == -EAGAIN)
			break;
	assert_int_equal(receive(&p.there, &g), -EAGAIN);
	close_pair(&p);
}

static void
test_unicast_through_routers(void **state)
{
	add_ipv6(*state);
	expect_all_admitted(*state, IP_V4, "10.9.0.1", "10.9.0.2");
	expect_all_admitted(*state, IP_V6, "fd00:9::a", "fd00:9::b");
	remove_ipv6(*state);
}

static size_t
open_descriptors(void)
{
	size_t count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

static void
test_errors(void **state)
{
	struct ip_addr source = address("10.9.0.1"), group = address("224.0.0.18");
	struct ip_addr six = address("ff02::12");
	struct bed *bed = *state;
	struct vrrp_socket s;
	size_t before = open_descriptors();

	assert_int_equal(vrrp_socket_open(&s, "nosuch0", 4711, IP_V4), -ENODEV);
	assert_int_equal(vrrp_socket_open(&s, "", bed->v0, IP_V4), -ENODEV);
	assert_int_equal(s.receive_fd, -1);
	assert_int_equal(s.send_fd, -1);
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(vrrp_socket_open(&s, "v0", bed->v0, IP_V4), 0);
	assert_int_equal(vrrp_socket_send(&s, &source, &six, "x", 1), -EAFNOSUPPORT);
	bed_run("ip link set v0 down");
	assert_true(vrrp_socket_send(&s, &source, &group, "x", 1) < 0);
	bed_run("ip link set v0 up");
	vrrp_socket_close(&s);
	vrrp_socket_close(&s);
	assert_int_equal(open_descriptors(), before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multicast_and_unicast),
		cmocka_unit_test(test_ipv6_multicast_and_unicast),
		cmocka_unit_test(test_source_is_kept),
		cmocka_unit_test(test_other_interfaces_are_not_heard),
		cmocka_unit_test(test_sender_is_deaf),
		cmocka_unit_test(test_flood_from_afar),
		cmocka_unit_test(test_unicast_through_routers),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, bed_setup, bed_teardown);
}
