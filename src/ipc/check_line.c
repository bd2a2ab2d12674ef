/*
 * What who reads what strangers send may say in the log. See check.h.
 *
 * Every line that it has, with its keys: `event=role` is the election's, and nobody who looks for that
 * may find it in what a prober says, not even within a value.
 */
#include "ipc/check.h"

#include <string.h>

#define REFUSAL_KEYS "to kind bytes refused suppressed"

static const struct {
	enum process_role from;
	const char *head, *keys;
} lines[] = {
	{PROCESS_PROBER, "event=probe reason=woke-late", "voided stalled_ms"},
	{PROCESS_PROBER, "event=probe reason=system", "target error"},
	{PROCESS_PROBER, "event=process name=prober reason=system", "detail error"},
	{PROCESS_PROBER, "event=process name=prober reason=bad-message", REFUSAL_KEYS},
	{PROCESS_RESOLVER, "event=process name=resolver reason=system", "detail error"},
	{PROCESS_RESOLVER, "event=process name=resolver reason=bad-message", REFUSAL_KEYS},
};

static bool
is_one_of(const char *words, const char *word, size_t length)
{
	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		if (n == length && memcmp(words, word, n) == 0)
			return true;
		words += n + (words[n] == ' ');
	}
	return false;
}

/* Behind the value at `text`, as base/logline.c writes it, or NULL. */
static const char *
after_value(const char *text, const char *end)
{
	const char *from = text;

	if (text < end && *text == '"') {
		for (text++; text < end && *text != '"'; text++)
			if (*text == '\\' && ++text == end)
				return NULL;
		return text < end ? text + 1 : NULL;
	}
	while (text < end && *text != ' ' && *text != '"' && *text != '=' && *text != '\\')
		text++;
	return text > from ? text : NULL;
}

static bool
has_only(const char *text, const char *end, const char *keys)
{
	while (text != NULL && text < end) {
		const char *equals = memchr(text, '=', (size_t)(end - text));

		if (*text != ' ' || equals == NULL ||
			!is_one_of(keys, text + 1, (size_t)(equals - text - 1)))
			return false;
		text = after_value(equals + 1, end);
	}
	return text != NULL;
}

static bool
is_plain_text(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return length > 0 && memmem(text + 1, length - 1, "event=", 6) == NULL;
}

bool
ipc_line_is_sound(enum process_role from, const char *text, size_t length)
{
	if (length >= LIMIT_LOG_LINE || !is_plain_text(text, length))
		return false;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t head = strlen(lines[i].head);

		if (lines[i].from == from && length >= head &&
			memcmp(text, lines[i].head, head) == 0 &&
			has_only(text + head, text + length, lines[i].keys))
			return true;
	}
	return false;
}
