/*
 * The difference between the wanted and the actual table, as operations. Pure.
 *
 * Start, reload, takeover, recovery and repair all go through here. Only what differs is touched;
 * services that are neither wanted nor ours are left alone. Order: wanted services one after the
 * other, then whole services that go. Within a service: itself, then real servers that come or
 * change and have a weight, then those that go to weight 0, then removals: so that a service that
 * had a usable server, and shall have one, has one after every single step.
 */
#ifndef TANDEM_CORE_PLAN_H
#define TANDEM_CORE_PLAN_H

#include "core/table.h"

enum plan_kind {
	PLAN_ADD_SERVICE,
	PLAN_SET_SERVICE,
	PLAN_DEL_SERVICE,
	PLAN_ADD_REAL,
	PLAN_SET_REAL,
	PLAN_DEL_REAL,
};

struct plan_op {
	enum plan_kind kind;
	struct vs_service service; /* as wanted (DEL: as it is); its reals are not meant */
	struct vs_real real;       /* *_REAL: as wanted (DEL: as it is) */
	uint32_t connections;      /* live connections this touches: of DEL and SET */
};

/*
 * `owned`: keys of services that are ours to remove although no longer wanted. Writes at most
 * `capacity` operations and returns how many; *whole is false when there were more (the caller
 * applies these and plans again). Any order of rows is right; sorted tables (vs_table_sort(),
 * vs_keys_sort()) make it n log n.
 */
size_t plan_diff(const struct vs_table *wanted, const struct vs_table *actual,
	const struct vs_key *owned, size_t owned_count, struct plan_op *out, size_t capacity,
	bool *whole);

/*
 * What the operation did to the kernel, done to a table that was read from it. False when that is
 * not possible in place (what comes in has no room): the table is then out of date.
 */
bool plan_patch(struct vs_table *actual, const struct plan_op *op);

const char *plan_kind_name(enum plan_kind kind); /* "add-service", ... */

#endif
