/*
 * The dns probe against a name server that turns from one behaviour to the next: the verdict, the
 * reason and what is shown for it.
 */
#include "tests.h"

#include "conf/bytes.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NAMES_PORT = 19053, QUESTION_MAX = 512, ADDRESS = 16 /* bytes of a record with one */ };

enum behaviour { ANSWERS, OTHER_ADDRESS, NO_RECORD, REFUSES, SILENT, ECHOES, OTHER_ID, FLOODS_STRAYS,
	LOOPS, CUT_SHORT, GARBAGE, BEHAVIOURS };

struct names {
	int fd;
	_Atomic int behaviour;
};

static void
say(int fd, const uint8_t *bytes, size_t length, const struct sockaddr_in *to)
{
	sendto(fd, bytes, length, 0, (const struct sockaddr *)to, sizeof(*to));
}

/* Puts a record behind the question; returns the new length. */
static size_t
add_record(uint8_t *bytes, size_t length, const char *record)
{
	memcpy(bytes + length, record, ADDRESS);
	bytes[7] = 1;
	return length + ADDRESS;
}

/* `bytes` is the question, with room behind it. */
static void
behave(struct names *s, uint8_t *bytes, size_t length, const struct sockaddr_in *to)
{
	static const char good[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
	static const char other[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x63";
	int i, behaviour = atomic_load(&s->behaviour);

	if (behaviour != ECHOES)
		bytes[2] |= 0x80;
	switch ((enum behaviour)behaviour) {
	case ANSWERS: length = add_record(bytes, length, good); break;
	case OTHER_ADDRESS: length = add_record(bytes, length, other); break;
	case REFUSES: bytes[3] |= 5; break;
	case OTHER_ID: bytes[0] ^= 0xff; break;
	case LOOPS:
		length = add_record(bytes, length, good);
		bytes[length - ADDRESS + 1] = (uint8_t)(length - ADDRESS); /* to itself */
		break;
	case CUT_SHORT: length = add_record(bytes, length, good) - 3; break;
	case GARBAGE: memset(bytes, 0xa5, length); break;
	case FLOODS_STRAYS:
		bytes[1] ^= 1;
		for (i = 0; i < 300; i++)
			say(s->fd, bytes, length, to);
		return;
	case SILENT: return;
	case NO_RECORD:
	case ECHOES:
	case BEHAVIOURS: break;
	}
	say(s->fd, bytes, length, to);
}

static void *
serve(void *argument)
{
	struct names *s = argument;
	struct sockaddr_in from;
	uint8_t bytes[QUESTION_MAX + ADDRESS];
	socklen_t size;
	ssize_t n;

	for (;;) {
		size = sizeof(from);
		n = recvfrom(s->fd, bytes, QUESTION_MAX, 0, (struct sockaddr *)&from, &size);
		if (n >= 12)
			behave(s, bytes, (size_t)n, &from);
	}
	return NULL;
}

static void
names_start(struct names *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(NAMES_PORT),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	pthread_t thread;

	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd == -1 || bind(s->fd, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    pthread_create(&thread, NULL, serve, s) != 0) {
		perror("name server");
		exit(1);
	}
}

struct outcome {
	const char *name;
	bool up;
	enum reason reason;
	const char *evidence;
};

static bool
is_outcome(struct bench *b, void *of)
{
	const struct outcome *o = of;
	const struct ipc_probe_result *last = &b->seen[0].last;

	return b->seen[0].any && last->up == o->up && last->reason == (uint32_t)o->reason &&
		strcmp(last->evidence, o->evidence) == 0;
}

void
test_dns(void)
{
	static struct outcome outcomes[BEHAVIOURS] = {
		[ANSWERS] = {"answers", true, REASON_PROBE_OK, ""},
		[OTHER_ADDRESS] = {"another address", false, REASON_DNS_ANSWER, "192.0.2.99"},
		[NO_RECORD] = {"no record", false, REASON_DNS_ANSWER, "no such record"},
		[REFUSES] = {"refuses", false, REASON_DNS_RCODE, "REFUSED"},
		[SILENT] = {"is silent", false, REASON_ANSWER_TIMEOUT, ""},
		[ECHOES] = {"echoes the question", false, REASON_DNS_INVALID, ""},
		[OTHER_ID] = {"another id", false, REASON_DNS_INVALID, ""},
		[FLOODS_STRAYS] = {"a flood of other ids", false, REASON_DNS_INVALID, ""},
		[LOOPS] = {"a pointer to itself", false, REASON_DNS_INVALID, ""},
		[CUT_SHORT] = {"cut short", false, REASON_DNS_INVALID, ""},
		[GARBAGE] = {"garbage", false, REASON_DNS_INVALID, ""},
	};
	static struct names server;
	struct bench *b = bench_start(0); /* first: it would hold a copy of the server's socket */
	struct bench_probe set = probe_of_type(CONF_PROBE_DNS);
	int i;
	bool done;

	names_start(&server);
	set.probe.fall = 2;
	set.address.port = NAMES_PORT;
	ip_addr_parse("127.0.0.1", &set.address.addr);
	strcpy(set.probe.query, "www.example.com");
	bytes_parse("192.0.2.1", &set.probe.answer); /* of type A, the first */
	bench_set(b, 0, &set);
	for (i = 0; i < 2 * BEHAVIOURS; i++) { /* well again after each */
		struct outcome *o = &outcomes[i % 2 == 0 ? ANSWERS : i / 2];

		atomic_store(&server.behaviour, i % 2 == 0 ? ANSWERS : i / 2);
		done = bench_until(b, 3000, is_outcome, o);
		if (i % 2 == 1 || !done)
			check(done, "dns %s: %s, %s \"%s\"", o->name,
				b->seen[0].last.up ? "up" : "down",
				reason_tag((enum reason)b->seen[0].last.reason),
				b->seen[0].last.evidence);
	}
	check(bench_stop(b), "stopped");
}
