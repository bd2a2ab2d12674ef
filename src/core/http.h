/*
 * HTTP/1.1 as a health check needs it: write one request, judge the answer. Pure: no allocation, no
 * descriptor, every buffer bounded; what arrives is fed in any portions and looked at once.
 *
 * Why a codec of our own: the one small C parser that Debian 12 carries, http-parser, has been
 * unmaintained upstream since 2022, and what touches bytes of a hostile server has to be kept. A
 * prober needs a narrow part of RFC 9112: framing, a status, a text in the body.
 *
 * The verdict falls as soon as it is certain: a wrong status at the end of its line, a right one
 * at the end of the header when no body text is expected, else when the text is found or can no
 * longer come. Who has to see the body as a whole lends a buffer for it, and hears the verdict of
 * this file at its end. The header is held to HTTP_HEADER_MAX bytes and HTTP_LINES_MAX lines, interim
 * answers to HTTP_INTERIM_MAX, the body to HTTP_BODY_MAX.
 */
#ifndef TANDEM_CORE_HTTP_H
#define TANDEM_CORE_HTTP_H

#include "base/addr.h"
#include "base/limits.h"
#include "base/reason.h"

enum {
	HTTP_HEADER_MAX = 16384,
	HTTP_LINES_MAX = 100,
	HTTP_INTERIM_MAX = 8,
	HTTP_BODY_MAX = 65536,
	HTTP_REQUEST_MAX = 2560, /* what the configuration allows fits */
	HTTP_EVIDENCE = 64, /* bytes of the sample, NUL included */
};

struct http_range {
	uint16_t low, high; /* inclusive */
};

/* What a good answer looks like. */
struct http_expect {
	struct http_range status[LIMIT_STATUS_RANGES];
	uint32_t status_count;           /* 0: 200..299 */
	uint8_t body_length;             /* 0: any body */
	char body[LIMIT_EXPECT_BODY];    /* must be in the first HTTP_BODY_MAX bytes */
	uint8_t border[LIMIT_EXPECT_BODY]; /* of each prefix of body: how much of it starts anew */
	char header[LIMIT_EXPECT_BODY];  /* "Name: text" that a field must hold, "" = none */
	bool head;    /* the answer to HEAD: no body, whatever its header says */
	bool whole;   /* judge at the end of the body: somebody looks at it then */
	bool to_end;  /* and of the message: the connection is to be used again */
};

/* Sets the body text (the status ranges are the caller's); longer text is cut to the limit. */
void http_expect_body(struct http_expect *expect, const char *body);

struct http_request {
	const char *path; /* "/health" */
	const char *host; /* "" = the endpoint */
	const struct endpoint *to;
	uint16_t default_port; /* not named in Host: 80 or 443 */
	const char *version; /* ours, in User-Agent */
	const char *method;  /* NULL: GET */
	bool http_1_0;
	bool keep_alive;
	const char *headers; /* lines "Name: value", each with a '\n'; NULL: none */
	const void *body;
	size_t body_length;
};

/* Is that a header field by itself: a name, a colon, a value of printable text? */
bool http_header_sound(const char *field, size_t length);
/* Is it of a name that the request has already, or that would change how it is framed? */
bool http_header_taken(const char *field, size_t length);

/*
 * Writes the request, returns its length; 0 when it does not fit, or when path, host or a header
 * hold what would split the request (H24).
 */
size_t http_request_build(const struct http_request *request, char *out, size_t capacity);

enum http_state {
	HTTP_STATUS_LINE,
	HTTP_HEADER,
	HTTP_BODY_SIZED,    /* Content-Length */
	HTTP_BODY_TO_CLOSE,
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_PAD,     /* blanks after the size */
	HTTP_CHUNK_EXTENSION,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_END,     /* the line end after the data */
	HTTP_TRAILER,       /* lines after the last chunk, to an empty one */
	HTTP_JUDGED,
};

struct http_parser {
	const struct http_expect *expect; /* not owned */
	enum http_state state;
	enum reason reason;   /* once judged: REASON_PROBE_OK or why not */
	uint16_t status;      /* 0: not seen */
	uint8_t interim;      /* 1xx answers so far */
	uint8_t matched;      /* bytes of the expected text matched so far; all: it was there */
	bool cr;              /* the last byte was CR: LF must follow */
	bool blank;           /* one empty line before the status line was let through */
	bool folding;         /* a header line is whole unless the next one continues it */
	bool line_cut;        /* the line was longer than its buffer */
	bool chunked, other_coding, sized;
	bool held;            /* the expected header was there */
	bool closing;         /* the server is to close after the answer */
	bool ended;           /* the answer came to its end */
	bool surplus;         /* and something behind it */
	uint16_t lines;
	uint32_t header_bytes;
	uint32_t line_length;
	uint64_t left;        /* of the sized body or the chunk */
	uint64_t length;      /* Content-Length */
	uint32_t body_bytes;
	uint8_t digits;       /* a chunk size has at least one */
	uint8_t sample_length;
	uint8_t sample[HTTP_EVIDENCE - 1]; /* first bytes of the answer; of the body once there */
	char line[512];       /* start of the current line */
	uint8_t *keep;        /* lent: the start of the body goes there */
	uint32_t keep_room, kept;
};

void http_begin(struct http_parser *p, const struct http_expect *expect);
/* Takes bytes in. True once judged (p->reason, p->status); bytes after that are ignored. */
bool http_feed(struct http_parser *p, const void *bytes, size_t length);
/* After the verdict: may the connection take another request? */
bool http_reusable(const struct http_parser *p);
/* The server closed its side: judges what there is. */
void http_end(struct http_parser *p);
/* The sample with every byte that is not printable ASCII as '.'. */
void http_evidence(const struct http_parser *p, char out[HTTP_EVIDENCE]);

#endif
