/*
 * Which services of the kernel's table are ours. IPVS has no place to write an owner into, so a
 * file in the state directory remembers what was programmed: a later life can then remove what is
 * no longer configured and leave everybody else's services alone.
 *
 * One line a service: "tcp 10.77.0.100:80", "fwmark4 7". Written to a new file and renamed:
 * never half there.
 */
#include "proc/pool_process.h"

#include "conf/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 96 };

static void
path_of(const struct pool *p, const char *suffix, char out[LIMIT_PATH])
{
	snprintf(out, LIMIT_PATH, "%s/services%s", p->child->state_dir, suffix);
}

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

	line[strcspn(line, "\n")] = '\0';
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
	char path[LIMIT_PATH], line[LINE_MAX_BYTES];
	struct vs_key key;
	FILE *f;

	path_of(p, "", path);
	f = fopen(path, "re");
	if (!f)
		return;
	while (p->owned_count < LIMIT_LISTENS + LIMIT_VIRTUALS && fgets(line, sizeof(line), f))
		if (parse_line(line, &key) && grow(p, 1))
			p->owned[p->owned_count++] = key;
	fclose(f);
	vs_keys_sort(p->owned, p->owned_count);
}

static void
complain(struct pool *p, const char *path)
{
	struct log_line line;
	uint64_t suppressed;

	if (!log_limit_allow(&p->ipvs_limit, mono_now(), &suppressed))
		return;
	log_line_begin(&line, "pool");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "detail", "cannot remember which services are ours");
	log_line_text(&line, "file", path);
	log_line_text(&line, "error", strerror(errno));
	log_emit(&p->child->log, LOG_LEVEL_WARNING, &line);
}

void
owned_store(struct pool *p)
{
	char path[LIMIT_PATH], fresh[LIMIT_PATH], text[ENDPOINT_TEXT];
	FILE *f;
	bool ok;

	path_of(p, "", path);
	path_of(p, ".new", fresh);
	f = fopen(fresh, "we");
	if (!f) {
		complain(p, fresh);
		return;
	}
	for (size_t i = 0; i < p->owned_count; i++)
		if (p->owned[i].fwmark != 0)
			fprintf(f, "fwmark%u %u\n", p->owned[i].listen.addr.family, p->owned[i].fwmark);
		else
			fprintf(f, "%s %s\n", conf_protocol_name(p->owned[i].protocol),
				endpoint_format(&p->owned[i].listen, text));
	ok = ferror(f) == 0;
	ok = fclose(f) == 0 && ok;
	if (!ok || rename(fresh, path) == -1)
		complain(p, path);
}
