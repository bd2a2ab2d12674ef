/*
 * The sysctls of ip_vs (net.ipv4.vs, Documentation/networking/ipvs-sysctl.rst) that this process
 * sets: what each of them is for stands in the table below and in docs/tandemd.8. A setting is
 * made while something of the configuration needs it; what was there before is put back when that
 * ends and at a clean stop. One that somebody else changes is set again within a second. A refusal
 * is told once in a while and shown in the status: it costs a service its survival, no more.
 *
 * What was there before is remembered in the state directory, a line "name value" each, for the
 * process that comes after one that died. It counts only while our value is still in force: after
 * a boot the kernel has what the operator configured.
 */
#include "proc/pool_process.h"

#include "core/survival.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[POOL_SYSCTLS] = {
	[SYSCTL_SYNC_THRESHOLD] = "sync_threshold",
	[SYSCTL_SYNC_REFRESH_PERIOD] = "sync_refresh_period",
	[SYSCTL_SYNC_RETRIES] = "sync_retries",
	[SYSCTL_BACKUP_ONLY] = "backup_only",
	[SYSCTL_SLOPPY_TCP] = "sloppy_tcp",
	[SYSCTL_SLOPPY_SCTP] = "sloppy_sctp",
	[SYSCTL_EXPIRE_NODEST_CONN] = "expire_nodest_conn",
	[SYSCTL_EXPIRE_QUIESCENT_TEMPLATE] = "expire_quiescent_template",
};

const char *
sysctl_name(enum pool_sysctl_row row)
{
	return names[row];
}

/* As the kernel shows it, with one blank between two numbers. */
static int
read_value(const char *name, char out[SYSCTL_VALUE])
{
	int error = ipvs_sysctl_read(name, out, SYSCTL_VALUE);

	for (char *c = out; error == 0 && *c; c++)
		if (*c == '\t')
			*c = ' ';
	return error;
}

static void
load_line(struct pool *p, char *line)
{
	char *blank = strchr(line, ' ');

	if (!blank || strlen(blank + 1) >= SYSCTL_VALUE)
		return;
	*blank = '\0';
	for (int i = 0; i < POOL_SYSCTLS; i++)
		if (strcmp(line, names[i]) == 0) {
			memcpy(p->sysctls[i].before, blank + 1, strlen(blank + 1) + 1);
			p->sysctls[i].told = true;
		}
}

void
sysctls_load(struct pool *p)
{
	char *text, *rest, *line;
	size_t length;

	if (state_read(p, STATE_SYSCTLS, &text, &length) != 0)
		return;
	for (rest = text; (line = strsep(&rest, "\n")) != NULL;)
		load_line(p, line);
	free(text);
}

static void
store(struct pool *p)
{
	struct state_text t;
	FILE *f = state_text(&t);

	for (int i = 0; f && i < POOL_SYSCTLS; i++)
		if (p->sysctls[i].kept)
			fprintf(f, "%s %s\n", names[i], p->sysctls[i].before);
	state_put_text(p, STATE_SYSCTLS, &t);
}

/* Before the first change. */
static void
keep(struct pool *p, enum pool_sysctl_row row, const char *now)
{
	struct pool_sysctl *s = &p->sysctls[row];
	bool ours = strcmp(now, s->wanted) == 0;

	if (s->kept || (ours && !s->told) || row == SYSCTL_BACKUP_ONLY)
		return;
	if (!ours)
		memcpy(s->before, now, sizeof(s->before));
	s->kept = true;
	store(p);
}

void
sysctl_want(struct pool *p, enum pool_sysctl_row row, const char *value)
{
	struct pool_sysctl *s = &p->sysctls[row];
	char now[SYSCTL_VALUE] = "";
	int error = read_value(names[row], now);

	memcpy(s->wanted, value, strlen(value) + 1);
	if (error == 0)
		keep(p, row, now);
	if (error == 0 && strcmp(now, value) == 0) {
		s->error = 0;
		return;
	}
	s->error = error != 0 ? error : ipvs_sysctl_write(names[row], value);
	if (s->error != 0)
		pool_complain(p, names[row], s->error);
}

bool
sysctl_is(struct pool *p, enum pool_sysctl_row row, const char *value)
{
	struct pool_sysctl *s = &p->sysctls[row];
	char now[SYSCTL_VALUE] = "";

	s->error = read_value(names[row], now);
	if (s->error != 0)
		pool_complain(p, names[row], s->error);
	memcpy(s->wanted, value, strlen(value) + 1);
	return s->error == 0 && strcmp(now, value) == 0;
}

void
sysctl_drop(struct pool *p, enum pool_sysctl_row row)
{
	struct pool_sysctl *s = &p->sysctls[row];

	if (s->wanted[0] == '\0')
		return;
	/* A shut gate is never what an operator wants of a kernel without us. */
	if (row == SYSCTL_BACKUP_ONLY)
		ipvs_sysctl_write(names[row], "0");
	else if (s->kept)
		ipvs_sysctl_write(names[row], s->before);
	*s = (struct pool_sysctl){.error = 0};
	store(p);
}

static void
want_when(struct pool *p, bool needed, enum pool_sysctl_row row, const char *value)
{
	if (needed)
		sysctl_want(p, row, value);
	else
		sysctl_drop(p, row);
}

/* Of services that a hash keeps alive. A mark may be set on any protocol. */
static bool
hashes(const struct pool *p, uint8_t protocol)
{
	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		const struct conf_virtual *v = &p->config.virtuals[i];

		if (survival_is_hash(v->scheduler, v->persistence_s) &&
			p->config.routers[v->router].standby == CONF_STANDBY_HOT &&
			(v->protocol == protocol || v->fwmark != 0))
			return true;
	}
	return false;
}

void
sysctls_reconcile(struct pool *p)
{
	bool pair = p->config.node_count == 2, persistent = false;

	if (!p->ipvs)
		return;
	for (uint32_t i = 0; i < p->config.virtual_count; i++)
		persistent = persistent || p->config.virtuals[i].persistence_s != 0;
	/* A packet in mid-stream is scheduled as a new one would be, not answered with a reset. */
	want_when(p, pair && hashes(p, CONF_TCP), SYSCTL_SLOPPY_TCP, "1");
	want_when(p, pair && hashes(p, CONF_SCTP), SYSCTL_SLOPPY_SCTP, "1");
	/* Connections of a server that was removed end, and do not hang until they time out. */
	want_when(p, p->config.virtual_count > 0, SYSCTL_EXPIRE_NODEST_CONN, "1");
	/* A server of weight 0 keeps no client by persistence. */
	want_when(p, persistent, SYSCTL_EXPIRE_QUIESCENT_TEMPLATE, "1");
}

void
sysctls_drop_all(struct pool *p)
{
	for (int i = 0; i < POOL_SYSCTLS; i++)
		sysctl_drop(p, (enum pool_sysctl_row)i);
}
