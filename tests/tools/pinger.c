/*
 * pinger ADDRESS [INTERVAL_MS [DURATION_MS]]: ICMP echo at a steady pace, and what was lost of it.
 *
 * ping(8) waits for the scheduler and lets slots slip; a takeover of 30 ms wants every millisecond
 * accounted for. Each echo carries its number; the slot of a number is start + number * interval.
 * A slot that this program itself missed (it was not scheduled) is not sent later in a burst but
 * counted as skipped, and the longest such stall is reported: a figure taken while the machine
 * stood still says so. Stops after DURATION_MS or at SIGTERM, waits 300 ms for late answers and
 * prints one JSON object. Prints "ready" as soon as the first answer has come.
 */
#include "tool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GRACE_MS = 300, MAX_SLOTS = 1 << 20 };
enum slot_state { SLOT_SKIPPED, SLOT_LOST, SLOT_ANSWERED };

struct pinger {
	int fd;
	uint16_t ident;
	struct sockaddr_in to;
	int64_t start_ns, interval_ns;
	uint32_t next, limit;
	uint8_t *slots; /* enum slot_state */
	uint32_t sent, answered, duplicates, refused;
	int64_t stall_ns; /* longest time by which a slot was late */
	bool ready;
};

static volatile sig_atomic_t stopped;

static void
on_stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static uint16_t
checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void
send_echo(struct pinger *p, uint32_t number)
{
	struct {
		struct icmphdr head;
		uint32_t number;
		uint8_t fill[44];
	} packet = {.head = {.type = ICMP_ECHO}, .number = number};

	packet.head.un.echo.id = p->ident;
	packet.head.un.echo.sequence = htons((uint16_t)number);
	packet.head.checksum = checksum(&packet, sizeof(packet));
	p->slots[number] = SLOT_LOST;
	p->sent++;
	if (sendto(p->fd, &packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&p->to,
		    sizeof(p->to)) == -1)
		p->refused++;
}

static void
take_answer(struct pinger *p, const uint8_t *packet, size_t len)
{
	size_t ip_len = len ? (size_t)(packet[0] & 15) * 4 : 0;
	struct icmphdr head;
	uint32_t number;

	if (len < ip_len + sizeof(head) + sizeof(number))
		return;
	memcpy(&head, packet + ip_len, sizeof(head));
	memcpy(&number, packet + ip_len + sizeof(head), sizeof(number));
	if (head.type != ICMP_ECHOREPLY || head.un.echo.id != p->ident || number >= p->next)
		return;
	if (p->slots[number] == SLOT_ANSWERED) {
		p->duplicates++;
		return;
	}
	p->slots[number] = SLOT_ANSWERED;
	p->answered++;
	if (!p->ready) {
		p->ready = true;
		puts("ready");
		fflush(stdout);
	}
}

static void
receive_until(struct pinger *p, int64_t until_ns)
{
	struct pollfd pfd = {.fd = p->fd, .events = POLLIN};
	uint8_t buf[2048];

	for (;;) {
		struct timespec left = tool_timespec(until_ns - tool_now_ns());
		ssize_t n;

		if (ppoll(&pfd, 1, &left, NULL) == 1) {
			while ((n = recv(p->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
				take_answer(p, buf, (size_t)n);
		}
		if (tool_now_ns() >= until_ns || (stopped && p->next < p->limit))
			return;
	}
}

static void
run(struct pinger *p)
{
	p->start_ns = tool_now_ns();
	while (!stopped && p->next < p->limit) {
		int64_t due = p->start_ns + (int64_t)p->next * p->interval_ns;
		int64_t late;

		receive_until(p, due);
		late = tool_now_ns() - due;
		if (late > p->stall_ns)
			p->stall_ns = late;
		while (late >= p->interval_ns && p->next + 1 < p->limit) {
			p->slots[p->next++] = SLOT_SKIPPED;
			late -= p->interval_ns;
		}
		p->next++;
		send_echo(p, p->next - 1);
	}
	p->limit = p->next;
	receive_until(p, tool_now_ns() + GRACE_MS * INT64_C(1000000));
}

/*
 * The longest outage: from the first lost slot to the next answered one. Skipped slots neither
 * begin nor end one.
 */
static void
report(const struct pinger *p)
{
	int64_t begin = -1, gap, longest = 0;
	uint32_t i, skipped = 0, outages = 0;

	for (i = 0; i < p->next; i++) {
		skipped += p->slots[i] == SLOT_SKIPPED;
		if (p->slots[i] == SLOT_LOST && begin == -1) {
			begin = i;
			outages++;
		}
		if (p->slots[i] == SLOT_ANSWERED)
			begin = -1;
		gap = begin == -1 ? 0 : (int64_t)i + 1 - begin;
		if (gap > longest)
			longest = gap;
	}
	printf("{\"sent\":%u,\"lost\":%u,\"answered\":%u,\"duplicates\":%u,\"refused\":%u,"
	       "\"outages\":%u,\"longest_gap_ms\":%.1f,\"skipped\":%u,\"stall_ms\":%.1f}\n",
		p->sent, p->sent - p->answered, p->answered, p->duplicates, p->refused, outages,
		tool_ms(longest * p->interval_ns), skipped, tool_ms(p->stall_ns));
}

int
main(int argc, char **argv)
{
	struct pinger p = {.interval_ns = 1000000, .limit = MAX_SLOTS};
	int size = 1 << 20;

	if (argc > 2)
		p.interval_ns = (int64_t)(atof(argv[2]) * 1e6);
	if (argc > 3 && p.interval_ns > 0 && atof(argv[3]) * 1e6 / (double)p.interval_ns < MAX_SLOTS)
		p.limit = (uint32_t)(atof(argv[3]) * 1e6 / (double)p.interval_ns);
	p.to.sin_family = AF_INET;
	if (argc < 2 || p.interval_ns <= 0 || inet_pton(AF_INET, argv[1], &p.to.sin_addr) != 1) {
		fputs("usage: pinger ADDRESS [INTERVAL_MS [DURATION_MS]]\n", stderr);
		return 2;
	}
	p.ident = (uint16_t)getpid();
	p.slots = calloc(MAX_SLOTS, 1);
	p.fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (p.fd == -1 || !p.slots)
		tool_die("pinger");
	setsockopt(p.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	tool_on_stop(on_stop);
	tool_realtime();
	run(&p);
	report(&p);
	free(p.slots);
	close(p.fd);
	return 0;
}
