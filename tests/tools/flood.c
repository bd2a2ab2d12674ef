/*
 * flood: what an attacker on the LAN can do with heartbeats. Listens for VRRP on an interface, then
 * sends what it captured again, byte for byte and with flipped bits, at a rate. Prints how many.
 *
 *   flood INTERFACE RATE SECONDS
 */
#include "tool.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CAPTURES = 32, FRAME = 2048, VRRP = 112, PROTOCOL_AT = 14 + 9, BATCH_NS = 1000000,
	COUNTER_AT = 8 + 4 + 16 /* one address, then the trailer's */ };

struct capture {
	uint8_t bytes[FRAME];
	size_t length;
};

static struct capture captures[CAPTURES];

static int
open_socket(const char *interface)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)if_nametoindex(interface)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IP));

	if (fd == -1 || at.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1) {
		perror(interface);
		exit(2);
	}
	return fd;
}

static size_t
listen_for(int fd, int64_t until)
{
	size_t count = 0;

	while (count < CAPTURES && tool_now_ns() < until) {
		struct capture *c = &captures[count];
		ssize_t n = recv(fd, c->bytes, sizeof(c->bytes), 0);

		if (n < PROTOCOL_AT + 1 || c->bytes[PROTOCOL_AT] != VRRP)
			continue;
		c->length = (size_t)n;
		count++;
	}
	return count;
}

/* The checksum is no secret: what is forged has a right one (RFC 9568's form). */
static void
seal(uint8_t *message, size_t length)
{
	uint32_t sum = 0;

	message[6] = message[7] = 0;
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(message[i] << 8 | message[i + 1]);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	message[6] = (uint8_t)(~sum >> 8);
	message[7] = (uint8_t)~sum;
}

/* Half of them as they were, half forged: a flipped bit, and a counter from the future. */
static bool
send_one(int fd, size_t count, unsigned *seed)
{
	struct capture c = captures[(unsigned)rand_r(seed) % count];
	size_t from = 34;

	if (c.length > from + COUNTER_AT + 8 && (rand_r(seed) & 1) != 0) {
		c.bytes[from + (unsigned)rand_r(seed) % (c.length - from)] ^=
			(uint8_t)(1u << (rand_r(seed) & 7));
		c.bytes[from + COUNTER_AT + 5] = (uint8_t)rand_r(seed);
		seal(c.bytes + from, c.length - from);
	}
	return send(fd, c.bytes, c.length, MSG_DONTWAIT) != -1;
}

int
main(int argc, char **argv)
{
	int64_t rate, seconds, begun, sent = 0, tried = 0;
	unsigned seed = 1;
	size_t count;
	int fd;

	if (argc != 4) {
		fputs("usage: flood INTERFACE RATE SECONDS\n", stderr);
		return 1;
	}
	rate = atoll(argv[2]);
	seconds = atoll(argv[3]);
	fd = open_socket(argv[1]);
	count = listen_for(fd, tool_now_ns() + 10 * INT64_C(1000000000));
	shutdown(fd, SHUT_RD);
	if (count == 0) {
		fputs("nothing to capture\n", stderr);
		return 2;
	}
	printf("ready\n");
	fflush(stdout);
	begun = tool_now_ns();
	while (tool_now_ns() - begun < seconds * INT64_C(1000000000)) {
		int64_t due = (tool_now_ns() - begun) * rate / INT64_C(1000000000);

		for (; tried < due; tried++)
			sent += send_one(fd, count, &seed);
		usleep(BATCH_NS / 1000);
	}
	printf("{\"sent\":%lld,\"captured\":%zu}\n", (long long)sent, count);
	return 0;
}
