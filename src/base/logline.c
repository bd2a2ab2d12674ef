/* One log line in logfmt. See logline.h. */
#include "base/logline.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
append(struct log_line *line, const char *bytes, size_t n)
{
	size_t room = sizeof(line->text) - 1 - line->length;

	if (n > room) {
		n = room;
		line->cut = true;
	}
	memcpy(line->text + line->length, bytes, n);
	line->length += n;
	line->text[line->length] = '\0';
}

static void
append_char(struct log_line *line, char c)
{
	append(line, &c, 1);
}

static void __attribute__((format(printf, 2, 3)))
append_format(struct log_line *line, const char *format, ...)
{
	char text[96];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n > 0)
		append(line, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static void
append_key(struct log_line *line, const char *key)
{
	append_char(line, ' ');
	append(line, key, strlen(key));
	append_char(line, '=');
}

static bool
is_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
}

static bool
needs_quotes(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_plain(bytes[i]))
			return true;
	return n == 0;
}

void
log_line_begin(struct log_line *line, const char *event)
{
	line->length = 0;
	line->cut = false;
	append(line, "event=", 6);
	append(line, event, strlen(event));
}

void
log_line_bytes(struct log_line *line, const char *key, const void *bytes, size_t length)
{
	const char *text = bytes;
	bool quoted = needs_quotes(text, length);

	append_key(line, key);
	if (quoted)
		append_char(line, '"');
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c == '"' || c == '\\')
			append_char(line, '\\');
		append_char(line, c >= ' ' && c < 0x7f ? c : '?');
	}
	if (quoted)
		append_char(line, '"');
}

void
log_line_text(struct log_line *line, const char *key, const char *value)
{
	log_line_bytes(line, key, value, strlen(value));
}

void
log_line_int(struct log_line *line, const char *key, int64_t value)
{
	append_key(line, key);
	append_format(line, "%lld", (long long)value);
}

void
log_line_ms(struct log_line *line, const char *key, int64_t duration_ns)
{
	int64_t us = duration_ns / NS_PER_US;
	const char *sign = us < 0 ? "-" : "";

	us = us < 0 ? -us : us;
	append_key(line, key);
	append_format(line, "%s%lld.%03lld", sign, (long long)(us / 1000), (long long)(us % 1000));
}

void
log_line_addr(struct log_line *line, const char *key, const struct ip_addr *addr)
{
	char text[ADDR_TEXT];

	log_line_text(line, key, ip_addr_format(addr, text));
}

void
log_line_endpoint(struct log_line *line, const char *key, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT];

	log_line_text(line, key, endpoint_format(e, text));
}

void
log_line_reason(struct log_line *line, enum reason reason)
{
	log_line_text(line, "reason", reason_tag(reason));
}

static const struct {
	enum log_level level;
	const char *name;
} level_names[] = {
	{LOG_LEVEL_ERROR, "error"}, {LOG_LEVEL_WARNING, "warning"}, {LOG_LEVEL_NOTICE, "notice"},
	{LOG_LEVEL_INFO, "info"}, {LOG_LEVEL_DEBUG, "debug"},
};

const char *
log_level_name(enum log_level level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
		if (level_names[i].level == level)
			return level_names[i].name;
	return "unknown";
}

bool
log_level_parse(const char *name, enum log_level *out)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
		if (strcmp(level_names[i].name, name) == 0) {
			*out = level_names[i].level;
			return true;
		}
	return false;
}

bool
log_limit_allow(struct log_limit *limit, mono now, uint64_t *suppressed)
{
	int64_t passed = mono_diff_ns(now, limit->window) / limit->every_ns;

	if (passed >= limit->used) {
		limit->used = 0;
		limit->window = now;
	} else if (passed > 0) {
		limit->used -= (uint32_t)passed;
		limit->window = mono_add_ns(limit->window, passed * limit->every_ns);
	}
	if (limit->used >= limit->burst) {
		limit->suppressed++;
		return false;
	}
	limit->used++;
	*suppressed = limit->suppressed;
	limit->suppressed = 0;
	return true;
}
