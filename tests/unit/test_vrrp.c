/*
 * The VRRPv3 codec: golden bytes (the first is a frame of a real keepalived 2.2.7), the ladder of
 * refusals rung by rung, and everything a network can do to a packet. Packets to be decoded end
 * at a page that must not be touched, so that a byte read too far is a crash.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/vrrp.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct golden {
	const char *source, *destination;
	struct vrrp_advert advert;
	const char *addresses; /* hex */
	uint16_t pseudo_header, message_only;
	const char *head;      /* the six bytes before the checksum, hex */
};

static const struct golden goldens[] = {
	/* G1 */ {"10.9.0.1", "224.0.0.18", {.vrid = 51, .priority = 100, .interval_cs = 50,
		.count = 2}, "0a0900c80a0900c9",
		0x6a58, 0x54f5, "313364020032"},
	/* G2 */ {"192.0.2.11", "224.0.0.18", {.vrid = 10, .priority = 200, .interval_cs = 100,
		.count = 1}, "c0000201",
		0xa1f3, 0x448e, "310ac8010064"},
	/* G3 */ {"192.0.2.11", "224.0.0.18", {.vrid = 10, .priority = 0, .interval_cs = 100,
		.count = 1}, "c0000201",
		0x69f4, 0x0c8f, "310a00010064"},
	/* G4 */ {"192.0.2.12", "224.0.0.18", {.vrid = 255, .priority = 254, .interval_cs = 10,
		.count = 3},
		"c0000201c0000202c0000203", 0xe746, 0x89ea, "31fffe03000a"},
	/* G5 */ {"192.0.2.11", "192.0.2.12", {.vrid = 10, .priority = 200, .interval_cs = 100,
		.count = 1}, "c0000201",
		0xbff9, 0x448e, "310ac8010064"},
};
enum { GOLDENS = sizeof(goldens) / sizeof(goldens[0]) };

static size_t
unhex(const char *text, uint8_t *out)
{
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned char pair[2] = {(unsigned char)text[2 * i], (unsigned char)text[2 * i + 1]};
		unsigned value = 0;

		for (int k = 0; k < 2; k++)
			value = value * 16 +
				(unsigned)(pair[k] <= '9' ? pair[k] - '0' : pair[k] - 'a' + 10);
		out[i] = (uint8_t)value;
	}
	return n;
}

static struct ip_addr
addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static struct vrrp_envelope
envelope_of(const struct golden *g)
{
	return (struct vrrp_envelope){
		.source = addr(g->source), .destination = addr(g->destination), .ttl = 255};
}

/* The message as it stands on the wire, built from the hex of the reference, not by our encoder. */
static size_t
golden_bytes(const struct golden *g, enum vrrp_checksum form, uint8_t *out)
{
	uint16_t sum = form == VRRP_SUM_MESSAGE ? g->message_only : g->pseudo_header;
	size_t n = unhex(g->head, out);

	out[n++] = (uint8_t)(sum >> 8);
	out[n++] = (uint8_t)sum;
	return n + unhex(g->addresses, out + n);
}

/* Two pages; the second faults. Returns the end of the first. */
static uint8_t *
guard_end(void)
{
	static uint8_t *end;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages;

	if (end)
		return end;
	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	end = pages + page;
	return end;
}

/* Decode a copy of the message that ends at the guard page. */
static enum reason
decode(const uint8_t *message, size_t length, const struct vrrp_envelope *envelope,
	struct vrrp_advert *out, enum vrrp_checksum *form)
{
	uint8_t *copy = guard_end() - length;

	memcpy(copy, message, length);
	return vrrp_decode(copy, length, envelope, 3, false, out, form);
}

