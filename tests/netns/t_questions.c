/* Questions to the wire and what it answers, between two kernels; whom to ask. */
#include "bed.h"

#include "linux/nd.h"
#include "linux/neighbours.h"
#include "linux/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ARP_AT = 14 };

static const uint8_t mac[6] = {0x02, 0, 0, 0, 0, 0x01}, other[6] = {0x02, 0, 0, 0, 0, 0x77};
static const struct ip_addr nobody = {.family = IP_NONE};

static struct ip_addr
address(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

/* A packet socket at the other end of the cable. */
static int
mouth_open(struct bed *bed)
{
	int fd;

	bed_enter(bed->there);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	bed_enter(bed->here);
	assert_int_not_equal(fd, -1);
	return fd;
}

static void
say(int fd, struct bed *bed, const uint8_t *frame, size_t length)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = bed->v1, .sll_halen = 6};

	assert_int_equal(sendto(fd, frame, length, 0, (struct sockaddr *)&to, sizeof(to)), length);
}

static bool
waits(const struct wire *w, unsigned which)
{
	struct pollfd p = {.fd = w->fd[which], .events = POLLIN};

	return poll(&p, 1, 50) == 1;
}

static void
test_what_is_no_arp_of_ip4_is_left_to_the_kernel(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} wrong[] = {{1, 6}, {2, 0x86}, {4, 8}, {5, 16}, {6, 1}, {7, 0}, {7, 3}, {7, 8}};
	uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0x77, 8, 6,
		0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 0x77, 10, 9, 0, 2};
	struct bed *bed = *state;
	struct wire_frame f;
	struct wire w;
	int mouth = mouth_open(bed);

	assert_int_equal(wire_open(&w), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t copy[60];

		memcpy(copy, frame, sizeof(copy));
		copy[ARP_AT + wrong[i].at] = wrong[i].value;
		say(mouth, bed, copy, sizeof(copy));
	}
	assert_false(waits(&w, WIRE_ARP));
	say(mouth, bed, frame, sizeof(frame));
	assert_true(waits(&w, WIRE_ARP));
	assert_true(wire_read(&w, WIRE_ARP, &f));
	assert_true(f.reply);
	assert_memory_equal(f.mac, other, 6);
	assert_false(wire_read(&w, WIRE_ARP, &f));
	wire_close(&w);
	close(mouth);
}

/* The next frame of that kind that speaks of the address; what the kernels say by themselves is not. */
static bool
hear(struct wire *w, unsigned which, const struct ip_addr *sender, struct wire_frame *out)
{
	waits(w, which);
	while (wire_read(w, which, out))
		if (ip_addr_equal(&out->sender, sender))
			return true;
	return false;
}

/* Asked more than once: a new address joins its group a moment later. */
static void
ask(struct wire *w, struct bed *bed, const uint8_t from[6], const struct ip_addr *own,
	const struct ip_addr *target, struct wire_frame *out)
{
	for (int i = 0; i < 40; i++) {
		assert_int_equal(wire_ask(w, bed->v0, from, own, target), 0);
		if (hear(w, target->family == IP_V6 ? WIRE_ND : WIRE_ARP, target, out))
			return;
	}
	fail_msg("nothing was heard");
}

static void
mac_there(struct bed *bed, uint8_t out[6])
{
	unsigned b[6];

	bed_enter(bed->there);
	assert_int_equal(sscanf(bed_ask("ip -o link show v1 | "
		"sed 's/.*ether //'"), "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4],
		&b[5]), 6);
	bed_enter(bed->here);
	for (int i = 0; i < 6; i++)
		out[i] = (uint8_t)b[i];
}

static void
test_probes_are_answered_by_who_has_the_address(void **state)
{
	struct ip_addr four = address("10.9.0.2"), six = address("fd00:9::2"), all = address("ff02::1");
	struct bed *bed = *state;
	struct wire_frame f;
	struct wire w;
	uint8_t theirs[6];

	bed_add_ipv6_there(bed, "v1", "fd00:9::2");
	mac_there(bed, theirs);
	assert_int_equal(wire_open(&w), 0);
	assert_int_equal(wire_hear_ip6(&w, true), 0);
	ask(&w, bed, mac, &nobody, &four, &f);
	assert_true(f.reply);
	assert_int_equal(f.ifindex, bed->v0);
	assert_memory_equal(f.mac, theirs, 6);
	ask(&w, bed, mac, &nobody, &six, &f);
	assert_true(f.reply);
	assert_int_equal(f.ifindex, bed->v0);
	assert_memory_equal(f.mac, theirs, 6);
	assert_true(ip_addr_equal(&f.target, &all));
	wire_close(&w);
}

/* A neighbour answers who asks from an address, and to that one. */
static void
test_neighbours_answer_to_our_address(void **state)
{
	struct ip_addr own = address("fe80::1"), six = address("fd00:9::3");
	struct bed *bed = *state;
	struct wire_frame f;
	struct wire w;

	bed_add_ipv6_there(bed, "v1", "fd00:9::3");
	bed_add_ipv6("v0", "fe80::1");
	bed_run("ip link set v0 address 02:00:00:00:00:77");
	assert_int_equal(wire_open(&w), 0);
	assert_int_equal(wire_hear_ip6(&w, true), 0);
	ask(&w, bed, other, &own, &six, &f);
	assert_true(ip_addr_equal(&f.target, &own));
	wire_close(&w);
}

