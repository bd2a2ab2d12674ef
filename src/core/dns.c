/* DNS for probes. See dns.h. */
#include "core/dns.h"

#include "base/cursor.h"

#include <stdio.h>
#include <string.h>

enum {
	LABEL_MAX = 63,
	JUMPS_MAX = 127, /* a name has no more labels, and each may be elsewhere */
	CLASS_IN = 1,
	FLAG_ANSWER = 0x8000,
	FLAG_RECURSION = 0x0100,
	OPCODE_MASK = 0x7800,
};

const char *
dns_rcode_name(uint8_t rcode)
{
	static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",
		"REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE", "rcode 11",
		"rcode 12", "rcode 13", "rcode 14", "rcode 15"};

	return names[rcode & 15];
}

/* One label more. False: too long. */
static bool
add_label(struct dns_name *name, const void *bytes, size_t length)
{
	if (length > LABEL_MAX || name->length + length + 1 > DNS_NAME_MAX - 1)
		return false;
	name->bytes[name->length] = (uint8_t)length;
	memcpy(name->bytes + name->length + 1, bytes, length);
	name->length = (uint8_t)(name->length + length + 1);
	return true;
}

static void
end_name(struct dns_name *name)
{
	name->bytes[name->length++] = 0; /* add_label() left room */
}

bool
dns_name_parse(const char *text, struct dns_name *out)
{
	size_t length;

	memset(out, 0, sizeof(*out));
	if (strcmp(text, ".") == 0)
		text++;
	else if (*text == '\0')
		return false;
	while (*text != '\0') {
		length = strcspn(text, ".");
		if (length == 0 || !add_label(out, text, length))
			return false;
		text += length;
		text += *text == '.';
	}
	end_name(out);
	return true;
}

/*
 * The name at `at` of the message, its pointers followed; *after is behind it. False: beyond the
 * end, too long, or a pointer that does not lead backwards.
 */
static bool
read_name(const uint8_t *message, size_t length, size_t at, struct dns_name *out, size_t *after)
{
	size_t limit = at; /* a pointer leads before the start of what it ends */
	unsigned jumps = 0;

	memset(out, 0, sizeof(*out));
	for (;;) {
		uint8_t n;

		if (at >= length)
			return false;
		n = message[at];
		if (n >= 0xc0) {
			if (at + 1 >= length)
				return false;
			if (jumps++ == 0)
				*after = at + 2;
			at = (size_t)(n & 0x3f) << 8 | message[at + 1];
			if (at >= limit || jumps > JUMPS_MAX)
				return false;
			limit = at;
			continue;
		}
		if (n > LABEL_MAX || n >= length - at)
			return false;
		if (n == 0)
			break;
		if (!add_label(out, message + at + 1, n))
			return false;
		at += (size_t)n + 1;
	}
	if (jumps == 0)
		*after = at + 1;
	end_name(out);
	return true;
}

/* Lengths of labels are below 'A', so folding the case of all bytes compares the labels alone. */
static bool
same_name(const struct dns_name *a, const struct dns_name *b)
{
	if (a->length != b->length)
		return false;
	for (size_t i = 0; i < a->length; i++) {
		uint8_t x = a->bytes[i], y = b->bytes[i];

		x = x >= 'A' && x <= 'Z' ? (uint8_t)(x + 'a' - 'A') : x;
		y = y >= 'A' && y <= 'Z' ? (uint8_t)(y + 'a' - 'A') : y;
		if (x != y)
			return false;
	}
	return true;
}

bool
dns_expect_parse(uint16_t type, const void *text, size_t length, struct dns_expect *out)
{
	char copy[DNS_TEXT_MAX + 1];

	out->any = length == 0;
	if (length == 0)
		return true;
	if (length > DNS_TEXT_MAX)
		return false;
	memcpy(out->text, text, length);
	out->text_length = (uint16_t)length;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (type == DNS_TXT)
		return true;
	if (strlen(copy) != length)
		return false;
	if (type == DNS_A || type == DNS_AAAA)
		return ip_addr_parse(copy, &out->address) &&
			out->address.family == (type == DNS_A ? IP_V4 : IP_V6);
	return dns_name_parse(copy, &out->name);
}

size_t
dns_query_build(const struct dns_question *q, uint8_t *out, size_t capacity)
{
	struct writer w = writer_over(out, capacity);

	writer_u16(&w, q->id);
	writer_u16(&w, FLAG_RECURSION);
	writer_u16(&w, 1);
	writer_u16(&w, 0);
	writer_u16(&w, 0);
	writer_u16(&w, 0);
	writer_bytes(&w, q->name.bytes, q->name.length);
	writer_u16(&w, q->type);
	writer_u16(&w, CLASS_IN);
	return w.failed ? 0 : w.at;
}

struct record {
	uint16_t type, class;
	size_t data, data_length;
};

/* The record at *at, which moves behind it. */
static bool
read_record(const uint8_t *message, size_t length, size_t *at, struct record *out)
{
	struct dns_name owner;
	struct reader r = reader_over(message, length);

	if (!read_name(message, length, *at, &owner, &r.at))
		return false;
	out->type = reader_u16(&r);
	out->class = reader_u16(&r);
	reader_skip(&r, 4); /* TTL */
	out->data_length = reader_u16(&r);
	out->data = r.at;
	reader_skip(&r, out->data_length);
	*at = r.at;
	return !r.failed;
}

static void
show_byte(char *out, size_t *n, uint8_t byte)
{
	if (*n + 1 < DNS_SEEN)
		out[(*n)++] = byte >= ' ' && byte < 0x7f ? (char)byte : '.';
	out[*n] = '\0';
}