static void
test_golden_vectors_are_encoded_byte_for_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDENS; i++) {
		const struct golden *g = &goldens[i];
		struct vrrp_envelope envelope = envelope_of(g);
		uint8_t list[64], want[64], got[64];
		struct vrrp_advert advert = g->advert;

		unhex(g->addresses, list);
		advert.addresses = list;
		for (int form = VRRP_SUM_PSEUDO_HEADER; form <= VRRP_SUM_MESSAGE; form++) {
			size_t n = golden_bytes(g, (enum vrrp_checksum)form, want);

			assert_int_equal(vrrp_encode(&advert, &envelope, (enum vrrp_checksum)form, got,
				sizeof(got)), n);
			assert_memory_equal(got, want, n);
		}
	}
}

static void
test_golden_vectors_are_decoded_in_both_checksum_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDENS; i++) {
		const struct golden *g = &goldens[i];
		struct vrrp_envelope envelope = envelope_of(g);
		uint8_t message[64], list[64];
		size_t list_length = unhex(g->addresses, list);

		for (int form = VRRP_SUM_PSEUDO_HEADER; form <= VRRP_SUM_MESSAGE; form++) {
			size_t n = golden_bytes(g, (enum vrrp_checksum)form, message);
			struct vrrp_advert got;
			enum vrrp_checksum got_form = (enum vrrp_checksum)!form;

			assert_int_equal(decode(message, n, &envelope, &got, &got_form), REASON_NONE);
			assert_int_equal(got_form, form);
			assert_int_equal(got.vrid, g->advert.vrid);
			assert_int_equal(got.priority, g->advert.priority);
			assert_int_equal(got.interval_cs, g->advert.interval_cs);
			assert_int_equal(got.count, g->advert.count);
			assert_int_equal(got.count * 4, list_length);
			assert_memory_equal(got.addresses, list, list_length);
		}
	}
}

static void
test_unicast_checksum_depends_on_the_destination(void **state)
{
	struct vrrp_envelope envelope = envelope_of(&goldens[4]);
	uint8_t message[64];
	size_t n = golden_bytes(&goldens[1], VRRP_SUM_PSEUDO_HEADER, message);
	struct vrrp_advert got;
	enum vrrp_checksum form;

	(void)state;
	assert_int_equal(decode(message, n, &envelope, &got, &form), REASON_BAD_CHECKSUM);
}

/* G7: over IPv6 there is one form only, whatever the configuration says. */
static void
test_ipv6_checksum_has_the_pseudo_header_in_either_form(void **state)
{
	struct vrrp_envelope envelope = {
		.source = addr("fe80::1"), .destination = addr("ff02::12"), .ttl = 255};
	struct ip_addr first = addr("fe80::10"), second = addr("2001:db8::10");
	uint8_t list[32], message[64];
	struct vrrp_advert advert = {.vrid = 10, .priority = 200, .interval_cs = 100, .count = 2,
		.addresses = list};

	(void)state;
	memcpy(list, first.bytes, 16);
	memcpy(list + 16, second.bytes, 16);
	for (int form = VRRP_SUM_PSEUDO_HEADER; form <= VRRP_SUM_MESSAGE; form++) {
		assert_int_equal(vrrp_encode(&advert, &envelope, (enum vrrp_checksum)form, message,
			sizeof(message)), 40);
		assert_int_equal(message[6] << 8 | message[7], 0xdc05);
	}
}

static void
test_ipv6_golden_vector_is_decoded(void **state)
{
	struct vrrp_envelope envelope = {
		.source = addr("fe80::1"), .destination = addr("ff02::12"), .ttl = 255};
	uint8_t message[64];
	size_t n = unhex("310ac8020064dc05fe800000000000000000000000000010"
		"20010db8000000000000000000000010", message);
	struct vrrp_advert got;
	enum vrrp_checksum form;

	(void)state;
	assert_int_equal(decode(message, n, &envelope, &got, &form), REASON_NONE);
	assert_int_equal(got.count, 2);
	assert_memory_equal(got.addresses, message + 8, 32);
	assert_null(got.trailer);
	for (size_t length = 0; length < n; length++)
		assert_int_equal(decode(message, length, &envelope, &got, &form),
			REASON_BAD_LENGTH);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(decode(message, n, &envelope, &got, &form), REASON_NONE);
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	envelope.source = addr("fe80::2");
	assert_int_equal(decode(message, n, &envelope, &got, &form), REASON_BAD_CHECKSUM);
}

