/*
 * Bounded byte cursors: the only way tandem reads or writes wire formats.
 *
 * A cursor that runs past its end sets `failed` and from then on yields zeros (reading) or drops
 * bytes (writing), so that a decoder reads a whole header and asks once whether it was all there.
 * All integers on the wire are big-endian.
 */
#ifndef TANDEM_BASE_CURSOR_H
#define TANDEM_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *bytes;
	size_t length;
	size_t at;
	bool failed;
};

struct writer {
	uint8_t *bytes;
	size_t capacity;
	size_t at;
	bool failed;
};

static inline struct reader
reader_over(const void *bytes, size_t length)
{
	return (struct reader){.bytes = bytes, .length = length};
}

static inline size_t
reader_left(const struct reader *r)
{
	return r->length - r->at;
}

/* Copy n bytes out; zeros when they are not there. */
static inline void
reader_bytes(struct reader *r, void *out, size_t n)
{
	if (r->failed || reader_left(r) < n) {
		r->failed = true;
		memset(out, 0, n);
		return;
	}
	memcpy(out, r->bytes + r->at, n);
	r->at += n;
}

static inline void
reader_skip(struct reader *r, size_t n)
{
	if (r->failed || reader_left(r) < n)
		r->failed = true;
	else
		r->at += n;
}

static inline uint8_t
reader_u8(struct reader *r)
{
	uint8_t b;

	reader_bytes(r, &b, 1);
	return b;
}

static inline uint16_t
reader_u16(struct reader *r)
{
	uint8_t b[2];

	reader_bytes(r, b, 2);
	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t
reader_u32(struct reader *r)
{
	uint32_t high = reader_u16(r);

	return high << 16 | reader_u16(r);
}

static inline uint64_t
reader_u64(struct reader *r)
{
	uint64_t high = reader_u32(r);

	return high << 32 | reader_u32(r);
}

static inline struct writer
writer_over(void *bytes, size_t capacity)
{
	return (struct writer){.bytes = bytes, .capacity = capacity};
}

static inline void
writer_bytes(struct writer *w, const void *in, size_t n)
{
	if (w->failed || w->capacity - w->at < n) {
		w->failed = true;
		return;
	}
	memcpy(w->bytes + w->at, in, n);
	w->at += n;
}

static inline void
writer_u8(struct writer *w, uint8_t v)
{
	writer_bytes(w, &v, 1);
}

static inline void
writer_u16(struct writer *w, uint16_t v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	writer_bytes(w, b, 2);
}

static inline void
writer_u32(struct writer *w, uint32_t v)
{
	writer_u16(w, (uint16_t)(v >> 16));
	writer_u16(w, (uint16_t)v);
}

static inline void
writer_u64(struct writer *w, uint64_t v)
{
	writer_u32(w, (uint32_t)(v >> 32));
	writer_u32(w, (uint32_t)v);
}

#endif