static void
test_advertisements_are_heard_where_they_are_wanted(void **state)
{
	struct ip_addr six = address("fd00:9::4");
	struct bed *bed = *state;
	struct wire_frame f;
	struct wire w;

	bed_add_ipv6_there(bed, "v1", "fd00:9::4");
	assert_int_equal(wire_open(&w), 0);
	assert_int_equal(wire_ask(&w, bed->v0, mac, &nobody, &six), 0);
	assert_false(wire_read(&w, WIRE_ND, &f));
	assert_int_equal(wire_hear_ip6(&w, true), 0);
	assert_int_equal(wire_hear_ip6(&w, true), 0);
	ask(&w, bed, mac, &nobody, &six, &f);
	assert_int_equal(wire_hear_ip6(&w, false), 0);
	assert_int_equal(w.fd[WIRE_ND], -1);
	wire_close(&w);
}

/* Frames off the wire: hop limit 254, another type, malformed ones; and then one that is right. */
static void
test_what_is_no_advertisement_of_a_neighbour(void **state)
{
	struct ip_addr six = address("fd00:9::77");
	struct bed *bed = *state;
	int mouth = mouth_open(bed);
	uint8_t frame[ND_FRAME];
	struct wire_frame f;
	struct wire w;

	assert_int_equal(wire_open(&w), 0);
	assert_int_equal(wire_hear_ip6(&w, true), 0);
	while (waits(&w, WIRE_ND)) /* what the kernels have to say to each other */
		wire_read(&w, WIRE_ND, &f);
	nd_build(other, &six, false, frame);
	frame[14 + 7] = 254;
	say(mouth, bed, frame, sizeof(frame));
	nd_build(other, &six, false, frame);
	frame[14 + 40 + 4] ^= 1; /* its checksum */
	say(mouth, bed, frame, sizeof(frame));
	say(mouth, bed, frame, nd_build_question(other, &nobody, &six, frame));
	assert_false(waits(&w, WIRE_ND));
	for (int i = 0; i < 100; i++) { /* an option without a length: 7.1.2 */
		nd_build(other, &six, false, frame);
		frame[79] = 0;
		frame[57] = (uint8_t)(frame[57] + 1); /* still adds up */
		frame[56] = (uint8_t)(frame[56] + (frame[57] == 0));
		say(mouth, bed, frame, sizeof(frame));
	}
	assert_true(waits(&w, WIRE_ND));
	f.sender.family = IP_NONE;
	assert_false(wire_read(&w, WIRE_ND, &f));
	assert_true(waits(&w, WIRE_ND)); /* a call ends before the queue does */
	nd_build(other, &six, false, frame);
	say(mouth, bed, frame, sizeof(frame));
	for (int i = 0; i < 10 && f.sender.family == IP_NONE; i++)
		hear(&w, WIRE_ND, &six, &f);
	assert_true(ip_addr_equal(&f.sender, &six));
	assert_memory_equal(f.mac, other, 6);
	assert_false(wire_read(&w, WIRE_ND, &f));
	wire_close(&w);
	close(mouth);
}

/* The kernel's word, again and again: an answer that is left over must not be taken for the next. */
static void
test_gateway_and_neighbours(void **state)
{
	struct ip_addr gateway4 = address("10.9.0.254"), gateway6 = address("fe80::254"), list[4],
		next4 = address("10.9.0.2"), next6 = address("fd00:9::2");
	struct neighbours *n = neighbours_open();
	struct bed *bed = *state;

	(void)bed;
	assert_non_null(n);
	bed_run("ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:99 dev v0 nud reachable;"
		"ip neigh replace 10.9.0.3 dev v0 nud failed;"
		"ip neigh replace fd00:9::2 lladdr 02:00:00:00:00:99 dev v0 nud reachable;"
		"ip neigh replace fd00:9::9 dev v0 nud failed");
	for (int i = 0; i < 50; i++) {
		if (i == 10) { /* nowhere to go before */
			bed_run("ip route add default via 10.9.0.254 dev v0 onlink;"
				"ip -6 route add default via fe80::254 dev v0");
		}
		assert_int_equal(neighbours_list(n, "v0", IP_V4, list, 4), i < 10 ? 1 : 2);
		assert_true(ip_addr_equal(&list[0], i < 10 ? &next4 : &gateway4));
		assert_int_equal(neighbours_list(n, "v0", IP_V6, list, 4), i < 10 ? 1 : 2);
		assert_true(ip_addr_equal(&list[0], i < 10 ? &next6 : &gateway6));
		assert_int_equal(neighbours_list(n, "v0", IP_V4, list, 0), 0);
	}
	assert_int_equal(neighbours_list(n, "none", IP_V4, list, 4), 0);
	neighbours_close(n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gateway_and_neighbours),
		cmocka_unit_test(test_what_is_no_arp_of_ip4_is_left_to_the_kernel),
		cmocka_unit_test(test_probes_are_answered_by_who_has_the_address),
		cmocka_unit_test(test_neighbours_answer_to_our_address),
		cmocka_unit_test(test_advertisements_are_heard_where_they_are_wanted),
		cmocka_unit_test(test_what_is_no_advertisement_of_a_neighbour),
	};

	return cmocka_run_group_tests(tests, bed_setup, bed_teardown);
}
