/*
 * A plan that was made and not applied: what pool_preview.c keeps and pool_preview_json.c tells.
 *
 * Inside of src/proc only.
 */
#ifndef TANDEM_PROC_POOL_PREVIEW_H
#define TANDEM_PROC_POOL_PREVIEW_H

#include "proc/pool_process.h"

#include <jansson.h>

struct preview_op {
	struct plan_op op;
	uint32_t weight_from;     /* SET_REAL and DEL_REAL: in the kernel when it was planned */
};

struct preview {
	struct config config;     /* that was planned; without keys */
	char file[LIMIT_PATH];
	uint64_t generation;      /* that was in force then */
	mono at;
	struct preview_op *ops;
	size_t count;
	uint64_t connections;     /* live ones that the operations touch, each counted once */
	uint32_t fingerprint;     /* of the operations, for the log */
	bool applying;            /* the supervisor was asked */
	/* What was done meanwhile. */
	uint64_t done, failed, done_connections;
	int64_t apply_ns;
};

/* Is it the same operation on the same row of the kernel? Connections come and go. */
bool preview_op_equal(const struct preview_op *a, const struct preview_op *b);
json_t *preview_json(const struct pool *p, const struct preview *plan);

#endif
