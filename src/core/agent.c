/* One line of words. See agent.h. */
#include "core/agent.h"

#include <string.h>

size_t
agent_line_length(const uint8_t *bytes, size_t length)
{
	size_t n = 0;

	while (n < length && bytes[n] != '\n' && bytes[n] != '\r')
		n++;
	return n;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == ',';
}

static char
lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Does the word begin with `text`? */
static bool
begins(const uint8_t *word, size_t length, const char *text)
{
	size_t i = 0;

	while (text[i] != '\0' && i < length && lower(word[i]) == text[i])
		i++;
	return text[i] == '\0';
}

static bool
is_word(const uint8_t *word, size_t length, const char *text)
{
	return strlen(text) == length && begins(word, length, text);
}

/* Digits and a percent sign, and nothing else. */
static bool
take_percent(struct agent_state *s, const uint8_t *word, size_t length)
{
	uint32_t percent = 0;
	size_t i = 0;

	for (; i < length && word[i] >= '0' && word[i] <= '9'; i++) {
		percent = percent * 10 + (uint32_t)(word[i] - '0');
		if (percent > AGENT_PERCENT_MAX)
			percent = AGENT_PERCENT_MAX;
	}
	if (i == 0 || i + 1 != length || word[i] != '%')
		return false;
	s->has_percent = 1;
	s->percent = (uint16_t)percent;
	return true;
}

static void
take_word(struct agent_state *s, const uint8_t *word, size_t length)
{
	static const struct {
		const char *text;
		uint8_t health, admin;
	} words[] = {
		{"up", AGENT_UP, AGENT_NO_ADMIN},
		{"down", AGENT_DOWN, AGENT_NO_ADMIN},
		{"fail", AGENT_DOWN, AGENT_NO_ADMIN},
		{"failed", AGENT_DOWN, AGENT_NO_ADMIN}, /* as HAProxy's manual once had it */
		{"stopped", AGENT_DOWN, AGENT_NO_ADMIN},
		{"ready", AGENT_NO_HEALTH, AGENT_READY},
		{"drain", AGENT_NO_HEALTH, AGENT_DRAIN},
		{"maint", AGENT_NO_HEALTH, AGENT_MAINT},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!is_word(word, length, words[i].text))
			continue;
		if (words[i].health != AGENT_NO_HEALTH)
			s->health = words[i].health;
		else
			s->admin = words[i].admin;
		return;
	}
	if (begins(word, length, "maxconn:"))
		s->notes |= AGENT_NOTE_MAXCONN;
	else if (!take_percent(s, word, length))
		s->notes |= AGENT_NOTE_UNKNOWN;
}

struct agent_state
agent_parse(const uint8_t *line, size_t length)
{
	struct agent_state s = {0};
	size_t i = 0;

	while (i < length && line[i] != '#') {
		size_t begin = i;

		while (i < length && line[i] != '#' && !is_blank(line[i]))
			i++;
		if (i > begin)
			take_word(&s, line + begin, i - begin);
		else
			i++;
	}
	return s;
}

void
agent_merge(struct agent_state *all, const struct agent_state *line)
{
	if (line->health != AGENT_NO_HEALTH)
		all->health = line->health;
	if (line->admin != AGENT_NO_ADMIN)
		all->admin = line->admin;
	if (line->has_percent) {
		all->has_percent = 1;
		all->percent = line->percent;
	}
	all->notes = line->notes;
}

enum agent_effect
agent_effect(const struct agent_state *all)
{
	if (all->health == AGENT_DOWN || all->admin == AGENT_MAINT)
		return AGENT_OUT;
	return all->admin == AGENT_DRAIN ? AGENT_DRAINED : AGENT_NONE;
}

bool
agent_equal(const struct agent_state *a, const struct agent_state *b)
{
	return a->health == b->health && a->admin == b->admin && a->has_percent == b->has_percent &&
		a->percent == b->percent && a->notes == b->notes;
}

bool
agent_is_sound(const struct agent_state *s)
{
	return s->health <= AGENT_DOWN && s->admin <= AGENT_MAINT && s->has_percent <= 1 &&
		s->notes <= (AGENT_NOTE_MAXCONN | AGENT_NOTE_UNKNOWN) &&
		s->percent <= (s->has_percent ? AGENT_PERCENT_MAX : 0);
}
