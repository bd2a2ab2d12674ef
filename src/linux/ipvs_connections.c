/*
 * Reading ip_vs_conn. See ipvs_connections.h. A line is "TCP 0A4D0002 D431 0A4D0064 0050 0A580015
 * 1F90 ESTABLISHED 899 ...": addresses and ports in hexadecimal, IPv6 as 8 groups with colons. It is parsed
 * by hand, because a hundred thousand of them are.
 */
#include "linux/ipvs_connections.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 65536, WORD = 48 };

/* What ip_vs_proto_tcp.c, _udp.c and _sctp.c call a state, and is the connection at its end then? */
static const struct {
	const char *name;
	bool ending;
} states[] = {
	{"unknown", false},
	{"ESTABLISHED", false}, {"SYN_RECV", false}, {"SYN_SENT", false}, {"SYNACK", false},
	{"NONE", false}, {"LISTEN", false},
	{"FIN_WAIT", true}, {"TIME_WAIT", true}, {"CLOSE", true}, {"CLOSE_WAIT", true},
	{"LAST_ACK", true},
	{"UDP", false},
	{"INIT1", false}, {"INIT", false}, {"COOKIE_SENT", false}, {"COOKIE_REPLIED", false},
	{"COOKIE_WAIT", false}, {"COOKIE", false}, {"COOKIE_ECHOED", false},
	{"SHUTDOWN_SENT", true}, {"SHUTDOWN_RECEIVED", true}, {"SHUTDOWN_ACK_SENT", true},
	{"REJECTED", true}, {"CLOSED", true},
};

enum { STATES = sizeof(states) / sizeof(states[0]) };

const char *
ipvs_state_name(uint8_t state)
{
	return states[state < STATES ? state : 0].name;
}

static uint8_t
state_of(const char *word)
{
	for (uint8_t i = 1; i < STATES; i++)
		if (strcmp(states[i].name, word) == 0)
			return i;
	return 0;
}

/* The next word of the line; "" at its end, or where it is too long to be one of ours. */
static const char *
next_word(const char *at, char out[WORD])
{
	size_t size;

	at += strspn(at, " ");
	size = strcspn(at, " \n");
	if (size >= WORD)
		size = 0;
	memcpy(out, at, size);
	out[size] = '\0';
	return at + size;
}

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 8 digits, or 32 with colons (%pI6), perhaps in brackets. */
static bool
parse_address(const char *text, struct ip_addr *out)
{
	size_t digits = 0;

	memset(out, 0, sizeof(*out));
	for (const char *c = text; *c; c++) {
		int v = digit_of(*c);

		if (*c == ':' || *c == '[' || *c == ']')
			continue;
		if (v < 0 || digits == 32)
			return false;
		out->bytes[digits / 2] = (uint8_t)(out->bytes[digits / 2] << 4 | v);
		digits++;
	}
	out->family = digits == 8 ? IP_V4 : IP_V6;
	return digits == 8 || digits == 32;
}

static bool
parse_port(const char *text, uint16_t *out)
{
	uint32_t port = 0;

	for (const char *c = text; *c; c++) {
		int v = digit_of(*c);

		if (v < 0 || c - text == 4)
			return false;
		port = port << 4 | (uint32_t)v;
	}
	*out = (uint16_t)port;
	return text[0] != '\0';
}

static const char *
parse_endpoint(const char *at, struct endpoint *out)
{
	char address[WORD], port[WORD];

	at = next_word(next_word(at, address), port);
	return parse_address(address, &out->addr) && parse_port(port, &out->port) ? at : NULL;
}

static uint8_t
protocol_of(const char *word)
{
	if (strcmp(word, "TCP") == 0)
		return IPPROTO_TCP;
	if (strcmp(word, "UDP") == 0)
		return IPPROTO_UDP;
	return strcmp(word, "SCTP") == 0 ? IPPROTO_SCTP : 0;
}

static uint32_t
parse_seconds(const char *text)
{
	uint32_t s = 0;

	for (; *text >= '0' && *text <= '9' && s < UINT32_MAX / 10 - 1; text++)
		s = s * 10 + (uint32_t)(*text - '0');
	return s;
}

bool
ipvs_connection_parse(const char *line, struct ipvs_connection *out)
{
	char word[WORD];
	const char *at = next_word(line, word);

	out->way.protocol = protocol_of(word);
	if (out->way.protocol == 0 || !(at = parse_endpoint(at, &out->client)) ||
		!(at = parse_endpoint(at, &out->way.service)) ||
		!(at = parse_endpoint(at, &out->way.server)))
		return false;
	at = next_word(at, word);
	/* Of a template the client's port is none, and its state ASSURED or NONE. */
	if (word[0] == '\0' || out->client.port == 0)
		return false;
	out->state = state_of(word);
	out->ending = states[out->state].ending;
	next_word(at, word);
	out->expires_s = parse_seconds(word);
	return true;
}

struct reader {
	int fd;
	size_t lines_max;
	mono deadline;
	bool (*take)(void *context, const struct ipvs_connection *c);
	void *context;
};

/* Whole lines of what has been read; false: enough. *used: bytes of them. */
static bool
take_lines(const struct reader *r, char *text, size_t size, size_t *used, struct ipvs_reading *done)
{
	struct ipvs_connection c;
	char *end;

	for (*used = 0; (end = memchr(text + *used, '\n', size - *used)) != NULL;
		*used = (size_t)(end - text) + 1) {
		if (done->lines++ == r->lines_max)
			return false;
		*end = '\0';
		if (ipvs_connection_parse(text + *used, &c) && !r->take(r->context, &c))
			return false;
	}
	return true;
}

static void
read_all(const struct reader *r, struct ipvs_reading *done)
{
	char text[BUFFER];
	size_t held = 0, used;
	ssize_t n;

	while ((n = read(r->fd, text + held, sizeof(text) - held)) > 0) {
		held += (size_t)n;
		if (!take_lines(r, text, held, &used, done) || mono_due(r->deadline, mono_now()))
			return;
		if (used == 0 && held == sizeof(text))
			used = held; /* no line of ours is that long */
		memmove(text, text + used, held - used);
		held -= used;
	}
	done->error = n == -1 ? -errno : 0;
	done->whole = n == 0;
}

struct ipvs_reading
ipvs_connections_read(int fd, size_t lines_max, mono deadline,
	bool (*take)(void *context, const struct ipvs_connection *c), void *context)
{
	struct reader r = {.fd = fd, .lines_max = lines_max, .deadline = deadline, .take = take,
		.context = context};
	struct ipvs_reading done = {.lines = 0};

	read_all(&r, &done);
	return done;
}

struct ipvs_reading
ipvs_connections_of_kernel(size_t lines_max, mono deadline,
	bool (*take)(void *context, const struct ipvs_connection *c), void *context)
{
	int fd = open("/proc/net/ip_vs_conn", O_RDONLY | O_CLOEXEC);
	struct ipvs_reading done = {.error = -errno};

	if (fd == -1)
		return done;
	done = ipvs_connections_read(fd, lines_max, deadline, take, context);
	close(fd);
	return done;
}
