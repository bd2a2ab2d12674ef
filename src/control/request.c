/* Requests of the control socket. See request.h. */
#include "control/request.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	enum control_command command;
	bool takes_router, takes_follow;
} commands[] = {
	{"status", CONTROL_STATUS, false, false},
	{"switchover", CONTROL_SWITCHOVER, true, false},
	{"events", CONTROL_EVENTS, false, true},
	{"reload", CONTROL_RELOAD, false, false},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

const char *
control_command_name(enum control_command command)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].command == command)
			return commands[i].name;
	return "invalid";
}

static size_t
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return i;
	return COMMANDS;
}

/* What a stranger sent goes back to it, and into the log, as plain text only. */
static void
complain(char error[128], const char *what, const char *about)
{
	snprintf(error, 128, "%s%s%.40s", what, about[0] ? ": " : "", about);
	for (char *c = error; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static bool
take_router(const json_t *value, struct control_request *out, char error[128])
{
	if (!json_is_string(value) || json_string_length(value) >= sizeof(out->router)) {
		complain(error, "router must be the name of a virtual router", "");
		return false;
	}
	memcpy(out->router, json_string_value(value), json_string_length(value));
	return true;
}

static bool
take_key(const char *key, const json_t *value, size_t row, struct control_request *out,
	char error[128])
{
	if (strcmp(key, "command") == 0)
		return true;
	if (strcmp(key, "router") == 0 && commands[row].takes_router)
		return take_router(value, out, error);
	if (strcmp(key, "follow") == 0 && commands[row].takes_follow) {
		if (!json_is_boolean(value)) {
			complain(error, "follow must be true or false", "");
			return false;
		}
		out->follow = json_is_true(value);
		return true;
	}
	complain(error, "unknown key", key);
	return false;
}

static enum control_parse
take_object(json_t *object, struct control_request *out, char error[128])
{
	const json_t *name = json_object_get(object, "command");
	const char *key;
	json_t *value;
	size_t row;

	if (!json_is_string(name)) {
		complain(error, "a request needs a command", "");
		return CONTROL_REFUSED;
	}
	row = find_command(json_string_value(name));
	if (row == COMMANDS) {
		complain(error, "no such command", json_string_value(name));
		return CONTROL_REFUSED;
	}
	out->command = commands[row].command;
	json_object_foreach(object, key, value)
		if (!take_key(key, value, row, out, error))
			return CONTROL_REFUSED;
	return CONTROL_PARSED;
}

enum control_parse
control_request_parse(const char *line, size_t length, struct control_request *out,
	char error[128])
{
	enum control_parse parsed = CONTROL_GARBAGE;
	json_error_t why;
	json_t *object;

	memset(out, 0, sizeof(*out));
	error[0] = '\0';
	object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &why);
	if (json_is_object(object))
		parsed = take_object(object, out, error);
	else
		complain(error, "a request is one JSON object a line", object ? "" : why.text);
	json_decref(object);
	return parsed;
}