/* One valid packet and how to spoil it; TTL and checksum are spoiled elsewhere. */
struct rung {
	size_t at;
	uint8_t value;
	enum reason refused;
};

static void
refix_checksum(uint8_t *message, size_t n, const struct vrrp_envelope *envelope)
{
	uint16_t sum;

	message[6] = message[7] = 0;
	sum = vrrp_checksum(message, n, envelope, VRRP_SUM_PSEUDO_HEADER);
	message[6] = (uint8_t)(sum >> 8);
	message[7] = (uint8_t)sum;
}

/* Each rung alone: everything else about the packet is right, the checksum too. */
static void
test_each_rung_refuses_by_its_own_reason(void **state)
{
	static const struct rung rungs[] = {
		{0, 0x21, REASON_BAD_VERSION}, {0, 0x41, REASON_BAD_VERSION},
		{0, 0x01, REASON_BAD_VERSION}, {0, 0x30, REASON_BAD_TYPE}, {0, 0x32, REASON_BAD_TYPE},
		{1, 0, REASON_BAD_VRID}, {3, 0, REASON_BAD_COUNT}, {3, 2, REASON_BAD_LENGTH},
		{3, 255, REASON_BAD_LENGTH}, {5, 0, REASON_BAD_INTERVAL},
	};
	struct vrrp_envelope envelope = envelope_of(&goldens[1]);

	(void)state;
	for (size_t i = 0; i < sizeof(rungs) / sizeof(rungs[0]); i++) {
		uint8_t message[64];
		size_t n = golden_bytes(&goldens[1], VRRP_SUM_PSEUDO_HEADER, message);
		struct vrrp_advert got;
		enum vrrp_checksum form;

		message[rungs[i].at] = rungs[i].value;
		refix_checksum(message, n, &envelope);
		assert_int_equal(decode(message, n, &envelope, &got, &form), rungs[i].refused);
	}
}

static void
test_ttl_below_255_is_refused_unless_allowed(void **state)
{
	struct vrrp_envelope envelope = envelope_of(&goldens[1]);
	uint8_t message[64];
	size_t n = golden_bytes(&goldens[1], VRRP_SUM_PSEUDO_HEADER, message);
	struct vrrp_advert got;
	enum vrrp_checksum form;

	(void)state;
	for (int ttl = 0; ttl < 255; ttl++) {
		envelope.ttl = (uint8_t)ttl;
		assert_int_equal(vrrp_decode(message, n, &envelope, 3, false, &got, &form),
			REASON_BAD_TTL);
		assert_int_equal(vrrp_decode(message, n, &envelope, 3, true, &got, &form), REASON_NONE);
	}
}

static void
test_a_surplus_byte_is_refused(void **state)
{
	struct vrrp_envelope envelope = envelope_of(&goldens[0]);
	uint8_t message[64] = {0};
	size_t n = golden_bytes(&goldens[0], VRRP_SUM_PSEUDO_HEADER, message);
	struct vrrp_advert got;
	enum vrrp_checksum form;

	(void)state;
	for (size_t more = 1; more <= 8; more++) {
		refix_checksum(message, n + more, &envelope);
		assert_int_equal(decode(message, n + more, &envelope, &got, &form), REASON_BAD_LENGTH);
	}
}

static void
test_reserved_bits_are_ignored(void **state)
{
	struct vrrp_envelope envelope = envelope_of(&goldens[0]);
	uint8_t message[64];
	size_t n = golden_bytes(&goldens[0], VRRP_SUM_PSEUDO_HEADER, message);
	struct vrrp_advert got;
	enum vrrp_checksum form;

	(void)state;
	message[4] |= 0xf0;
	refix_checksum(message, n, &envelope);
	assert_int_equal(decode(message, n, &envelope, &got, &form), REASON_NONE);
	assert_int_equal(got.interval_cs, 50);
}

