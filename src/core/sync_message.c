/* Connection sync messages. See sync_message.h; the names of the kernel's fields are in the comments. */
#include "core/sync_message.h"

#include "base/cursor.h"

enum {
	VERSION = 1,             /* SYNC_PROTO_VER */
	COUNT_MAX = 255,         /* nr_conns is a byte */
	ENTRY_FIXED = 24,        /* of struct ip_vs_sync_v4 and _v6 before the addresses */
	TYPE_INET6 = 1,          /* STYPE_F_INET6 */
	TCP = 6,
	FLAG_INACTIVE = 0x0100,  /* IP_VS_CONN_F_INACTIVE */
};

static size_t
entry_size(const struct sync_connection *c)
{
	return ENTRY_FIXED + 3 * ip_addr_size(&c->client.addr);
}

/* How a connection in that state counts for its server (ip_vs_proto_tcp.c tcp_state_active_table). */
static uint32_t
flags_of(const struct sync_connection *c)
{
	return c->state == SYNC_FIN_WAIT || c->state == SYNC_CLOSE_WAIT ? FLAG_INACTIVE : 0;
}

static void
put_entry(struct writer *w, const struct sync_connection *c)
{
	size_t size = ip_addr_size(&c->client.addr);

	writer_u8(w, c->client.addr.family == IP_V6 ? TYPE_INET6 : 0); /* type */
	writer_u8(w, TCP);                           /* protocol */
	writer_u16(w, (uint16_t)entry_size(c));      /* ver_size: version 0 in the upper 4 bits */
	/* The forwarding method is that of the server in the other node's table (ip_vs_bind_dest()). */
	writer_u32(w, flags_of(c));                  /* flags */
	writer_u16(w, (uint16_t)c->state);           /* state */
	writer_u16(w, c->client.port);               /* cport */
	writer_u16(w, c->virtual.port);              /* vport */
	writer_u16(w, c->real.port);                 /* dport */
	writer_u32(w, 0);                            /* fwmark */
	writer_u32(w, c->left_s);                    /* timeout */
	writer_bytes(w, c->client.addr.bytes, size);  /* caddr */
	writer_bytes(w, c->virtual.addr.bytes, size); /* vaddr */
	writer_bytes(w, c->real.addr.bytes, size);    /* daddr */
}

static void
put_header(struct writer *w, uint8_t id, size_t size, size_t count)
{
	writer_u8(w, 0);               /* reserved */
	writer_u8(w, id);              /* syncid */
	writer_u16(w, (uint16_t)size); /* size, of the whole message */
	writer_u8(w, (uint8_t)count);  /* nr_conns */
	writer_u8(w, VERSION);         /* version */
	writer_u16(w, 0);              /* spare */
}

size_t
sync_message_encode(uint8_t id, const struct sync_connection *list, size_t count,
	uint8_t out[SYNC_MESSAGE_MAX], size_t *taken)
{
	enum { HEADER = 8 };
	struct writer w = writer_over(out, SYNC_MESSAGE_MAX), head;
	size_t n = 0;

	*taken = 0;
	put_header(&w, id, 0, 0);
	while (n < count && n < COUNT_MAX && w.at + entry_size(&list[n]) <= SYNC_MESSAGE_MAX)
		put_entry(&w, &list[n++]);
	if (n == 0)
		return 0;
	head = writer_over(out, HEADER);
	put_header(&head, id, w.at, n);
	*taken = n;
	return w.at;
}
