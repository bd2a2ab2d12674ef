/*
 * Which connections are those of which virtual and real server: by their way, that is protocol, the
 * address that the client asked and the one that answers. Pure.
 *
 * A virtual server is many ways where it listens on many addresses and ports. Two that share a real server
 * differ in the address that was asked. One that listens on all ports, or takes what has a firewall mark,
 * has the connections to its servers that no other service has a way for. Ways are told apart by a number.
 */
#ifndef TANDEM_CORE_WAYS_H
#define TANDEM_CORE_WAYS_H

#include "base/addr.h"

struct way {
	uint8_t protocol;        /* IANA number; 0: any, of a firewall mark */
	struct endpoint service; /* port 0: any; no family: whatever has the mark */
	struct endpoint server;  /* port 0: the one that was asked */
};

enum { WAYS_ELSEWHERE = UINT16_MAX };

struct way_row {
	uint64_t number;
	uint16_t place; /* the caller's number for what has this way; WAYS_ELSEWHERE: none of those */
};

/* Storage is the caller's. */
struct ways {
	struct way_row *rows;
	size_t count;
	bool ports, marks; /* some listen on all ports, some take a firewall mark */
};

/* Different for different ways, but for one in 2^64. */
uint64_t way_number(const struct way *way);
/* There must be room. Of two that are the same the lower place counts, WAYS_ELSEWHERE last. */
void ways_add(struct ways *ways, const struct way *way, uint16_t place);
void ways_sort(struct ways *ways);
/* Where a connection of that way is, whose ports are all known; number: way_number() of it. */
uint16_t ways_find(const struct ways *ways, const struct way *way, uint64_t number);

#endif
