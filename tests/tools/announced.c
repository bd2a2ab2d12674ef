/*
 * announced: what a neighbour hears of a takeover. Listens on an interface for gratuitous ARP of a
 * prefix and for VRRP, for some time or until SIGTERM, and prints one line of JSON: how many
 * addresses of the prefix were announced, how long that took from the first to the last one (each
 * by its first frame), and how many VRRP messages the busiest sender and VRID sent while it lasted, and
 * the longest gap between two of one sender.
 *
 *   announced INTERFACE ADDRESS LENGTH MILLISECONDS
 *
 * With --send it announces the whole prefix itself, once, with nothing else to do, and prints how
 * many milliseconds that took: what the bed can carry.
 *
 *   announced --send INTERFACE ADDRESS LENGTH
 */
#include "tool.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BATCH = 64, FRAME = 64, CONTROL = 64, BUFFER = 256 << 20, VOICES = 4096, VRRP = 112 };

struct reading {
	uint8_t frames[BATCH][FRAME];
	uint8_t controls[BATCH][CONTROL];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
};

/* Times of the messages of one sender and VRID: all of them, the announcements' times come later. */
struct voice {
	uint32_t source;
	uint8_t vrid;
	int64_t *at;
	size_t count;
};

static struct voice voices[VOICES];
static size_t voice_count;
static uint8_t *seen;
static uint32_t base, addresses, wanted;
static int64_t first_ns, last_ns;
static volatile sig_atomic_t ended;

static void
on_stop(int number)
{
	(void)number;
	ended = 1;
}

static int
open_filtered(const char *interface, uint16_t protocol, struct sock_filter *code, uint16_t length)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol),
		.sll_ifindex = (int)if_nametoindex(interface)};
	struct sock_fprog program = {.len = length, .filter = code};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), size = BUFFER, on = 1;

	if (fd == -1 || at.sll_ifindex == 0 ||
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == -1 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1 ||
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) == -1 ||
		bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1)
		tool_die(interface);
	return fd;
}

static int
open_arp(const char *interface)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 28),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 38),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 3),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~(wanted - 1)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, base, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, FRAME),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return open_filtered(interface, ETH_P_ARP, code, sizeof(code) / sizeof(code[0]));
}

static int
open_vrrp(const char *interface)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, VRRP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, FRAME),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return open_filtered(interface, ETH_P_IP, code, sizeof(code) / sizeof(code[0]));
}

static int64_t
stamp_of(struct msghdr *m)
{
	struct timespec ts = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint32_t
word(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void
take_arp(const uint8_t *frame, int64_t at)
{
	uint32_t i = word(frame + 28) - base;

	if (i >= wanted || seen[i])
		return;
	seen[i] = 1;
	if (addresses++ == 0)
		first_ns = at;
	last_ns = at;
}

static void
take_vrrp(const uint8_t *frame, int64_t at)
{
	uint32_t source = word(frame + 14 + 12);
	uint8_t vrid = frame[14 + (frame[14] & 15) * 4 + 1];
	struct voice *v = voices;

	while (v < voices + voice_count && (v->source != source || v->vrid != vrid))
		v++;
	if (v == voices + VOICES)
		return;
	if (v == voices + voice_count)
		*v = (struct voice){.source = source, .vrid = vrid}, voice_count++;
	if ((v->count & (v->count - 1)) == 0) { /* a power of two: full */
		v->at = realloc(v->at, (v->count ? 2 * v->count : 1) * sizeof(v->at[0]));
		if (!v->at)
			tool_die("realloc");
	}
	v->at[v->count++] = at;
}

static void
drain(int fd, struct reading *r, void (*take)(const uint8_t *frame, int64_t at))
{
	for (;;) {
		int n;

		for (int i = 0; i < BATCH; i++) {
			r->parts[i] = (struct iovec){r->frames[i], FRAME};
			r->messages[i].msg_hdr = (struct msghdr){.msg_iov = &r->parts[i], .msg_iovlen = 1,
				.msg_control = r->controls[i], .msg_controllen = CONTROL};
		}
		n = recvmmsg(fd, r->messages, BATCH, MSG_DONTWAIT, NULL);
		if (n <= 0)
			return;
		for (int i = 0; i < n; i++)
			take(r->frames[i], stamp_of(&r->messages[i].msg_hdr));
	}
}

struct summary {
	size_t messages, meanwhile; /* in all; of the busiest sender in the time of the announcements */
	int64_t gap_ns;             /* the longest of any sender that touches that time (or all of it) */
};

static void
sum_up(const struct voice *v, struct summary *out)
{
	size_t meanwhile = 0;

	out->messages += v->count;
	for (size_t i = 0; i < v->count; i++) {
		meanwhile += v->at[i] >= first_ns && v->at[i] <= last_ns;
		if (i > 0 && (addresses == 0 || (v->at[i] >= first_ns && v->at[i - 1] <= last_ns)) &&
			v->at[i] - v->at[i - 1] > out->gap_ns)
			out->gap_ns = v->at[i] - v->at[i - 1];
	}
	if (meanwhile > out->meanwhile)
		out->meanwhile = meanwhile;
}

/* Requests from a made-up MAC address, in batches as the daemon's. */
static void
send_all(const char *interface)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)if_nametoindex(interface), .sll_halen = 6};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	static struct reading out;
	int64_t begun = tool_now_ns();

	if (fd == -1 || to.sll_ifindex == 0)
		tool_die(interface);
	memset(to.sll_addr, 0xff, 6);
	for (uint32_t i = 0; i < wanted; i += BATCH / 2) {
		for (uint32_t k = 0; k < BATCH / 2; k++) {
			static const uint8_t head[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0,
				0, 7, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 7};
			uint32_t address = htonl(base + i + k);

			memcpy(out.frames[k], head, sizeof(head));
			memcpy(out.frames[k] + 28, &address, 4);
			memcpy(out.frames[k] + 38, &address, 4);
			out.parts[k] = (struct iovec){out.frames[k], 60};
			out.messages[k].msg_hdr = (struct msghdr){.msg_name = &to,
				.msg_namelen = sizeof(to), .msg_iov = &out.parts[k], .msg_iovlen = 1};
		}
		if (sendmmsg(fd, out.messages, BATCH / 2, 0) != BATCH / 2)
			tool_die("sendmmsg");
	}
	printf("%.3f\n", tool_ms(tool_now_ns() - begun));
}