static void
test_truncation_at_every_length_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDENS; i++) {
		struct vrrp_envelope envelope = envelope_of(&goldens[i]);
		uint8_t message[64];
		size_t n = golden_bytes(&goldens[i], VRRP_SUM_PSEUDO_HEADER, message);

		for (size_t cut = 0; cut < n; cut++) {
			struct vrrp_advert got;
			enum vrrp_checksum form;

			assert_int_equal(decode(message, cut, &envelope, &got, &form), REASON_BAD_LENGTH);
		}
	}
}

/* A sum of words sees every single flipped bit; accepting two forms must not blind it. */
static void
test_every_bit_flip_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDENS; i++)
		for (int form = VRRP_SUM_PSEUDO_HEADER; form <= VRRP_SUM_MESSAGE; form++) {
			struct vrrp_envelope envelope = envelope_of(&goldens[i]);
			uint8_t message[64];
			size_t n = golden_bytes(&goldens[i], (enum vrrp_checksum)form, message);

			for (size_t bit = 0; bit < 8 * n; bit++) {
				struct vrrp_advert got;
				enum vrrp_checksum got_form;
				uint8_t mask = (uint8_t)(1u << bit % 8);

				message[bit / 8] ^= mask;
				assert_int_not_equal(decode(message, n, &envelope, &got, &got_form),
					REASON_NONE);
				message[bit / 8] ^= mask;
			}
		}
}

/* The header walks through all 2^16 values of each pair of bytes; what is accepted is in range. */
static void
test_whatever_is_accepted_is_in_range(void **state)
{
	struct vrrp_envelope envelope = envelope_of(&goldens[1]);
	size_t accepted = 0;

	(void)state;
	for (size_t at = 0; at < 6; at += 2)
		for (unsigned value = 0; value <= UINT16_MAX; value++) {
			uint8_t message[64];
			size_t n = golden_bytes(&goldens[1], VRRP_SUM_PSEUDO_HEADER, message);
			struct vrrp_advert got;
			enum vrrp_checksum form;

			message[at] = (uint8_t)(value >> 8);
			message[at + 1] = (uint8_t)value;
			refix_checksum(message, n, &envelope);
			if (decode(message, n, &envelope, &got, &form) != REASON_NONE)
				continue;
			accepted++;
			assert_in_range(got.vrid, 1, 255);
			assert_in_range(got.interval_cs, 1, 4095);
			assert_int_equal(got.count, 1);
		}
	/* VRIDs 1..255, priorities 0..255, and 16 reserved values times 4095 intervals */
	assert_int_equal(accepted, 255 + 256 + 16 * 4095);
}

static void
test_encoder_refuses_what_is_out_of_range(void **state)
{
	struct vrrp_envelope envelope = envelope_of(&goldens[1]);
	uint8_t list[4] = {192, 0, 2, 1}, out[VRRP_MAX];
	static const struct vrrp_advert bad[] = {
		{.vrid = 0, .priority = 100, .interval_cs = 100,
		.count = 1}, {.vrid = 10, .priority = 100, .interval_cs = 0,
		.count = 1}, {.vrid = 10, .priority = 100, .interval_cs = 4096,
		.count = 1},
		{.vrid = 10, .priority = 100, .interval_cs = 100,
		.count = 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct vrrp_advert advert = bad[i];

		advert.addresses = list;
		assert_int_equal(vrrp_encode(&advert, &envelope, VRRP_SUM_MESSAGE, out, sizeof(out)), 0);
	}
}

static void
test_encoder_never_writes_past_its_buffer(void **state)
{
	struct vrrp_envelope envelope = envelope_of(&goldens[0]);
	struct vrrp_advert advert = goldens[0].advert;
	uint8_t list[64];

	(void)state;
	unhex(goldens[0].addresses, list);
	advert.addresses = list;
	for (size_t room = 0; room < 16; room++)
		assert_int_equal(vrrp_encode(&advert, &envelope, VRRP_SUM_MESSAGE,
			guard_end() - room, room), 0);
	assert_int_equal(vrrp_encode(&advert, &envelope, VRRP_SUM_MESSAGE, guard_end() - 16, 16), 16);
}

static void
test_255_addresses_fit(void **state)
{
	struct vrrp_envelope envelope = envelope_of(&goldens[0]);
	static uint8_t list[255 * 4], message[VRRP_MAX];
	struct vrrp_advert advert = {.vrid = 1, .priority = 100, .interval_cs = 4095, .count = 255,
		.addresses = list}, got;
	enum vrrp_checksum form;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(list); i++)
		list[i] = (uint8_t)(i * 7);
	n = vrrp_encode(&advert, &envelope, VRRP_SUM_PSEUDO_HEADER, message, sizeof(message));
	assert_int_equal(n, 1028);
	assert_int_equal(decode(message, n, &envelope, &got, &form), REASON_NONE);
	assert_int_equal(got.count, 255);
	assert_int_equal(got.interval_cs, 4095);
	assert_memory_equal(got.addresses, list, sizeof(list));
}

