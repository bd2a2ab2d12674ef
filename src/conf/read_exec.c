/* What exec adds to a probe group: a program of the operator's, what it gets, and who runs it. */
#include "conf/reader.h"

#include <string.h>

void
exec_defaults(struct conf_probe *p)
{
	const struct scope s = {.keys = &keys_probe};

	scope_copy(&s, "user", p->user, sizeof(p->user));
}

/* One text or a list of them; false: they are too long, or one is wrong, and was told. */
static bool
read_words(const struct scope *s, config_setting_t *at, const char *key, struct conf_words *out)
{
	int count = config_setting_length(at);
	bool one = config_setting_type(at) == CONFIG_TYPE_STRING;

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < (one ? 1 : count); i++) {
		config_setting_t *word = one ? at : config_setting_get_elem(at, (unsigned)i);

		if (setting_is_wrong(word))
			return false;
		if (!conf_words_add(out, config_setting_get_string(word))) {
			scope_error(s, word, "%s is too long; it must be %d bytes at most, with one "
				"more for each text", key, LIMIT_WORDS);
			return false;
		}
	}
	return true;
}

static void
read_command(const struct scope *s, struct conf_probe *p)
{
	config_setting_t *at = scope_member(s, "command");

	if (!at) {
		if (p->command.count == 0 && !config_setting_get_member(s->setting, "command"))
			scope_error(s, s->setting, "command is missing");
		return;
	}
	if (!read_words(s, at, "command", &p->command))
		return;
	if (p->command.count == 0)
		scope_error(s, at, "command is empty; it needs the path of a program at least");
	else if (p->command.text[0] != '/')
		scope_error(s, at, "command \"%.80s\" must begin with the absolute path of a program",
			p->command.text);
}

void
read_exec(const struct scope *s, struct conf_probe *p)
{
	config_setting_t *environment = scope_member(s, "environment");

	read_command(s, p);
	if (environment)
		read_words(s, environment, "environment", &p->environment);
	if (scope_member(s, "user"))
		scope_copy(s, "user", p->user, sizeof(p->user));
	if (scope_member(s, "exit_weight"))
		p->exit_weight = scope_bool(s, "exit_weight");
	if (s->keys == &keys_tracked_probe)
		scope_error(s, s->setting, "type exec is for real servers only; a router tracks scripts");
}
