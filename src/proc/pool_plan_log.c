/* What was done to the kernel's table, for the log. */
#include "proc/pool_process.h"

#include <errno.h>
#include <stdio.h>
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

/* One of the two modules is missing; the scheduler's is asked for first. */
static void
log_missing_module(struct log_line *line, const struct vs_service *s)
{
	char detail[256];

	snprintf(detail, sizeof(detail), "this kernel cannot load the module ip_vs_%s%s%s; install it "
		"(or see why modprobe fails) or choose another; it is asked for again after a while and "
		"with a changed configuration; other services are not affected",
		s->scheduler, s->engine[0] != '\0' ? " or ip_vs_pe_" : "", s->engine);
	log_line_text(line, "scheduler", s->scheduler);
	log_line_text(line, "detail", detail);
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
		log_missing_module(&line, &op->service);
	}
	if (error != 0)
		log_line_text(&line, "error", strerror(error));
	log_emit(&p->child->log, level, &line);
}

static bool
is_service_op(const struct plan_op *op)
{
	return op->kind == PLAN_ADD_SERVICE || op->kind == PLAN_SET_SERVICE;
}

/* Servers of a service that did not come say nothing new. `service` is the operation on it, if any. */
static bool
is_consequence(const struct plan_work *work, size_t i, size_t service)
{
	return !is_service_op(&work->ops[i]) && service < i && work->errors[service] != 0 &&
		vs_key_equal(&work->ops[service].service.key, &work->ops[i].service.key);
}

void
plan_log(struct pool *p, enum reason why, const struct plan_work *work)
{
	enum log_level level = why == REASON_DRIFT ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
	int64_t failed = 0, connections = 0;
	uint64_t suppressed = 0;
	size_t service = work->count;
	struct log_line line;

	for (size_t i = 0; i < work->count; i++) {
		const struct plan_op *op = &work->ops[i];

		failed += work->errors[i] != 0;
		connections += op->connections;
		if (is_service_op(op))
			service = i;
		if (is_consequence(work, i, service))
			continue;
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
	log_line_ms(&line, "total_ms", mono_diff_ns(work->ended, work->begun));
	log_emit(&p->child->log, level, &line);
}
