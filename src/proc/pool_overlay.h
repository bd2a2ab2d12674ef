/*
 * What operators changed at run time: servers drained, disabled, weighted, added and removed. Kept
 * apart from the configuration, over a reload and (pool_overlay_file.c) over a restart.
 *
 * Inside of src/proc only.
 */
#ifndef TANDEM_PROC_POOL_OVERLAY_H
#define TANDEM_PROC_POOL_OVERLAY_H

#include "conf/config.h"
#include "core/lasting.h"
#include "core/pool.h"

#include <stdio.h>

struct pool;

/* One real server of one virtual server, by their names: rows move. */
struct override {
	char virtual[LIMIT_NAME], real[LIMIT_NAME];
	enum pool_admin admin;
	mono since, until;           /* of that, maybe before this boot; MONO_NEVER: no end */
	int64_t drain_s;             /* POOL_DRAINED: what is left then is cut; 0: never */
	int32_t weight;              /* -1: as configured */
	bool added, removed;         /* both: elsewhere than in the file */
	struct endpoint address;     /* added; with a name only its port counts */
	char host[LIMIT_HOST];       /* added: its name instead of an address, or "" */
	uint32_t added_weight;
};

struct overlay {
	struct override *rows;       /* by the names of virtual and real server */
	uint32_t count;
	struct lasting_clock stored; /* by which the moments in the file were written */
	bool stale;                  /* ... in another boot: they are to be written anew */
};

enum { OVERLAY_MAX = 4096 };

/* The override of that server, or NULL. */
struct override *overlay_find(const struct overlay *o, const char *virtual, const char *real);
/* The same, made when there is none; NULL without memory or when there are too many. */
struct override *overlay_get(struct overlay *o, const char *virtual, const char *real);
/* Drop what changes nothing any more. */
void overlay_tidy(struct overlay *o);
/*
 * The configuration with what was added and without what was removed. What does not fit `base`
 * (a virtual server is gone, the server stands in the file now) is left out. False: no memory.
 */
bool overlay_config(const struct overlay *o, const struct config *base, struct config *out);
/* Is that server at this address, or has it this name and port? */
bool overlay_same_place(const struct config *c, const struct conf_real *real,
	const struct endpoint *address, const char *host);
/* "drained", "disabled", "enabled" */
const char *overlay_admin_name(enum pool_admin admin);

/* pool_overlay_file.c: as JSON. */
/* False: that is not what we wrote; the rows that could be read are used. `c` with the boot's id. */
bool overlay_parse(struct overlay *o, const char *text, size_t length, const struct lasting_clock *c);
/* What does not get there is seen at the stream. */
void overlay_print(const struct overlay *o, FILE *f, const struct lasting_clock *c);

#endif
