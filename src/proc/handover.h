/*
 * A shared page between the supervisor and its children: signs of life, and what a successor needs
 * to go on where a crashed election process stopped. One writer a field; plain 64-bit stores.
 */
#ifndef TANDEM_PROC_HANDOVER_H
#define TANDEM_PROC_HANDOVER_H

#include "base/limits.h"

#include <stdatomic.h>
#include <stdint.h>

struct handover_router {
	char name[LIMIT_NAME];            /* "" = unused */
	_Atomic uint32_t active;          /* 1 while the election process holds it active */
	_Atomic int64_t since_ns;
	_Atomic int64_t last_advert_ns;   /* mono of the last advertisement sent */
	_Atomic int64_t lease_ns;         /* mono at which the lease may lapse */
};

struct handover {
	_Atomic int64_t alive_ns[5 + LIMIT_PROBERS]; /* by process slot: last turn of its loop */
	_Atomic int64_t lateness_max_ns;  /* of the election loop */
	_Atomic uint32_t fence;           /* 1 while there may be a table of the egress fence */
	struct handover_router routers[LIMIT_ROUTERS];
	_Atomic uint64_t track_generation; /* the configuration whose rows these are; 0: none */
	_Atomic uint32_t track[LIMIT_TRACKS]; /* enum health_verdict, by row of config.tracks */
};

/* Slot of alive_ns: role for single processes, PROCESS_PROBER + index for probers. */
static inline unsigned
handover_slot(unsigned role, unsigned index)
{
	return role + index;
}

#endif