static void
show_name(const struct dns_name *name, char out[DNS_SEEN])
{
	size_t n = 0, at = 0;

	while (name->bytes[at] != 0) {
		for (size_t i = 1; i <= name->bytes[at]; i++)
			show_byte(out, &n, name->bytes[at + i]);
		at += (size_t)name->bytes[at] + 1;
		show_byte(out, &n, '.');
	}
	if (n == 0)
		show_byte(out, &n, '.');
}

/* Is it the expected address? `family` is what the type says. */
static bool
address_matches(const uint8_t *data, size_t length, uint8_t family, const struct ip_addr *wanted,
	char seen[DNS_SEEN], bool *sound)
{
	struct ip_addr got = {.family = family};
	char text[ADDR_TEXT];

	*sound = length == ip_addr_size(&got);
	if (!*sound)
		return false;
	memcpy(got.bytes, data, length);
	snprintf(seen, DNS_SEEN, "%s", ip_addr_format(&got, text));
	return ip_addr_equal(&got, wanted);
}

/* The strings of a TXT record are one text. */
static bool
text_matches(const uint8_t *data, size_t length, const struct dns_expect *e, char seen[DNS_SEEN],
	bool *sound)
{
	uint8_t joined[4096];
	size_t n = 0, shown = 0, at = 0, part;

	*sound = true;
	for (; at < length; at += part + 1) {
		part = data[at];
		*sound = *sound && part < length - at;
		if (!*sound)
			return false;
		if (part > sizeof(joined) - n)
			break; /* what comes later is not looked at */
		memcpy(joined + n, data + at + 1, part);
		n += part;
	}
	for (size_t i = 0; i < n && shown + 1 < DNS_SEEN; i++)
		show_byte(seen, &shown, joined[i]);
	return e->text_length > 0 && memmem(joined, n, e->text, e->text_length) != NULL;
}

/* Is the record what is expected? Shows it; !*sound: it is none. */
static bool
record_matches(const uint8_t *message, size_t length, const struct record *record,
	const struct dns_expect *e, char seen[DNS_SEEN], bool *sound)
{
	const uint8_t *data = message + record->data;
	size_t skip = record->type == DNS_MX ? 2 : 0, end = record->data + record->data_length;
	size_t after = 0;
	struct dns_name name;

	switch ((enum dns_type)record->type) {
	case DNS_A:
		return address_matches(data, record->data_length, IP_V4, &e->address, seen, sound);
	case DNS_AAAA:
		return address_matches(data, record->data_length, IP_V6, &e->address, seen, sound);
	case DNS_TXT:
		return text_matches(data, record->data_length, e, seen, sound);
	case DNS_NS:
	case DNS_CNAME:
	case DNS_SOA:
	case DNS_PTR:
	case DNS_MX:
		break;
	}
	*sound = read_name(message, length, record->data + skip, &name, &after) && after <= end;
	if (!*sound)
		return false;
	show_name(&name, seen);
	return same_name(&name, &e->name);
}

/* Looks through the answer section. */
static enum reason
judge_records(const struct dns_question *q, const struct dns_expect *e, struct reader r,
	uint16_t count, char seen[DNS_SEEN])
{
	char shown[DNS_SEEN] = "";
	bool sound = true, first = true;
	struct record record;

	snprintf(seen, DNS_SEEN, "no such record");
	for (; count > 0; count--) {
		if (!read_record(r.bytes, r.length, &r.at, &record))
			return REASON_DNS_INVALID;
		if (record.type != q->type || record.class != CLASS_IN)
			continue;
		if (record_matches(r.bytes, r.length, &record, e, shown, &sound))
			return REASON_PROBE_OK;
		if (!sound)
			return REASON_DNS_INVALID;
		if (first)
			memcpy(seen, shown, DNS_SEEN);
		first = false;
	}
	return e->any ? REASON_PROBE_OK : REASON_DNS_ANSWER;
}

/* Is this our question, at the reader, which moves behind it? */
static bool
takes_question(const struct dns_question *q, struct reader *r)
{
	struct dns_name name;

	if (!read_name(r->bytes, r->length, r->at, &name, &r->at) || !same_name(&name, &q->name))
		return false;
	return reader_u16(r) == q->type && reader_u16(r) == CLASS_IN && !r->failed;
}

void
dns_judge(const struct dns_question *q, const struct dns_expect *expect, const void *bytes,
	size_t length, struct dns_verdict *out)
{
	struct reader r = reader_over(bytes, length);
	uint16_t id = reader_u16(&r), flags = reader_u16(&r), questions = reader_u16(&r);
	uint16_t answers = reader_u16(&r);

	memset(out, 0, sizeof(*out));
	reader_skip(&r, 4); /* the other two sections are nothing to us */
	if (r.failed || id != q->id || (flags & (FLAG_ANSWER | OPCODE_MASK)) != FLAG_ANSWER)
		return;
	out->rcode = flags & 15;
	/* who cannot read the question or will not answer it may leave it away */
	if (questions == 0 ? out->rcode == 0 : questions != 1 || !takes_question(q, &r))
		return;
	snprintf(out->seen, sizeof(out->seen), "%s", dns_rcode_name(out->rcode));
	if (out->rcode != expect->rcode)
		out->reason = REASON_DNS_RCODE;
	else
		out->reason = judge_records(q, expect, r, answers, out->seen);
	if (out->reason == REASON_DNS_INVALID)
		out->seen[0] = '\0';
}
