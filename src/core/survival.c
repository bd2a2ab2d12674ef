/* What established connections survive by. See survival.h. */
#include "core/survival.h"

#include <string.h>

static struct survival
survival_of_sync(const struct survival_facts *f)
{
	if (!f->sync_enabled)
		return (struct survival){SURVIVAL_NONE, REASON_SYNC_OFF};
	if (!f->sync_running)
		return (struct survival){SURVIVAL_NONE, REASON_SYNC_REFUSED};
	if (f->sysctl_refused)
		return (struct survival){SURVIVAL_SYNC, REASON_SYSCTL_REFUSED};
	if (f->behind)
		return (struct survival){SURVIVAL_SYNC, REASON_CATCHING_UP};
	if (f->servers == SERVERS_DIFFER) /* what is bound to a server that is not there is lost */
		return (struct survival){SURVIVAL_SYNC, REASON_SERVERS_DIFFER};
	return (struct survival){SURVIVAL_SYNC, REASON_NONE};
}

struct survival
survival_judge(const struct survival_facts *f)
{
	struct survival other;

	if (f->alone || f->peer_lost)
		return (struct survival){SURVIVAL_NONE,
			f->alone ? REASON_NO_STANDBY : REASON_PEER_LOST};
	if (f->cold)
		return (struct survival){SURVIVAL_NONE, REASON_COLD_STANDBY};
	if (!f->balancing)
		return (struct survival){SURVIVAL_NONE, REASON_NO_IP_VS};
	if (f->one_packet)
		return (struct survival){SURVIVAL_NONE, REASON_ONE_PACKET};
	if (!f->hashing)
		return survival_of_sync(f);
	if (!f->sloppy_refused && f->servers != SERVERS_DIFFER)
		return (struct survival){SURVIVAL_HASH,
			f->servers == SERVERS_UNTOLD ? REASON_SERVERS_UNTOLD : REASON_NONE};
	other = survival_of_sync(f);
	return (struct survival){other.mode,
		f->sloppy_refused ? REASON_SYSCTL_REFUSED : REASON_SERVERS_DIFFER};
}

bool
survival_is_hash(const char *scheduler, uint32_t persistence_s)
{
	return persistence_s == 0 && strcmp(scheduler, "mh") == 0;
}

const char *
survival_name(enum survival_mode mode)
{
	switch (mode) {
	case SURVIVAL_NONE: return "none";
	case SURVIVAL_SYNC: return "sync";
	case SURVIVAL_HASH: return "hash";
	}
	return "invalid";
}

uint32_t
survival_digest_begin(void)
{
	return 2166136261u;
}

uint32_t
survival_digest_add(uint32_t digest, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < length; i++)
		digest = (digest ^ at[i]) * 16777619u;
	return digest;
}

uint8_t
survival_digest_end(uint32_t digest)
{
	return (uint8_t)(1 + digest % 127);
}
