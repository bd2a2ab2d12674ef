/*
 * The reader of an agent's words, line after line as a socket feeds them. Promises: the line ends
 * where its end is, what is read is sound, a line without a word of a kind changes nothing of that
 * kind, and what is behind a '#' is not read.
 */
#include "fuzz.h"

#include "core/agent.h"

#include <string.h>

static void
one_line(const uint8_t *line, size_t length, struct agent_state *all)
{
	struct agent_state before = *all, says = agent_parse(line, length), cut;
	const uint8_t *sharp = length > 0 ? memchr(line, '#', length) : NULL;

	PROMISE(agent_is_sound(&says));
	if (sharp != NULL) {
		cut = agent_parse(line, (size_t)(sharp - line));
		PROMISE(agent_equal(&cut, &says));
	}
	agent_merge(all, &says);
	PROMISE(agent_is_sound(all));
	PROMISE(says.health != AGENT_NO_HEALTH || all->health == before.health);
	PROMISE(says.admin != AGENT_NO_ADMIN || all->admin == before.admin);
	PROMISE(says.has_percent || all->percent == before.percent);
	PROMISE(agent_effect(all) != AGENT_NONE ||
		(all->health != AGENT_DOWN && all->admin <= AGENT_READY));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct agent_state all = {0};
	size_t at = 0;

	while (at < size) {
		size_t n = agent_line_length(data + at, size - at);

		PROMISE(n <= size - at);
		PROMISE(n == size - at || data[at + n] == '\n' || data[at + n] == '\r');
		one_line(data + at, n, &all);
		at += n + 1;
	}
	return 0;
}
