/* The keys of http and https probes, but for those of TLS. See read_probe.c. */
#include "conf/bytes.h"
#include "conf/pattern.h"
#include "conf/reader.h"

#include <string.h>

void
http_defaults(struct conf_probe *p)
{
	const struct scope defaults = {.keys = &keys_probe};
	const struct scope expect = {.keys = &keys_expect};

	scope_copy(&defaults, "path", p->path, sizeof(p->path));
	p->method = (uint8_t)scope_word(&defaults, "method");
	p->http_version = (uint8_t)scope_word(&defaults, "version");
	status_parse(scope_text(&expect, "status"), p->status, &p->status_count);
}

/* The list as lines; it replaces what was inherited. */
static void
read_headers(const struct scope *s, struct conf_probe *p)
{
	config_setting_t *list = scope_member(s, "headers");
	size_t used = 0;

	memset(p->headers, 0, sizeof(p->headers));
	for (int i = 0; i < config_setting_length(list); i++) {
		config_setting_t *element = config_setting_get_elem(list, (unsigned)i);
		const char *text = config_setting_get_string(element);

		if (setting_is_wrong(element))
			continue;
		if (used + strlen(text) + 1 >= sizeof(p->headers)) {
			scope_error(s, element, "headers are too long; %d bytes together are the "
				"limit", LIMIT_PROBE_HEADERS - 1);
			return;
		}
		memcpy(p->headers + used, text, strlen(text));
		used += strlen(text);
		p->headers[used++] = '\n';
	}
}

void
read_http(const struct scope *s, struct conf_probe *p)
{
	if (is_used(s, p, "path"))
		scope_copy(s, "path", p->path, sizeof(p->path));
	if (is_used(s, p, "host"))
		scope_copy(s, "host", p->host, sizeof(p->host));
	if (is_used(s, p, "method"))
		p->method = (uint8_t)scope_word(s, "method");
	if (is_used(s, p, "version"))
		p->http_version = (uint8_t)scope_word(s, "version");
	if (is_used(s, p, "headers"))
		read_headers(s, p);
	if (is_used(s, p, "keep_alive"))
		p->keep_alive = scope_bool(s, "keep_alive");
	if (p->keep_alive && strcmp(words_http_version[p->http_version], "1.0") == 0)
		scope_error(s, scope_member(s, "keep_alive") ? scope_member(s, "keep_alive")
			: scope_member(s, "version"), "keep_alive needs version 1.1");
	if (is_used(s, p, "body"))
		bytes_parse(scope_text(s, "body"), &p->send);
}

/* A pattern that cannot be compiled is found out here, not in the prober. */
static void
read_regex(const struct scope *s, struct conf_probe *p)
{
	char fault[PATTERN_FAULT];
	struct pattern *pattern;

	scope_copy(s, "regex", p->regex, sizeof(p->regex));
	if (p->regex[0] == '\0')
		return;
	pattern = pattern_new(p->regex, fault);
	if (pattern == NULL)
		scope_error(s, scope_member(s, "regex"), "regex \"%.80s\": %s", p->regex, fault);
	pattern_free(pattern);
}

/* An empty group takes back what was inherited. */
static void
read_json(const struct scope *s, struct conf_probe *p)
{
	config_setting_t *at = scope_member(s, "json");
	struct scope json;

	scope_open_member(&json, s, "json");
	memset(p->json_pointer, 0, sizeof(p->json_pointer));
	memset(p->json_value, 0, sizeof(p->json_value));
	p->has_json = config_setting_length(at) > 0;
	if (p->has_json && (!config_setting_get_member(at, "pointer") ||
		!config_setting_get_member(at, "value")))
		scope_error(s, at, "json needs both pointer and value");
	scope_copy(&json, "pointer", p->json_pointer, sizeof(p->json_pointer));
	scope_copy(&json, "value", p->json_value, sizeof(p->json_value));
}

void
read_http_expect(const struct scope *s, struct conf_probe *p)
{
	if (is_used(s, p, "status")) {
		memset(p->status, 0, sizeof(p->status));
		status_parse(scope_text(s, "status"), p->status, &p->status_count);
	}
	if (is_used(s, p, "header"))
		scope_copy(s, "header", p->header, sizeof(p->header));
	if (is_used(s, p, "body"))
		scope_copy(s, "body", p->body, sizeof(p->body));
	if (is_used(s, p, "regex"))
		read_regex(s, p);
	if (is_used(s, p, "json"))
		read_json(s, p);
}
