/*
 * Servers at addresses that names stood for until now. A name that stands for another address replaces
 * its server: the new address comes in like any new server, the old one goes like one that is down: no
 * new connections, and out of the kernel when it has none left.
 */
#include "proc/pool_process.h"

#include <stdlib.h>
#include <string.h>

struct pool_former {
	char virtual[LIMIT_NAME];
	struct endpoint address;
	uint8_t forwarding;        /* enum conf_forwarding */
};

uint32_t
formers_members(const struct pool *p, const struct conf_virtual *v, struct pool_member *members,
	uint32_t count)
{
	uint32_t whole = count, row = (uint32_t)(v - p->config.virtuals);

	for (uint32_t i = 0; i < p->former_count; i++) {
		const struct pool_former *f = &p->formers[i];
		bool back = strcmp(f->virtual, v->name) != 0;
		struct vs_real sum;

		for (uint32_t k = 0; k < count && !back; k++)
			back = endpoint_equal(&members[k].address, &f->address);
		if (!back && table_sum_at(p, row, &f->address, &sum))
			members[whole++] = (struct pool_member){.address = f->address,
				.forwarding = table_forwarding(f->forwarding),
				.verdict = HEALTH_DOWN,
				.busy = sum.active_connections + sum.inactive_connections != 0};
	}
	return whole;
}

static uint32_t
virtual_named(const struct config *c, const char *name)
{
	for (uint32_t i = 0; i < c->virtual_count; i++)
		if (strcmp(c->virtuals[i].name, name) == 0)
			return i;
	return CONF_NO_INDEX;
}

size_t
formers_rows(const struct pool *p)
{
	size_t rows = 0;

	for (uint32_t i = 0; i < p->former_count; i++) {
		uint32_t row = virtual_named(&p->config, p->formers[i].virtual);

		if (row != CONF_NO_INDEX)
			rows += virtual_services(&p->config, &p->config.virtuals[row]);
	}
	return rows;
}

void
formers_add(struct pool *p, const char *virtual, const struct endpoint *address,
	uint8_t forwarding)
{
	struct pool_former *grown;

	for (uint32_t i = 0; i < p->former_count; i++)
		if (strcmp(p->formers[i].virtual, virtual) == 0 &&
			endpoint_equal(&p->formers[i].address, address))
			return;
	grown = reallocarray(p->formers, p->former_count + 1, sizeof(*grown));
	if (!grown)
		return; /* then it goes at once */
	p->formers = grown;
	grown += p->former_count++;
	memset(grown, 0, sizeof(*grown));
	memcpy(grown->virtual, virtual, sizeof(grown->virtual));
	grown->address = *address;
	grown->forwarding = forwarding;
}

/* They have left the kernel, or have no connection any more. */
void
formers_drop(struct pool *p)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < p->former_count; i++) {
		struct pool_former *f = &p->formers[i];
		uint32_t row = virtual_named(&p->config, f->virtual);
		struct vs_real sum;

		if (row != CONF_NO_INDEX && p->ipvs && table_sum_at(p, row, &f->address, &sum) &&
			sum.active_connections + sum.inactive_connections != 0)
			p->formers[kept++] = *f;
	}
	if (kept != p->former_count)
		table_replan(p, REASON_RESOLVED);
	p->former_count = kept;
}
