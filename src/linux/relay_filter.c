/* A classic BPF program, written for each job. See relay_filter.h. */
#include "linux/relay_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { SOURCE_AT = 6, TARGET4_AT = ETH_HLEN + 16, TARGET6_AT = ETH_HLEN + 24 };
/* Instructions of the head, the most of a prefix (four words: load, mask, compare; accept), the tail. */
enum { HEAD = 7, EACH = 13, TAIL = 1 };
_Static_assert(HEAD + EACH * RELAY_FILTERED + TAIL <= BPF_MAXINSNS, "too long a filter");

static const uint32_t whole_frame = UINT32_MAX;

static uint32_t
word_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static size_t
write_head(struct sock_filter *out, const uint8_t owner[6])
{
	size_t n = 0;

	out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		(uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE);
	out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 4);
	out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SOURCE_AT);
	out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word_at(owner), 0, 3);
	out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SOURCE_AT + 4);
	out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		(uint32_t)owner[4] << 8 | owner[5], 0, 1);
	out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return n;
}

/* Each word that the prefix has; the first one that differs jumps behind the accepting line. */
static size_t
write_prefix(struct sock_filter *out, const struct ip_prefix *p)
{
	uint32_t at = p->addr.family == IP_V6 ? TARGET6_AT : TARGET4_AT;
	unsigned words = (p->length + 31u) / 32;
	size_t n = 0;

	for (unsigned i = 0; i < words; i++) {
		unsigned bits = p->length - 32 * i >= 32 ? 32 : p->length - 32 * i;
		uint32_t mask = ~0u << (32 - bits);
		uint8_t beyond = (uint8_t)((words - 1 - i) * 3 + 1);

		out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at + 4 * i);
		out[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask);
		out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			word_at(p->addr.bytes + 4 * i) & mask, 0, beyond);
	}
	out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, whole_frame);
	return n;
}

int
relay_filter_attach(int fd, const struct relay_job *job)
{
	bool exact = job->count <= RELAY_FILTERED;
	struct sock_filter *code = calloc(HEAD + EACH * RELAY_FILTERED + TAIL, sizeof(*code));
	struct sock_fprog program = {.filter = code};
	size_t n;
	int error;

	if (!code)
		return -ENOMEM;
	n = write_head(code, job->owner);
	for (size_t i = 0; exact && i < job->count; i++)
		n += write_prefix(code + n, &job->prefixes[i]);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, exact ? 0 : whole_frame);
	program.len = (unsigned short)n;
	error = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == -1
		? -errno : 0;
	free(code);
	return error;
}
