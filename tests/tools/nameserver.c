/*
 * nameserver ADDRESS ZONE: a name server on UDP port 53 of ADDRESS. Each question is looked up in the
 * file ZONE as it is then: lines "name address", IPv4 or IPv6. A name that is not there does not
 * exist; while there is no file nothing is answered.
 */
#include "tool.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 12, PACKET = 512, NAME = 256, TYPE_A = 1, TYPE_AAAA = 28, NXDOMAIN = 3, TTL_S = 0 };

struct packet {
	uint8_t bytes[PACKET];
	size_t length;
};

/* The name behind the header as text; its end in the packet, or 0. */
static size_t
question_name(const struct packet *q, char name[NAME])
{
	size_t at = HEADER, n = 0;

	while (at < q->length && q->bytes[at] != 0) {
		size_t label = q->bytes[at++];

		if (label > 63 || at + label >= q->length || n + label + 1 >= NAME)
			return 0;
		if (n > 0)
			name[n++] = '.';
		memcpy(name + n, q->bytes + at, label);
		n += label;
		at += label;
	}
	name[n] = '\0';
	return at + 5 <= q->length ? at + 1 : 0; /* type and class are behind it */
}

static void
add_record(struct packet *p, uint16_t type, const void *data, uint16_t size)
{
	const uint8_t head[] = {0xc0, HEADER, (uint8_t)(type >> 8), (uint8_t)type, 0, 1, 0, 0, 0, TTL_S,
		(uint8_t)(size >> 8), (uint8_t)size};

	if (p->length + sizeof(head) + size > sizeof(p->bytes))
		return;
	memcpy(p->bytes + p->length, head, sizeof(head));
	memcpy(p->bytes + p->length + sizeof(head), data, size);
	p->length += sizeof(head) + size;
	p->bytes[7]++; /* records */
}

/* False: there is no zone. */
static bool
answer(struct packet *p, const char *zone)
{
	char name[NAME], line[NAME + INET6_ADDRSTRLEN + 2], *space;
	size_t end = question_name(p, name);
	uint16_t type = 0;
	FILE *f = fopen(zone, "re");
	bool exists = false;

	if (!f || end == 0) {
		if (f)
			fclose(f);
		return false;
	}
	type = (uint16_t)(p->bytes[end] << 8 | p->bytes[end + 1]);
	p->length = end + 4;
	p->bytes[2] = 0x85; /* an answer, with authority, recursion wanted */
	memset(p->bytes + 6, 0, 6); /* no record yet */
	while (fgets(line, sizeof(line), f)) {
		uint8_t address[16];

		line[strcspn(line, "\n")] = '\0';
		if (!(space = strchr(line, ' ')))
			continue;
		*space = '\0';
		if (strcasecmp(line, name) != 0)
			continue;
		exists = true;
		if (type == TYPE_A && inet_pton(AF_INET, space + 1, address) == 1)
			add_record(p, type, address, 4);
		else if (type == TYPE_AAAA && inet_pton(AF_INET6, space + 1, address) == 1)
			add_record(p, type, address, 16);
	}
	fclose(f);
	p->bytes[3] = exists ? 0 : NXDOMAIN;
	return true;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (argc != 3 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1) {
		fprintf(stderr, "usage: nameserver ADDRESS ZONE\n");
		return 2;
	}
	if (fd == -1 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) == -1)
		tool_die("nameserver");
	for (;;) {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		struct packet p;
		ssize_t n = recvfrom(fd, p.bytes, sizeof(p.bytes), 0, (struct sockaddr *)&from, &size);

		p.length = n > 0 ? (size_t)n : 0;
		if (p.length > HEADER && answer(&p, argv[2]))
			sendto(fd, p.bytes, p.length, 0, (const struct sockaddr *)&from, size);
	}
}
