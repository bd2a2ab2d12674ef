/*
 * Which services of the kernel's table are ours. IPVS has no place to write an owner into, so a
 * file in the state directory remembers what was programmed: a later life can then remove what is
 * no longer configured and leave everybody else's services alone.
 *
 * One line a service: "tcp 10.77.0.100:80", "fwmark4 7".
 */
#include "proc/pool_process.h"

#include "conf/listen.h"

#include <stdlib.h>
#include <string.h>

/* Room for so many more. */
static bool
grow(struct pool *p, size_t more)
{
	struct vs_key *grown = reallocarray(p->owned, p->owned_count + more, sizeof(*grown));

	if (grown)
		p->owned = grown;
	return grown;
}

void
owned_add_wanted(struct pool *p)
{
	size_t before = p->owned_count;

	for (size_t i = 0; i < p->wanted.service_count; i++) {
		const struct vs_key *key = &p->wanted.services[i].key;

		if (i < before && vs_key_equal(&p->owned[i], key))
			continue; /* two sorted tables are mostly the same */
		if (!vs_keys_contain(p->owned, before, true, key) && grow(p, 1))
			p->owned[p->owned_count++] = *key;
	}
	if (p->owned_count == before)
		return;
	vs_keys_sort(p->owned, p->owned_count);
	owned_store(p);
}

void
owned_remove(struct pool *p, const struct vs_key *key)
{
	for (size_t i = 0; i < p->owned_count; i++)
		if (vs_key_equal(&p->owned[i], key)) {
			p->owned_count--;
			memmove(&p->owned[i], &p->owned[i + 1],
				(p->owned_count - i) * sizeof(*p->owned));
			return;
		}
}

static bool
parse_line(char *line, struct vs_key *key)
{
	static const uint8_t protocols[] = {CONF_TCP, CONF_UDP, CONF_SCTP};
	char *space = strchr(line, ' ');
	struct conf_listen at;

	if (!space)
		return false;
	*space = '\0';
	*key = (struct vs_key){.protocol = 0};
	if (strcmp(line, "fwmark4") == 0 || strcmp(line, "fwmark6") == 0) {
		key->listen.addr.family = line[6] == '4' ? IP_V4 : IP_V6;
		key->fwmark = (uint32_t)strtoul(space + 1, NULL, 10);
		return key->fwmark != 0;
	}
	for (size_t i = 0; i < sizeof(protocols); i++)
		if (strcmp(line, conf_protocol_name(protocols[i])) == 0)
			key->protocol = protocols[i];
	if (key->protocol == 0 || !listen_parse(space + 1, &at) || listen_count(&at) != 1)
		return false;
	key->listen = listen_at(&at, 0);
	return true;
}

/* Nobody's file, or garbage in it: nothing is ours then, which errs on the side of others. */
void
owned_load(struct pool *p)
{
	enum { MOST = LIMIT_LISTENS + LIMIT_VIRTUALS };
	char *text, *rest, *line;
	struct vs_key key;
	size_t length;

	if (state_read(p, STATE_SERVICES, &text, &length) != 0)
		return;
	for (rest = text; p->owned_count < MOST && (line = strsep(&rest, "\n")) != NULL;)
		if (parse_line(line, &key) && grow(p, 1))
			p->owned[p->owned_count++] = key;
	free(text);
	vs_keys_sort(p->owned, p->owned_count);
}

void
owned_store(struct pool *p)
{
	struct state_text t;
	FILE *f = state_text(&t);
	char text[ENDPOINT_TEXT];

	for (size_t i = 0; f && i < p->owned_count; i++)
		if (p->owned[i].fwmark != 0)
			fprintf(f, "fwmark%u %u\n", p->owned[i].listen.addr.family, p->owned[i].fwmark);
		else
			fprintf(f, "%s %s\n", conf_protocol_name(p->owned[i].protocol),
				endpoint_format(&p->owned[i].listen, text));
	state_put_text(p, STATE_SERVICES, &t);
}
