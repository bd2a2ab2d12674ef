/* Virtual MAC addresses, their devices' names and frames. See virtual_mac.h. */
#include "core/virtual_mac.h"

#include "base/cursor.h"

#include <stdio.h>
#include <string.h>

enum {
	IP4_HEADER = 20,
	IP4_CHECKSUM_AT = 14 + 10,
	TYPE_IP4 = 0x0800,
	TYPE_IP6 = 0x86dd,
	HASH_LETTERS = 5,
};

void
virtual_mac(enum ip_family family, uint8_t vrid, uint8_t mac[6])
{
	const uint8_t made[6] = {0, 0, 0x5e, 0, family == IP_V6 ? 2 : 1, vrid};

	memcpy(mac, made, sizeof(made));
}

const char *
virtual_mac_format(const uint8_t mac[6], char text[MAC_TEXT])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
	return text;
}

/* FNV-1a, written with letters that a name of an interface may have. */
static void
shorten(const char *text, char letters[HASH_LETTERS + 1])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint32_t hash = 2166136261u;

	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	hash ^= hash >> 25; /* five letters hold 25 bits */
	for (int i = 0; i < HASH_LETTERS; i++, hash >>= 5)
		letters[i] = alphabet[hash & 31];
	letters[HASH_LETTERS] = '\0';
}

void
virtual_mac_device(enum ip_family family, uint8_t vrid, const char interface[LIMIT_IFNAME],
	char name[LIMIT_IFNAME])
{
	char letters[HASH_LETTERS + 1], whole[2 * LIMIT_IFNAME];
	const char *kind = family == IP_V6 ? "vrrp6" : "vrrp";

	memset(name, 0, LIMIT_IFNAME);
	snprintf(whole, sizeof(whole), "%s.%u.%.15s", kind, vrid, interface);
	if (strlen(whole) >= LIMIT_IFNAME) {
		shorten(interface, letters);
		snprintf(whole, sizeof(whole), "%s.%u.%s", kind, vrid, letters);
	}
	memcpy(name, whole, strlen(whole));
}

static void
put_ip4(struct writer *w, const struct vrrp_envelope *e, size_t length)
{
	writer_u16(w, 0x45c0); /* version 4, five words, class CS6 */
	writer_u16(w, (uint16_t)(IP4_HEADER + length));
	writer_u32(w, 0x4000); /* never fragmented: needs no identification (RFC 6864) */
	writer_u8(w, VRRP_TTL);
	writer_u8(w, VRRP_PROTOCOL);
	writer_u16(w, 0);
	writer_bytes(w, e->source.bytes, 4);
	writer_bytes(w, e->destination.bytes, 4);
}

static void
put_ip6(struct writer *w, const struct vrrp_envelope *e, size_t length)
{
	writer_u32(w, 0x6c000000); /* version 6, class CS6 */
	writer_u16(w, (uint16_t)length);
	writer_u8(w, VRRP_PROTOCOL);
	writer_u8(w, VRRP_TTL);
	writer_bytes(w, e->source.bytes, 16);
	writer_bytes(w, e->destination.bytes, 16);
}

static void
seal_ip4(uint8_t *frame)
{
	const uint8_t *header = frame + 14;
	uint32_t sum = 0;

	for (int i = 0; i < IP4_HEADER; i += 2)
		sum += (uint32_t)(header[i] << 8 | header[i + 1]);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = ~(sum + (sum >> 16));
	frame[IP4_CHECKSUM_AT] = (uint8_t)(sum >> 8);
	frame[IP4_CHECKSUM_AT + 1] = (uint8_t)sum;
}

/* RFC 1112 6.4, RFC 2464 7 */
static void
put_group_mac(struct writer *w, const struct ip_addr *group)
{
	const uint8_t ip4[6] = {1, 0, 0x5e, group->bytes[1] & 0x7f, group->bytes[2], group->bytes[3]};
	const uint8_t ip6[6] = {0x33, 0x33, group->bytes[12], group->bytes[13], group->bytes[14],
		group->bytes[15]};

	writer_bytes(w, group->family == IP_V6 ? ip6 : ip4, 6);
}

size_t
vrrp_frame(const uint8_t mac[6], const struct vrrp_envelope *envelope,
	const uint8_t *message, size_t length, uint8_t *out, size_t capacity)
{
	struct writer w = writer_over(out, capacity);
	bool v6 = envelope->source.family == IP_V6;

	if (length > UINT16_MAX - IP4_HEADER)
		return 0;
	put_group_mac(&w, &envelope->destination);
	writer_bytes(&w, mac, 6);
	writer_u16(&w, v6 ? TYPE_IP6 : TYPE_IP4);
	if (v6)
		put_ip6(&w, envelope, length);
	else
		put_ip4(&w, envelope, length);
	writer_bytes(&w, message, length);
	if (w.failed)
		return 0;
	if (!v6)
		seal_ip4(out);
	return w.at;
}
