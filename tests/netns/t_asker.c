/*
 * Questions to one host over a cable: a real kernel answers them, by ARP, neighbour solicitation and
 * echo, and nothing else is ever taken for an answer: not what we sent, not what our own host says
 * to itself, not what others announce or ask.
 */
#include "bed.h"

#include "linux/asker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ID = 0x4a4b, WAIT_MS = 1000, QUIET_MS = 60 };

static const struct ip_addr nobody = {.family = IP_NONE};
static const struct icmp_echo question = {.id = ID, .sequence = 7, .slot = 3, .cookie = 0x1122334455};

static struct ip_addr
address(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static void
mac_of(const char *interface, uint8_t mac[6])
{
	struct ifreq r = {.ifr_ifindex = 0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(r.ifr_name, interface);
	assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &r), 0);
	close(fd);
	memcpy(mac, r.ifr_hwaddr.sa_data, 6);
}

static bool
await(struct asker *a, unsigned which, struct asker_answer *out, int wait_ms)
{
	struct pollfd p = {.fd = a->fd[which], .events = POLLIN};

	return poll(&p, 1, wait_ms) == 1 && asker_read(a, which, out);
}

static void
expect_silence(struct asker *a)
{
	struct asker_answer answer;

	for (unsigned i = 0; i < ASKER_SOCKETS; i++)
		if (await(a, i, &answer, i == 0 ? QUIET_MS : 0))
			fail_msg("socket %u took something for an answer", i);
}

static void
open_asker(struct asker *a)
{
	assert_int_equal(asker_open(a, ID), 0);
	for (unsigned i = 0; i < ASKER_SOCKETS; i++)
		assert_true(a->fd[i] >= 0);
}

static void
expect_link(struct bed *bed, const char *own, const char *target, unsigned which)
{
	struct ip_addr from = own ? address(own) : nobody, to = address(target);
	struct ip_addr zero = {.family = IP_V4};
	struct asker_answer answer;
	struct asker a;
	uint8_t mac[6];

	mac_of("v0", mac);
	open_asker(&a);
	assert_int_equal(asker_link(&a, bed->v0, mac, &from, &to), 0);
	assert_true(await(&a, which, &answer, WAIT_MS));
	assert_false(answer.echo);
	assert_int_equal(answer.ifindex, bed->v0);
	assert_true(ip_addr_equal(&answer.host, &to));
	assert_true(ip_addr_equal(&answer.asker, own ? &from : &zero));
	expect_silence(&a);
	asker_close(&a);
}

static void
test_link_is_answered(void **state)
{
	struct bed *bed = *state;

	expect_link(bed, "10.9.0.1", "10.9.0.2", ASKER_ARP);
	expect_link(bed, NULL, "10.9.0.2", ASKER_ARP); /* a probe */
	expect_link(bed, "fd00:9::1", "fd00:9::2", ASKER_ICMP6);
	expect_link(bed, "fe80::9:1", "fd00:9::2", ASKER_ICMP6);
	expect_link(bed, "fe80::9:1", "fe80::9:2", ASKER_ICMP6);
}

static void
expect_echo(const char *target, unsigned which)
{
	struct ip_addr to = address(target);
	struct asker_answer answer;
	struct asker a;

	open_asker(&a);
	assert_int_equal(asker_echo(&a, &to, &question), 0);
	do { /* the kernel has to find its neighbour first, and that answer is heard, too */
		assert_true(await(&a, which, &answer, WAIT_MS));
	} while (!answer.echo);
	assert_true(ip_addr_equal(&answer.host, &to));
	assert_int_equal(answer.reply.id, ID);
	assert_int_equal(answer.reply.cookie, question.cookie);
	assert_false(await(&a, which, &answer, QUIET_MS)); /* once */
	asker_close(&a);
}

static void
test_echo_is_answered(void **state)
{
	(void)state;
	expect_echo("10.9.0.2", ASKER_ICMP4);
	expect_echo("fd00:9::2", ASKER_ICMP6);
}

/* Nobody has these: our own questions must not come back as answers. */
static void
test_nobody_is_silent(void **state)
{
	struct bed *bed = *state;
	struct ip_addr own = address("10.9.0.1"), own6 = address("fd00:9::1");
	struct ip_addr gone = address("10.9.0.77"), gone6 = address("fd00:9::77");
	struct asker a;
	uint8_t mac[6];

	mac_of("v0", mac);
	open_asker(&a);
	assert_int_equal(asker_link(&a, bed->v0, mac, &own, &gone), 0);
	assert_int_equal(asker_link(&a, bed->v0, mac, &nobody, &gone), 0);
	assert_int_equal(asker_link(&a, bed->v0, mac, &own6, &gone6), 0);
	assert_int_equal(asker_echo(&a, &gone, &question), 0);
	assert_int_equal(asker_echo(&a, &gone6, &question), 0);
	expect_silence(&a);
	asker_close(&a);
}

/* The kernel would answer for its own address, by the loopback interface. */
static void
test_our_own_host_is_no_answer(void **state)
{
	struct bed *bed = *state;
	const char *const own[] = {"10.9.0.1", "127.0.0.1", "fd00:9::1", "::1"};
	struct ip_addr self = address("10.9.0.1"), self6 = address("fd00:9::1");
	struct asker a;
	uint8_t mac[6];

	mac_of("v0", mac);
	open_asker(&a);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct ip_addr to = address(own[i]);

		assert_int_equal(asker_echo(&a, &to, &question), 0);
	}
	assert_int_equal(asker_link(&a, bed->v0, mac, &self, &self), 0);
	assert_int_equal(asker_link(&a, bed->v0, mac, &self6, &self6), 0);
	expect_silence(&a);
	asker_close(&a);
}

