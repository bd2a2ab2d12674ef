/* Gratuitous ARP, judged by who it is for: another kernel's neighbour table. */
#include "bed.h"

#include "linux/arp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t mac[6] = {0x02, 0, 0, 0, 0, 0x01};

static struct ip_addr
address(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static void
expect_neighbour(struct bed *bed, const char *ip, const char *lladdr)
{
	const char *line = "";

	bed_enter(bed->there);
	for (int i = 0; i < 50; i++) {
		line = bed_ask("ip neigh show %s dev v1", ip);
		if (strstr(line, lladdr))
			break;
		usleep(10000);
	}
	bed_enter(bed->here);
	if (!strstr(line, lladdr))
		fail_msg("%s is not at %s but: %s", ip, lladdr, line);
}

/* Twice in a row: the second time the entry is younger than locktime (1 s), and still moves. */
static void
test_neighbour_moves(void **state)
{
	static const uint8_t other[6] = {0x02, 0, 0, 0, 0, 0x77};
	struct ip_addr vip = address("10.9.0.100");
	struct bed *bed = *state;
	struct arp_sender s;

	bed_run_there(bed, "ip neigh replace 10.9.0.100 lladdr 02:00:00:00:00:99 dev v1 "
		"nud reachable");
	assert_int_equal(arp_sender_open(&s), 0);
	assert_int_equal(arp_announce(&s, bed->v0, mac, &vip), 0);
	expect_neighbour(bed, "10.9.0.100", "02:00:00:00:00:01");
	assert_int_equal(arp_announce(&s, bed->v0, other, &vip), 0);
	expect_neighbour(bed, "10.9.0.100", "02:00:00:00:00:77");
	arp_sender_close(&s);
}

static int
listen_there(struct bed *bed)
{
	struct sockaddr_ll on = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = bed->v1};
	int fd;

	bed_enter(bed->there);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ARP));
	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&on, sizeof(on)), 0);
	bed_enter(bed->here);
	return fd;
}

static void
test_both_forms_on_the_wire(void **state)
{
	struct ip_addr vip = address("10.9.0.101");
	struct bed *bed = *state;
	int fd = listen_there(bed);
	struct arp_sender s;

	assert_int_equal(arp_sender_open(&s), 0);
	assert_int_equal(arp_announce(&s, bed->v0, mac, &vip), 0);
	for (int reply = 0; reply <= 1; reply++) {
		uint8_t frame[128], wanted[ARP_FRAME];
		struct pollfd p = {.fd = fd, .events = POLLIN};

		assert_int_equal(poll(&p, 1, 1000), 1);
		assert_int_equal(recv(fd, frame, sizeof(frame), 0), ARP_FRAME);
		assert_int_equal(arp_build(&s, mac, &vip, reply == 1, wanted), ARP_FRAME);
		assert_memory_equal(frame, wanted, ARP_FRAME);
	}
	arp_sender_close(&s);
	close(fd);
}

/* The sender must not tap the host's traffic: its packet socket has protocol 0. */
static void
test_hears_nothing(void **state)
{
	struct bed *bed = *state;
	struct arp_sender s;
	char byte;

	assert_int_equal(arp_sender_open(&s), 0);
	bed_run("ping -c 2 -i 0.2 -W 1 10.9.0.2 >/dev/null");
	assert_int_equal(recv(s.fd, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_string_equal(bed_ask("awk '$4 == \"0003\"' /proc/net/packet | wc -l"), "0");
	arp_sender_close(&s);
	(void)bed;
}

static void
test_errors(void **state)
{
	struct ip_addr vip = address("10.9.0.102"), six = address("fd00::1");
	struct arp_sender s, never = {0};
	struct bed *bed = *state;

	assert_int_equal(arp_sender_open(&s), 0);
	assert_int_equal(arp_announce(&s, 99999, mac, &vip), -ENXIO);
	assert_int_equal(arp_announce(&s, bed->v0, mac, &six), -EAFNOSUPPORT);
	bed_run("ip link set v0 down");
	assert_int_equal(arp_announce(&s, bed->v0, mac, &vip), -ENETDOWN);
	bed_run("ip link set v0 up");
	arp_sender_close(&s);
	arp_sender_close(&s);
	arp_sender_close(&never); /* must not close descriptor 0 */
	assert_int_not_equal(dup2(0, 0), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neighbour_moves),
		cmocka_unit_test(test_both_forms_on_the_wire),
		cmocka_unit_test(test_hears_nothing),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, bed_setup, bed_teardown);
}
