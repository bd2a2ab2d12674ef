/*
 * Servers that take connections and answer none (core/black_hole.h), by the counters that every look
 * at the kernel's table brings along. Such a server is probed at once and gets a tenth of its weight,
 * not nothing: only connections can show that it answers again. Where all servers are like that the
 * fault is not theirs, and their shares are what they were.
 */
#include "proc/pool_process.h"

static void
log_hole(struct pool *p, const struct conf_virtual *v, uint32_t row,
	const struct black_hole_counts *from, const struct black_hole_counts *to)
{
	const struct pool_target *t = &p->targets[row];
	struct log_line line;

	log_line_begin(&line, "server");
	log_line_text(&line, "server", p->config.reals[row].name);
	log_line_text(&line, "virtual", v->name);
	log_line_text(&line, "from", t->hole.is ? health_name(t->verdict) : "black-hole");
	log_line_text(&line, "to", t->hole.is ? "black-hole" : health_name(t->verdict));
	log_line_reason(&line, t->hole.is ? REASON_BLACK_HOLE : REASON_ANSWERS_AGAIN);
	log_line_int(&line, "connections", (int64_t)(to->connections - from->connections));
	log_line_int(&line, "in_packets", (int64_t)(to->in_packets - from->in_packets));
	log_line_int(&line, "out_packets", (int64_t)(to->out_packets - from->out_packets));
	log_line_endpoint(&line, "address", &p->config.reals[row].address);
	log_emit(&p->child->log, t->hole.is ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, &line);
}

/* True when the server became one or is none any more. */
static bool
look(struct pool *p, uint32_t virtual_row, uint32_t row)
{
	const struct conf_virtual *v = &p->config.virtuals[virtual_row];
	struct pool_target *t = &p->targets[row];
	struct black_hole_counts from = t->hole.from, counts;
	struct vs_real sum;

	if (t->verdict != HEALTH_UP || !table_sum_real(p, virtual_row, row, &sum)) {
		t->hole = BLACK_HOLE_NONE;
		return false;
	}
	counts = (struct black_hole_counts){.connections = sum.connections,
		.in_packets = sum.in_packets, .out_packets = sum.out_packets};
	if (!black_hole_take(&t->hole, mono_now(), &counts))
		return false;
	log_hole(p, v, row, &from, &counts);
	if (t->hole.is)
		target_probe_now(p, row);
	return true;
}

void
black_holes_look(struct pool *p)
{
	bool changed = false;

	if (!p->ipvs || !p->actual_known)
		return;
	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		const struct conf_virtual *v = &p->config.virtuals[i];

		for (uint32_t k = v->first_real; v->black_hole && k < v->first_real + v->real_count; k++)
			changed |= look(p, i, k);
	}
	if (changed)
		weights_refresh(p, REASON_BLACK_HOLE);
}