/* An IPv4 packet around G2, with `options` bytes of options; returns its length. */
static size_t
packet_of(uint8_t *out, size_t options)
{
	size_t header = 20 + options, n;

	memset(out, 0, header);
	n = golden_bytes(&goldens[1], VRRP_SUM_PSEUDO_HEADER, out + header);
	out[0] = (uint8_t)(0x40 | header / 4);
	out[3] = (uint8_t)(header + n);
	out[8] = 255;
	out[9] = VRRP_PROTOCOL;
	memcpy(out + 12, (const uint8_t[]){192, 0, 2, 11, 224, 0, 0, 18}, 8);
	return header + n;
}

static enum reason
open_at_guard(const uint8_t *packet, size_t length, struct vrrp_envelope *envelope,
	const uint8_t **message, size_t *message_length)
{
	uint8_t *copy = guard_end() - length;

	memcpy(copy, packet, length);
	return vrrp_open_ip4(copy, length, envelope, message, message_length);
}

static void
test_ip_header_is_opened(void **state)
{
	uint8_t packet[96];
	struct vrrp_envelope envelope, want = envelope_of(&goldens[1]);
	const uint8_t *message;
	size_t n;

	(void)state;
	for (size_t options = 0; options <= 40; options += 4) {
		size_t length = packet_of(packet, options);

		assert_int_equal(open_at_guard(packet, length, &envelope, &message, &n), REASON_NONE);
		assert_int_equal(n, 12);
		assert_ptr_equal(message, guard_end() - 12);
		assert_true(ip_addr_equal(&envelope.source, &want.source));
		assert_true(ip_addr_equal(&envelope.destination, &want.destination));
		assert_int_equal(envelope.ttl, 255);
	}
}

/* Ethernet padding behind the packet is no part of the message. */
static void
test_padding_behind_the_packet_is_cut(void **state)
{
	uint8_t packet[96] = {0};
	struct vrrp_envelope envelope;
	const uint8_t *message;
	size_t n;

	(void)state;
	packet_of(packet, 0);
	assert_int_equal(open_at_guard(packet, 60, &envelope, &message, &n), REASON_NONE);
	assert_int_equal(n, 12);
}

static void
test_bad_ip_headers_are_refused(void **state)
{
	static const struct rung rungs[] = {
		{0, 0x65, REASON_BAD_LENGTH},  /* version 6 */
		{0, 0x44, REASON_BAD_LENGTH},  /* header shorter than 20 bytes */
		{0, 0x4f, REASON_BAD_LENGTH},  /* header longer than the packet */
		{3, 19, REASON_BAD_LENGTH},    /* total shorter than the header */
		{3, 33, REASON_BAD_LENGTH},    /* total longer than what came */
		{2, 1, REASON_BAD_LENGTH},
		{9, 1, REASON_BAD_TYPE},       /* another protocol */
	};
	uint8_t packet[96];
	struct vrrp_envelope envelope;
	const uint8_t *message;
	size_t n, length;

	(void)state;
	for (size_t i = 0; i < sizeof(rungs) / sizeof(rungs[0]); i++) {
		length = packet_of(packet, 0);
		packet[rungs[i].at] = rungs[i].value;
		assert_int_equal(open_at_guard(packet, length, &envelope, &message, &n),
			rungs[i].refused);
	}
	length = packet_of(packet, 8);
	for (size_t cut = 0; cut < length; cut++)
		assert_int_equal(open_at_guard(packet, cut, &envelope, &message, &n),
			REASON_BAD_LENGTH);
}

