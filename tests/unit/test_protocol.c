/*
 * The test vectors of docs/PROTOCOL.md are what this program's code sends, byte for byte, and what
 * it takes. `test_protocol --print` writes them as they stand there; tests/unit/vectors.py reads
 * them with nothing but the document.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "auth/heartbeat_key.h"
#include "core/pair.h"
#include "core/vrrp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROLE_BACKUP = 1, ROLE_ACTIVE = 2, FIT = 2, KEY_ID = 7, ROOM = VRRP_MAX + TRAILER_MAX };

static const char cluster[] = "edge";

struct vector {
	const char *name, *source, *destination;
	enum vrrp_checksum form;
	uint8_t bytes[ROOM];
	size_t length;
};

/* Two nodes that boot: the backup's hello, the active's adverts on its interface and on a link. */
enum { HELLO, ADVERT, ADVERT_ON_LINK, ADVERT_6, VECTORS };

static struct vector vectors[VECTORS] = {
	[HELLO] = {"hello", "10.77.0.12", "224.0.0.18", VRRP_SUM_PSEUDO_HEADER},
	[ADVERT] = {"advert", "10.77.0.11", "224.0.0.18", VRRP_SUM_MESSAGE},
	[ADVERT_ON_LINK] = {"advert-on-link", "192.168.255.1", "192.168.255.2",
		VRRP_SUM_PSEUDO_HEADER},
	[ADVERT_6] = {"advert-6", "fe80::11", "ff02::12", VRRP_SUM_PSEUDO_HEADER},
};

static struct ip_addr
addr(const char *text)
{
	struct ip_addr a;

	if (!ip_addr_parse(text, &a))
		abort();
	return a;
}

static struct vrrp_envelope
envelope_of(const struct vector *v)
{
	return (struct vrrp_envelope){.source = addr(v->source),
		.destination = addr(v->destination), .ttl = VRRP_TTL};
}

static struct auth_ring *
ring_new(void)
{
	struct auth_ring *ring = auth_ring_new();
	uint8_t key[32];

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	if (!ring || !auth_ring_add(ring, KEY_ID, key, sizeof(key), cluster))
		abort();
	return ring;
}

/* As the daemon does: the message, the trailer, the MAC, and last the checksum of the path. */
static void
build(struct vector *v, const struct vrrp_advert *advert, const struct trailer *t)
{
	struct auth_ring *ring = ring_new();
	struct vrrp_envelope envelope = envelope_of(v);

	v->length = vrrp_encode(advert, &envelope, v->form, v->bytes, VRRP_MAX);
	v->length += trailer_encode(t, v->bytes + v->length, sizeof(v->bytes) - v->length);
	memset(v->bytes + VRRP_CHECKSUM_AT, 0, 2);
	auth_sign(ring, v->bytes, v->length - TRAILER_MAC, v->bytes + v->length - TRAILER_MAC);
	vrrp_seal(v->bytes, v->length, &envelope, v->form);
	auth_ring_free(ring);
}

static void
boot(struct pair *p, uint64_t id, const char *self)
{
	struct ip_addr address = addr(self);
	uint32_t tags[] = {trailer_tag("eth0"), trailer_tag("cross")};

	pair_init(p, id, &address, 100 * NS_PER_MS, (mono){0});
	pair_configure(p, &address, 100 * NS_PER_MS, 0x5eed1234, tags, 2);
}

static void
build_vectors(void)
{
	static const uint8_t list[4] = {10, 77, 0, 100};
	struct vrrp_advert advert = {.version = 3, .type = VRRP_HELLO, .vrid = 51, .priority = 100,
		.interval_cs = 10, .count = 1, .addresses = list};
	struct trailer hello = {.key_id = KEY_ID, .role = ROLE_BACKUP, .priority = 100,
		.fitness = FIT, .flags = TRAILER_READY, .healthy = 2,
		.router_tag = trailer_tag("web")}, t = hello;
	struct ip_addr list_6[2] = {addr("fe80::100"), addr("fd00:77::100")};
	uint8_t bytes_6[32];
	struct pair lb1, lb2;
	struct pair_news news;

	boot(&lb1, 0x1111111111111111, "10.77.0.11");
	boot(&lb2, 0x2222222222222222, "10.77.0.12");
	pair_fill(&lb2, (mono){0}, &hello);
	build(&vectors[HELLO], &advert, &hello);
	pair_accept(&lb1, (mono){5 * NS_PER_MS}, 0, &hello, 100 * NS_PER_MS, &news);
	advert.type = VRRP_ADVERT;
	advert.priority = t.priority = 150;
	t.role = ROLE_ACTIVE;
	t.flags = TRAILER_HOLDING | TRAILER_CONNECTED;
	t.neighbour_count = 2;
	t.neighbours[0] = addr("10.77.0.1");
	t.neighbours[1] = addr("10.77.0.99");
	pair_fill(&lb1, (mono){12 * NS_PER_MS}, &t);
	build(&vectors[ADVERT], &advert, &t);
	build(&vectors[ADVERT_ON_LINK], &advert, &t);
	pair_accept(&lb2, (mono){13 * NS_PER_MS}, 0, &t, 100 * NS_PER_MS, &news);
	pair_fill(&lb2, (mono){14 * NS_PER_MS}, &hello);
	pair_accept(&lb1, (mono){15 * NS_PER_MS}, 0, &hello, 100 * NS_PER_MS, &news);
	pair_fill(&lb1, (mono){112 * NS_PER_MS}, &t);
	t.router_tag = trailer_tag("web6");
	advert.vrid = 52;
	advert.count = 2;
	memcpy(bytes_6, list_6[0].bytes, 16);
	memcpy(bytes_6 + 16, list_6[1].bytes, 16);
	advert.addresses = bytes_6;
	build(&vectors[ADVERT_6], &advert, &t);
}

