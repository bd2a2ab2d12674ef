/*
 * A request on the control socket: one JSON object a line, `{"command":"status"}`. Pure: text in,
 * a checked struct or a reason for the client out.
 */
#ifndef TANDEM_CONTROL_REQUEST_H
#define TANDEM_CONTROL_REQUEST_H

#include "base/addr.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>

enum { CONTROL_LINE_MAX = 8192 }; /* bytes of a request, newline not counted */
enum { CONTROL_DIGITS = 12 };     /* of a number in an answer: a day in ms has eight, and three decimals */

enum control_command {
	CONTROL_STATUS,
	CONTROL_SWITCHOVER, /* router: "" = every router that is active here */
	CONTROL_EVENTS,     /* follow: the stream stays open */
	CONTROL_RELOAD,
	CONTROL_DRAIN,      /* server; for_s: undone then */
	CONTROL_ENABLE,     /* server */
	CONTROL_DISABLE,    /* server; for_s */
	CONTROL_WEIGHT,     /* server; weight, -1: as configured */
	CONTROL_ADD,        /* virtual, server, address; weight */
	CONTROL_REMOVE,     /* server */
	CONTROL_PLAN,       /* file, and the descriptor of its packed tables (conf/pack.h) */
	CONTROL_APPLY,
};

struct control_request {
	enum control_command command;
	char router[LIMIT_NAME];
	bool follow;
	char server[2 * LIMIT_NAME]; /* NAME or VIRTUAL/NAME */
	char virtual[LIMIT_NAME];
	char address[LIMIT_HOST + 8];
	int32_t weight;              /* -1: not given, or null */
	int64_t for_s;               /* 0: not given */
	char file[LIMIT_PATH]; /* absolute path */
};

enum control_parse {
	CONTROL_PARSED,
	CONTROL_REFUSED, /* JSON, but not a request of this version */
	CONTROL_GARBAGE, /* not the protocol at all */
};

/* `error` is set unless CONTROL_PARSED; printable, of bounded length. */
enum control_parse control_request_parse(const char *line, size_t length,
	struct control_request *out, char error[128]);

const char *control_command_name(enum control_command command);

#endif
