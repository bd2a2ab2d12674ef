/*
 * What one virtual server shall look like in the kernel, from what is configured and known. Pure.
 *
 * A member is in at its configured weight while it is up, and also while nothing is known of it
 * yet: serving first, the first probe decides. A member that is down gets no new connections: it
 * stays in at weight 0 as long as it has any, or is out at once, as the service says. A member of
 * weight 0 is quiesced: it stays in so that its connections go on, and serves nobody new. One that
 * an operator drains is quiesced until its drain is over, one that is disabled is out.
 *
 * When fewer than min_healthy members are usable the service does one of three things: send
 * everybody to the sorry server, or (fail open) to every member, because a probe that fails
 * everywhere more often means a broken probe than a broken farm, or turn clients away. What still
 * works then stays in at weight 0 beside the sorry server, so that no live connection is cut.
 *
 * In the hash of sh and mh a server of weight 0 keeps its share, and the kernel turns that share away
 * unless the service has the scheduler's fallback: it has while there is such a server. dh has no fallback:
 * nobody of weight 0 stays in.
 */
#ifndef TANDEM_CORE_POOL_H
#define TANDEM_CORE_POOL_H

#include "core/health.h"
#include "core/table.h"

enum pool_admin { POOL_ENABLED, POOL_DRAINED, POOL_DISABLED };
enum pool_down { POOL_DOWN_DRAIN, POOL_DOWN_CUT }; /* numbered as enum conf_down */
enum pool_none_healthy { POOL_FAIL_OPEN, POOL_REFUSE }; /* numbered as enum conf_none_healthy */

struct pool_service {
	struct vs_service service;  /* its rows are not meant; VS_PERSISTENT is added by itself */
	enum pool_none_healthy when_none_healthy;
	enum pool_down down;        /* what becomes of the connections of one that went down */
	uint32_t min_healthy;       /* 0 counts as 1 */
	bool is_short;              /* was not enough and is not for sure yet: see shortage.h */
	bool has_sorry;             /* and it can be used */
	struct endpoint sorry;
	uint8_t sorry_forwarding;   /* enum vs_forwarding */
	uint8_t tunnel;             /* of members and sorry server with VS_TUNNEL: as in vs_real */
	uint16_t tunnel_port, tunnel_checksum;
	uint32_t scale;             /* of weights in the kernel, for percents of small ones; 0 is 1 */
};

struct pool_member {
	struct endpoint address;    /* port 0: the service's own */
	uint32_t weight;            /* as configured or overridden */
	uint32_t upper_threshold, lower_threshold;
	uint8_t forwarding;         /* enum vs_forwarding */
	enum health_verdict verdict;
	enum pool_admin admin;
	bool is_part;               /* `part` percent of the weight is its weight; 0 quiesces it */
	uint32_t part;
	uint32_t percent;           /* 1..100 of its weight while healthy members serve; 0 is 100 */
	bool over;                  /* POOL_DRAINED: its time is up, it goes */
	bool busy;                  /* is in the kernel and has connections there */
	bool stays;                 /* down with POOL_DOWN_DRAIN, it stays in without any as well */
	bool keep_out;              /* was down before it was asked anew: out until a probe says up */
};

enum pool_mode { POOL_SERVING, POOL_ON_SORRY, POOL_OPENED, POOL_REFUSING };

struct pool_outcome {
	enum pool_mode mode;
	uint32_t up;         /* members whose verdict is up, whatever their weight */
	uint32_t usable;     /* members that count towards min_healthy */
	uint32_t possible;   /* ... and that would if they were healthy */
	uint32_t programmed; /* real servers of this service in the table, weight 0 and sorry too */
};

/* What pool_append() makes of them; `programmed` is 0. */
struct pool_outcome pool_judge(const struct pool_service *s, const struct pool_member *members,
	size_t count);

/*
 * Appends the service and its real servers to the wanted table. False when it has no room for all
 * of them: then nothing was appended and *outcome (which may be NULL) says nothing.
 */
bool pool_append(const struct pool_service *service, const struct pool_member *members,
	size_t count, struct vs_table *wanted, struct pool_outcome *outcome);

/* The same where pool_judge() has come to that already. */
bool pool_append_as(const struct pool_service *service, enum pool_mode mode,
	const struct pool_member *members, size_t count, struct vs_table *wanted);

const char *pool_mode_name(enum pool_mode mode); /* "serving", "sorry", "fail-open", "refuse" */

#endif