/* G6 */
static const char golden_v2[] = "210ac801000154f1c00002010000000000000000";

static void
test_version_2_golden_vector(void **state)
{
	struct vrrp_envelope envelope = envelope_of(&goldens[1]);
	struct vrrp_advert advert = {.version = 2, .vrid = 10, .priority = 200,
		.interval_cs = 100, .count = 1}, got;
	uint8_t want[64], message[64], list[4] = {192, 0, 2, 1};
	size_t n = unhex(golden_v2, want);
	enum vrrp_checksum form;

	(void)state;
	advert.addresses = list;
	assert_int_equal(vrrp_encode(&advert, &envelope, VRRP_SUM_PSEUDO_HEADER, message,
		sizeof(message)), n);
	assert_memory_equal(message, want, n);
	assert_int_equal(vrrp_decode(want, n, &envelope, 2, false, &got, &form), REASON_NONE);
	assert_int_equal(got.interval_cs, 100);
	assert_int_equal(got.version, 2);
	/* V062: another version is another protocol */
	assert_int_equal(decode(want, n, &envelope, &got, &form), REASON_BAD_VERSION);
	n = golden_bytes(&goldens[1], VRRP_SUM_MESSAGE, message);
	assert_int_equal(vrrp_decode(message, n, &envelope, 2, false, &got, &form),
		REASON_BAD_VERSION);
}

static void
test_version_2_refusals(void **state)
{
	struct vrrp_envelope envelope = envelope_of(&goldens[1]);
	struct vrrp_advert got, advert = {.version = 2, .vrid = 10, .priority = 200,
		.interval_cs = 150, .count = 1, .addresses = (const uint8_t[]){192, 0, 2, 1}};
	uint8_t message[64];
	size_t n = unhex(golden_v2, message);
	enum vrrp_checksum form;

	(void)state;
	message[4] = 1; /* RFC 2338 simple password (V072) */
	vrrp_seal(message, n, &envelope, VRRP_SUM_MESSAGE);
	assert_int_equal(vrrp_decode(message, n, &envelope, 2, false, &got, &form),
		REASON_BAD_AUTH);
	unhex(golden_v2, message);
	assert_int_equal(vrrp_decode(message, n - 8, &envelope, 2, false, &got, &form),
		REASON_BAD_LENGTH);
	message[12] ^= 1;
	assert_int_equal(vrrp_decode(message, n, &envelope, 2, false, &got, &form),
		REASON_BAD_CHECKSUM);
	unhex(golden_v2, message);
	message[n - 1] = 0x55; /* RFC 3768 5.3.10: whatever is there */
	vrrp_seal(message, n, &envelope, VRRP_SUM_MESSAGE);
	assert_int_equal(vrrp_decode(message, n, &envelope, 2, false, &got, &form), REASON_NONE);
	message[5] = 0;
	vrrp_seal(message, n, &envelope, VRRP_SUM_MESSAGE);
	assert_int_equal(vrrp_decode(message, n, &envelope, 2, false, &got, &form),
		REASON_BAD_INTERVAL);
	/* parts of a second cannot be said */
	assert_int_equal(vrrp_encode(&advert, &envelope, VRRP_SUM_MESSAGE, message, 64), 0);
	advert.interval_cs = 25600;
	assert_int_equal(vrrp_encode(&advert, &envelope, VRRP_SUM_MESSAGE, message, 64), 0);
}