static void
send_arp(struct bed *bed, const uint8_t to[6], uint8_t operation, const char *target)
{
	struct sockaddr_ll out = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = bed->v1, .sll_halen = 6};
	uint8_t frame[60] = {[6] = 2, [12] = 8, 6, 0, 1, 8, 0, 6, 4, 0, operation, 2,
		[28] = 10, 9, 0, 2};
	struct ip_addr a = address(target);
	int fd;

	memcpy(frame, to, 6);
	memcpy(frame + 38, a.bytes, 4);
	bed_enter(bed->there);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_int_equal(sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&out, sizeof(out)),
		sizeof(frame));
	close(fd);
	bed_enter(bed->here);
}

/* Announcements, questions, and answers that were for another machine. */
static void
test_arp_that_is_no_answer_to_us(void **state)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
			     other[6] = {2, 0, 0, 0, 0, 0x55};
	struct bed *bed = *state;
	struct asker_answer answer;
	struct asker a;
	uint8_t mac[6];

	mac_of("v0", mac);
	open_asker(&a);
	send_arp(bed, everybody, 1, "10.9.0.1");
	send_arp(bed, everybody, 2, "10.9.0.2");
	send_arp(bed, mac, 1, "10.9.0.1");
	send_arp(bed, other, 2, "10.9.0.1");
	expect_silence(&a);
	send_arp(bed, mac, 2, "10.9.0.1"); /* the same frame as an answer is one */
	assert_true(await(&a, ASKER_ARP, &answer, WAIT_MS));
	asker_close(&a);
	bed_run("ip neigh flush all"); /* our own kernel believed it as well */
}

static void
send_advertisement(struct bed *bed, int hops, uint8_t flags)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};
	uint8_t message[24] = {ND_NEIGHBOR_ADVERT, [4] = flags, [8] = 0xfd, 0, 0, 9, [23] = 2};
	struct ip_addr a = address("fd00:9::1");
	int fd;

	memcpy(&to.sin6_addr, a.bytes, 16);
	bed_enter(bed->there);
	fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
	assert_int_equal(sendto(fd, message, sizeof(message), 0, (struct sockaddr *)&to,
		sizeof(to)), sizeof(message));
	close(fd);
	bed_enter(bed->here);
}

static void
test_advertisement_that_is_no_answer_to_us(void **state)
{
	struct bed *bed = *state;
	struct asker_answer answer;
	struct asker a;

	open_asker(&a);
	send_advertisement(bed, 255, 0x20); /* unsolicited */
	send_advertisement(bed, 254, 0x60); /* through a router */
	expect_silence(&a);
	send_advertisement(bed, 255, 0x60);
	assert_true(await(&a, ASKER_ICMP6, &answer, WAIT_MS));
	asker_close(&a);
}

/* Another program's echo, and one of an asker with another identifier. */
static void
test_echo_of_others_is_not_heard(void **state)
{
	struct ip_addr to = address("10.9.0.2"), to6 = address("fd00:9::2");
	struct icmp_echo foreign = {.id = ID + 1, .sequence = 7, .slot = 3, .cookie = 1};
	struct asker a;

	(void)state;
	/* Our kernel knows its neighbours: it has no questions of its own meanwhile. */
	bed_run("ping -c 1 -W 1 -q 10.9.0.2 > /dev/null");
	bed_run("ping -c 1 -W 1 -q fd00:9::2 > /dev/null");
	open_asker(&a);
	assert_int_equal(asker_echo(&a, &to, &foreign), 0);
	assert_int_equal(asker_echo(&a, &to6, &foreign), 0);
	bed_run("ping -c 1 -W 1 -q 10.9.0.2 > /dev/null");
	expect_silence(&a);
	asker_close(&a);
}

static void
test_what_cannot_be_sent_is_said(void **state)
{
	struct bed *bed = *state;
	struct ip_addr own = address("10.9.0.1"), far = address("192.0.2.1"),
		       far6 = address("2001:db8::1"), gateway6 = address("fd00:9::2");
	uint8_t mac[6];
	struct asker a;

	mac_of("v0", mac);
	open_asker(&a);
	assert_true(asker_echo(&a, &far, &question) < 0);
	assert_true(asker_echo(&a, &far6, &question) < 0);
	assert_true(asker_link(&a, 4711, mac, &own, &far) < 0);
	assert_true(asker_link(&a, bed->v0, mac, &own, &gateway6) < 0);
	assert_true(asker_link(&a, bed->v0, mac, &nobody, &gateway6) < 0);
	asker_close(&a);
	a = (struct asker){.fd = {0}};
	asker_close(&a); /* never opened */
	assert_int_equal(fcntl(0, F_GETFD) == -1, 0);
}

static int
setup(void **state)
{
	struct bed *bed;

	if (bed_setup(state) != 0)
		return -1;
	bed = *state;
	bed_add_ipv6("v0", "fd00:9::1");
	bed_add_ipv6("v0", "fe80::9:1");
	bed_add_ipv6_there(bed, "v1", "fd00:9::2");
	bed_add_ipv6_there(bed, "v1", "fe80::9:2");
	bed_await_up("v0");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link_is_answered),
		cmocka_unit_test(test_echo_is_answered),
		cmocka_unit_test(test_nobody_is_silent),
		cmocka_unit_test(test_our_own_host_is_no_answer),
		cmocka_unit_test(test_arp_that_is_no_answer_to_us),
		cmocka_unit_test(test_advertisement_that_is_no_answer_to_us),
		cmocka_unit_test(test_echo_of_others_is_not_heard),
		cmocka_unit_test(test_what_cannot_be_sent_is_said),
	};

	return cmocka_run_group_tests(tests, setup, bed_teardown);
}
