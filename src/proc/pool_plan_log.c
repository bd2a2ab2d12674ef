/* What was done to the kernel's table, for the log. */
#include "proc/pool_process.h"

#include <errno.h>
#include <string.h>

enum { LINES_A_PLAN = 8 };

void
pool_complain(struct pool *p, const char *detail, int error)
{
	struct log_line line;
	uint64_t suppressed;

	if (!log_limit_allow(&p->ipvs_limit, mono_now(), &suppressed))
		return;
	log_line_begin(&line, "pool");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "detail", detail);
	log_line_text(&line, "error", strerror(error < 0 ? -error : error));
	log_line_int(&line, "suppressed", (int64_t)suppressed);
	log_emit(&p->child->log, LOG_LEVEL_ERROR, &line);
}

static void
log_op(struct pool *p, enum log_level level, enum reason why, const struct plan_op *op, int error)
{
	bool real = op->kind == PLAN_ADD_REAL || op->kind == PLAN_SET_REAL || op->kind == PLAN_DEL_REAL;
	struct log_line line;

	log_line_begin(&line, "plan");
	log_line_text(&line, "operation", plan_kind_name(op->kind));
	log_line_reason(&line, why);
	if (op->service.key.fwmark != 0) {
		log_line_int(&line, "fwmark", op->service.key.fwmark);
	} else {
		log_line_text(&line, "protocol", conf_protocol_name(op->service.key.protocol));
		log_line_endpoint(&line, "service", &op->service.key.listen);
	}
	if (real) {
		log_line_endpoint(&line, "server", &op->real.address);
		log_line_int(&line, "weight", op->real.weight);
		log_line_int(&line, "connections", op->connections);
	}
	if (error == ENOENT && !real) { /* ip_vs_ctl.c: it asked for the module in vain */
		log_line_text(&line, "scheduler", op->service.scheduler);
		log_line_text(&line, "detail", op->service.engine[0] != '\0'
			? "this kernel has no module for the scheduler or for persistence_engine; install "
			  "it or choose another"
			: "this kernel has no module for the scheduler (ip_vs_NAME); install it or choose "
			  "another");
	}
	if (error != 0)
		log_line_text(&line, "error", strerror(error));
	log_emit(&p->child->log, level, &line);
}

void
plan_log(struct pool *p, enum reason why, const struct plan_work *work)
{
	enum log_level level = why == REASON_DRIFT ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
	int64_t failed = 0, connections = 0;
	uint64_t suppressed = 0;
	struct log_line line;

	for (size_t i = 0; i < work->count; i++) {
		const struct plan_op *op = &work->ops[i];

		failed += work->errors[i] != 0;
		connections += op->connections;
		if (work->errors[i] != 0 && log_limit_allow(&p->plan_limit, mono_now(), &suppressed))
			log_op(p, LOG_LEVEL_ERROR, REASON_SYSTEM, op, work->errors[i]);
		else if (work->errors[i] == 0 && i < LINES_A_PLAN)
			log_op(p, level, !p->settled && op->kind == PLAN_DEL_SERVICE
				? REASON_LEFTOVER : why, op, 0);
	}
	log_line_begin(&line, "plan");
	log_line_reason(&line, why);
	log_line_int(&line, "operations", (int64_t)work->count);
	log_line_int(&line, "failed", failed);
	log_line_int(&line, "connections", connections);
	log_line_ms(&line, "apply_ms", work->apply_ns);
	log_emit(&p->child->log, level, &line);
}