/* False: it is no network. */
static bool
take_prefix(const char *address, const char *length)
{
	struct in_addr net;
	uint32_t mask;

	if (inet_pton(AF_INET, address, &net) != 1 || atoi(length) < 8 || atoi(length) > 27)
		return false;
	mask = ~0u << (32 - atoi(length));
	base = ntohl(net.s_addr) & mask;
	wanted = ~mask + 1;
	return true;
}

int
main(int argc, char **argv)
{
	static struct reading reading;
	bool sends = argc == 5 && strcmp(argv[1], "--send") == 0;
	struct pollfd fds[2];
	struct summary sum = {.messages = 0};
	int64_t until;

	if (argc != 5 || !take_prefix(argv[2 + sends], argv[3 + sends])) {
		fprintf(stderr, "usage: announced INTERFACE ADDRESS LENGTH MILLISECONDS\n"
			"       announced --send INTERFACE ADDRESS LENGTH\n");
		return 1;
	}
	if (sends) {
		send_all(argv[2]);
		return 0;
	}
	seen = calloc(wanted, 1);
	if (!seen)
		tool_die("calloc");
	tool_on_stop(on_stop);
	fds[0] = (struct pollfd){.fd = open_vrrp(argv[1]), .events = POLLIN};
	fds[1] = (struct pollfd){.fd = open_arp(argv[1]), .events = POLLIN};
	until = tool_now_ns() + (int64_t)atoi(argv[4]) * 1000000;
	printf("ready\n");
	fflush(stdout);
	while (!ended && tool_now_ns() < until) {
		poll(fds, 2, 20);
		drain(fds[0].fd, &reading, take_vrrp);
		drain(fds[1].fd, &reading, take_arp);
		usleep(5000); /* the stamps are the kernel's: what is measured must not wait for us */
	}
	drain(fds[1].fd, &reading, take_arp); /* what came while we waited for a processor */
	drain(fds[0].fd, &reading, take_vrrp);
	for (size_t i = 0; i < voice_count; i++)
		sum_up(&voices[i], &sum);
	printf("{\"addresses\":%u,\"span_ms\":%.3f,\"voices\":%zu,\"messages\":%zu,"
		"\"meanwhile\":%zu,\"gap_ms\":%.3f}\n", addresses, tool_ms(last_ns - first_ns),
		voice_count, sum.messages, sum.meanwhile, tool_ms(sum.gap_ns));
	return 0;
}