/* V069 */
static void
test_first_ipv6_address_must_be_link_local(void **state)
{
	struct vrrp_envelope envelope = {
		.source = addr("fe80::1"), .destination = addr("ff02::12"), .ttl = 255};
	struct ip_addr global = addr("2001:db8::10");
	struct vrrp_advert got, advert = {.vrid = 10, .priority = 200, .interval_cs = 100,
		.count = 1, .addresses = global.bytes};
	uint8_t message[64];
	enum vrrp_checksum form;
	size_t n;

	(void)state;
	n = vrrp_encode(&advert, &envelope, VRRP_SUM_PSEUDO_HEADER, message, sizeof(message));
	assert_int_equal(n, 24);
	assert_int_equal(decode(message, n, &envelope, &got, &form), REASON_NOT_LINK_LOCAL);
}

static void
test_trailer_is_found_and_a_hello_needs_one(void **state)
{
	struct vrrp_envelope envelope = envelope_of(&goldens[1]);
	struct vrrp_advert got;
	uint8_t message[64];
	size_t n = golden_bytes(&goldens[1], VRRP_SUM_PSEUDO_HEADER, message);
	enum vrrp_checksum form;

	(void)state;
	assert_int_equal(decode(message, n, &envelope, &got, &form), REASON_NONE);
	assert_null(got.trailer);
	message[0] = 0x32;
	vrrp_seal(message, n, &envelope, VRRP_SUM_PSEUDO_HEADER);
	assert_int_equal(decode(message, n, &envelope, &got, &form), REASON_BAD_TYPE);
	memcpy(message + n, "TNDM....", 8);
	vrrp_seal(message, n + 8, &envelope, VRRP_SUM_PSEUDO_HEADER);
	assert_int_equal(decode(message, n + 8, &envelope, &got, &form), REASON_NONE);
	assert_int_equal(got.type, VRRP_HELLO);
	assert_int_equal(got.trailer_length, 8);
	message[n + 7] ^= 1; /* the checksum is over both */
	assert_int_equal(decode(message, n + 8, &envelope, &got, &form), REASON_BAD_CHECKSUM);
	assert_int_equal(decode(message, n + 3, &envelope, &got, &form), REASON_BAD_LENGTH);
	memcpy(message + n, "TNDx....", 8);
	vrrp_seal(message, n + 8, &envelope, VRRP_SUM_PSEUDO_HEADER);
	assert_int_equal(decode(message, n + 8, &envelope, &got, &form), REASON_BAD_LENGTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_vectors_are_encoded_byte_for_byte),
		cmocka_unit_test(test_golden_vectors_are_decoded_in_both_checksum_forms),
		cmocka_unit_test(test_unicast_checksum_depends_on_the_destination),
		cmocka_unit_test(test_ipv6_checksum_has_the_pseudo_header_in_either_form),
		cmocka_unit_test(test_ipv6_golden_vector_is_decoded),
		cmocka_unit_test(test_each_rung_refuses_by_its_own_reason),
		cmocka_unit_test(test_ttl_below_255_is_refused_unless_allowed),
		cmocka_unit_test(test_a_surplus_byte_is_refused),
		cmocka_unit_test(test_reserved_bits_are_ignored),
		cmocka_unit_test(test_truncation_at_every_length_is_refused),
		cmocka_unit_test(test_every_bit_flip_is_refused),
		cmocka_unit_test(test_whatever_is_accepted_is_in_range),
		cmocka_unit_test(test_encoder_refuses_what_is_out_of_range),
		cmocka_unit_test(test_encoder_never_writes_past_its_buffer),
		cmocka_unit_test(test_255_addresses_fit),
		cmocka_unit_test(test_ip_header_is_opened),
		cmocka_unit_test(test_padding_behind_the_packet_is_cut),
		cmocka_unit_test(test_bad_ip_headers_are_refused),
		cmocka_unit_test(test_version_2_golden_vector),
		cmocka_unit_test(test_version_2_refusals),
		cmocka_unit_test(test_first_ipv6_address_must_be_link_local),
		cmocka_unit_test(test_trailer_is_found_and_a_hello_needs_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
