/*
 * That something is not probed any more, told to who does it. What a full channel does not take is
 * remembered, by slot and receiver, and told before anything else when there is room: until then a
 * program would be run for a server that is gone, or its prober go on asking.
 */
#include "proc/pool_process.h"

#include "ipc/channel.h"

#include <stdlib.h>
#include <string.h>

/* A bit for each prober, and behind those the one for the supervisor, who runs programs. */
enum { SUPERVISOR = LIMIT_PROBERS };

_Static_assert(SUPERVISOR < 32, "a receiver has a bit");

static int
channel_of(const struct pool *p, unsigned receiver)
{
	return receiver == SUPERVISOR ? p->child->supervisor_fd : p->probers[receiver].fd;
}

static bool
tell(const struct pool *p, uint32_t slot, unsigned receiver)
{
	struct ipc_probe_clear clear = {.target = slot};

	return channel_send(channel_of(p, receiver), receiver == SUPERVISOR ? IPC_EXEC_CLEAR
		: IPC_PROBE_CLEAR, &clear, sizeof(clear), -1) == 0;
}

/* Room for every slot. Without memory it is as lost as the channel's room is. */
static bool
grow(struct pool *p)
{
	uint32_t *grown;

	if (p->slot_unsent_count >= p->slot_count)
		return true;
	grown = reallocarray(p->slot_unsent, p->slot_count, sizeof(*grown));
	if (!grown)
		return false;
	memset(grown + p->slot_unsent_count, 0,
		(p->slot_count - p->slot_unsent_count) * sizeof(*grown));
	p->slot_unsent = grown;
	p->slot_unsent_count = p->slot_count;
	return true;
}

static void
clear_of(struct pool *p, uint32_t slot, unsigned receiver)
{
	if (channel_of(p, receiver) == -1 || tell(p, slot, receiver) || !grow(p))
		return;
	p->slot_unsent[slot] |= UINT32_C(1) << receiver;
	p->any_unsent = true;
}

void
clears_prober(struct pool *p, uint32_t slot, uint32_t prober)
{
	clear_of(p, slot, prober);
}

void
clears_exec(struct pool *p, uint32_t slot)
{
	clear_of(p, slot, SUPERVISOR);
}

/* One slot's; false: some are left. */
static bool
flush_slot(struct pool *p, uint32_t slot)
{
	for (unsigned receiver = 0; receiver <= SUPERVISOR; receiver++) {
		uint32_t bit = UINT32_C(1) << receiver;

		if ((p->slot_unsent[slot] & bit) == 0)
			continue;
		if (channel_of(p, receiver) == -1 || tell(p, slot, receiver))
			p->slot_unsent[slot] &= ~bit;
	}
	return p->slot_unsent[slot] == 0;
}

bool
clears_flush(struct pool *p)
{
	bool left = false;

	for (uint32_t i = 0; p->any_unsent && i < p->slot_unsent_count; i++)
		left = (p->slot_unsent[i] != 0 && !flush_slot(p, i)) || left;
	p->any_unsent = left;
	return !left;
}

void
clears_forget(struct pool *p, uint32_t prober)
{
	for (uint32_t i = 0; i < p->slot_unsent_count; i++)
		p->slot_unsent[i] &= ~(UINT32_C(1) << prober);
}