/* A vector as the document has it. The caller frees it. */
static char *
format(const struct vector *v)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	fprintf(f, "```\nvector %s\nsource %s\ndestination %s\nchecksum %s\n", v->name, v->source,
		v->destination, v->form == VRRP_SUM_MESSAGE ? "rfc9568" : "rfc5798");
	for (size_t i = 0; i < v->length; i++)
		fprintf(f, "%02x%s", v->bytes[i],
			i % 32 == 31 || i + 1 == v->length ? "\n" : "");
	fprintf(f, "```\n");
	fclose(f);
	return text;
}

static char *
read_document(void)
{
	const char *top = getenv("top_srcdir");
	char path[512];
	static char text[1 << 17];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/docs/PROTOCOL.md", top ? top : ".");
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

static void
test_document_has_the_vectors(void **state)
{
	char *document = read_document();

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		char *text = format(&vectors[i]);

		if (!strstr(document, text))
			fail_msg("docs/PROTOCOL.md does not have\n%s", text);
		free(text);
	}
}

static void
test_vectors_are_taken(void **state)
{
	struct auth_ring *ring = ring_new();

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		struct vector v = vectors[i];
		struct vrrp_envelope envelope = envelope_of(&v);
		struct vrrp_advert advert;
		struct trailer t;
		enum vrrp_checksum form;

		assert_int_equal(vrrp_decode(v.bytes, v.length, &envelope, 3, false, &advert,
			&form), REASON_NONE);
		assert_int_equal(form, v.form);
		assert_int_equal(advert.type, i == HELLO ? VRRP_HELLO : VRRP_ADVERT);
		assert_int_equal(trailer_decode(advert.trailer, advert.trailer_length, &t),
			REASON_NONE);
		memset(v.bytes + VRRP_CHECKSUM_AT, 0, 2);
		assert_true(auth_verify(ring, t.key_id, v.bytes, v.length - TRAILER_MAC,
			v.bytes + v.length - TRAILER_MAC));
	}
	auth_ring_free(ring);
}

/* Every bit is under the MAC but those of the checksum. */
static void
test_every_bit_is_signed(void **state)
{
	struct auth_ring *ring = ring_new();
	struct vector v = vectors[ADVERT];

	(void)state;
	memset(v.bytes + VRRP_CHECKSUM_AT, 0, 2);
	for (size_t bit = 0; bit < 8 * v.length; bit++) {
		v.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(auth_verify(ring, KEY_ID, v.bytes, v.length - TRAILER_MAC,
			v.bytes + v.length - TRAILER_MAC));
		v.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	auth_ring_free(ring);
}

/* The numbers that the document gives. */
static void
test_document_has_the_bounds(void **state)
{
	char *document = read_document(), text[128];

	(void)state;
	snprintf(text, sizeof(text), "%d + %d n + %d m + %d bytes: %d to %d.", TRAILER_FIXED,
		TRAILER_PATH, TRAILER_NEIGHBOUR, TRAILER_MAC, TRAILER_FIXED + TRAILER_MAC,
		TRAILER_MAX);
	assert_non_null(strstr(document, text));
	snprintf(text, sizeof(text), "number of paths, 0 to %d ", TRAILER_PATHS);
	assert_non_null(strstr(document, text));
	snprintf(text, sizeof(text), "number of neighbours, 0 to %d ", TRAILER_NEIGHBOURS);
	assert_non_null(strstr(document, text));
	snprintf(text, sizeof(text), "at most %d candidates", PAIR_CANDIDATES);
	assert_non_null(strstr(document, text));
	snprintf(text, sizeof(text), "last %d lives", PAIR_RETIRED);
	assert_non_null(strstr(document, text));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document_has_the_vectors),
		cmocka_unit_test(test_vectors_are_taken),
		cmocka_unit_test(test_every_bit_is_signed),
		cmocka_unit_test(test_document_has_the_bounds),
	};

	build_vectors();
	if (argc == 2 && strcmp(argv[1], "--print") == 0) {
		for (size_t i = 0; i < VECTORS; i++) {
			char *text = format(&vectors[i]);

			printf("%s\n", text);
			free(text);
		}
		return 0;
	}
	return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
