/* VRRP sockets over a cable: what leaves looks as RFC 9568 wants it, and who hears what. */
#include "bed.h"

#include "core/vrrp.h"
#include "linux/vrrp_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
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
open_pair(struct bed *bed, struct pair *p)
{
	assert_int_equal(vrrp_socket_open(&p->here, "v0", bed->v0), 0);
	bed_enter(bed->there);
	assert_int_equal(vrrp_socket_open(&p->there, "v1", bed->v1), 0);
	bed_enter(bed->here);
}

static void
close_pair(struct pair *p)
{
	vrrp_socket_close(&p->here);
	vrrp_socket_close(&p->there);
}

static ssize_t
await(struct vrrp_socket *s, uint8_t *out, size_t capacity, int timeout_ms)
{
	struct pollfd p = {.fd = s->receive_fd, .events = POLLIN};

	if (poll(&p, 1, timeout_ms) == 0)
		return -EAGAIN;
	return vrrp_socket_receive(s, out, capacity);
}

static void
expect_packet(struct pair *p, const char *from, const char *to)
{
	struct ip_addr source = address(from), destination = address(to);
	uint8_t message[20], packet[256];
	ssize_t n;

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7);
	assert_int_equal(
		vrrp_socket_send(&p->here, &source, &destination, message, sizeof(message)), 0);
	n = await(&p->there, packet, sizeof(packet), 1000);
	assert_int_equal(n, 20 + (ssize_t)sizeof(message));
	assert_int_equal(packet[0], 0x45);
	assert_int_equal(packet[1], 0xc0); /* CS6 */
	assert_int_equal(packet[8], 255);  /* TTL */
	assert_int_equal(packet[9], 112);
	assert_memory_equal(packet + 12, source.bytes, 4);
	assert_memory_equal(packet + 16, destination.bytes, 4);
	assert_memory_equal(packet + 20, message, sizeof(message));
	assert_int_equal(vrrp_socket_receive(&p->there, packet, sizeof(packet)), -EAGAIN);
	/* Not looped back to ourselves. */
	assert_int_equal(vrrp_socket_receive(&p->here, packet, sizeof(packet)), -EAGAIN);
}

static void
test_multicast_and_unicast(void **state)
{
	struct pair p;

	open_pair(*state, &p);
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
	open_pair(*state, &p);
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
	uint8_t packet[256];
	struct pair p;

	bed_run("ip link add w0 type veth peer name w1 netns /proc/%d/fd/%d && "
		"ip addr add 10.10.0.1/24 dev w0 && ip link set w0 up", (int)getpid(), bed->there);
	bed_run_there(bed, "ip addr add 10.10.0.2/24 dev w1 && ip link set w1 up");
	open_pair(bed, &p);
	bed_await_up("w0");
	assert_int_equal(vrrp_socket_open(&second_here, "w0", (int)if_nametoindex("w0")), 0);
	bed_enter(bed->there);
	bed_await_up("w1");
	assert_int_equal(vrrp_socket_open(&second_there, "w1", (int)if_nametoindex("w1")), 0);
	bed_enter(bed->here);
	assert_int_equal(vrrp_socket_send(&second_here, &source, &group, "hello", 5), 0);
	assert_int_equal(await(&second_there, packet, sizeof(packet), 1000), 25);
	assert_int_equal(await(&p.there, packet, sizeof(packet), 100), -EAGAIN);
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
	struct pair p;

	open_pair(*state, &p);
	assert_int_equal(vrrp_socket_send(&p.here, &source, &group, "one", 3), 0);
	assert_int_equal(vrrp_socket_send(&p.here, &source, &unicast, "two", 3), 0);
	assert_int_equal(await(&p.there, packet, sizeof(packet), 1000), 23);
	assert_int_equal(await(&p.there, packet, sizeof(packet), 1000), 23);
	assert_int_equal(recv(p.there.send_fd, packet, sizeof(packet), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	close_pair(&p);
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

	assert_int_equal(vrrp_socket_open(&s, "nosuch0", 4711), -ENODEV);
	assert_int_equal(vrrp_socket_open(&s, "", bed->v0), -ENODEV);
	assert_int_equal(s.receive_fd, -1);
	assert_int_equal(s.send_fd, -1);
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(vrrp_socket_open(&s, "v0", bed->v0), 0);
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
		cmocka_unit_test(test_source_is_kept),
		cmocka_unit_test(test_other_interfaces_are_not_heard),
		cmocka_unit_test(test_sender_is_deaf),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, bed_setup, bed_teardown);
}
