/* Requests of the control socket. See request.h. */
#include "control/request.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* The keys that a request may have, and those that it must have. */
enum {
	KEY_ROUTER = 1 << 0,
	KEY_FOLLOW = 1 << 1,
	KEY_SERVER = 1 << 2,
	KEY_FOR = 1 << 3,
	KEY_WEIGHT = 1 << 4,
	KEY_VIRTUAL = 1 << 5,
	KEY_ADDRESS = 1 << 6,
	KEY_FILE = 1 << 7,
};

static const char *const key_names[] = {
	"router", "follow", "server", "for_s", "weight", "virtual", "address",
	"file"};

enum { KEYS = sizeof(key_names) / sizeof(key_names[0]) };

static const struct {
	const char *name;
	enum control_command command;
	unsigned may, must;
} commands[] = {
	{"status", CONTROL_STATUS, 0, 0},
	{"switchover", CONTROL_SWITCHOVER, KEY_ROUTER, 0},
	{"events", CONTROL_EVENTS, KEY_FOLLOW, 0},
	{"reload", CONTROL_RELOAD, 0, 0},
	{"drain", CONTROL_DRAIN, KEY_SERVER | KEY_FOR, KEY_SERVER},
	{"enable", CONTROL_ENABLE, KEY_SERVER, KEY_SERVER},
	{"disable", CONTROL_DISABLE, KEY_SERVER | KEY_FOR, KEY_SERVER},
	{"weight", CONTROL_WEIGHT, KEY_SERVER | KEY_WEIGHT, KEY_SERVER | KEY_WEIGHT},
	{"add", CONTROL_ADD, KEY_VIRTUAL | KEY_SERVER | KEY_ADDRESS | KEY_WEIGHT,
		KEY_VIRTUAL | KEY_SERVER | KEY_ADDRESS},
	{"remove", CONTROL_REMOVE, KEY_SERVER, KEY_SERVER},
	{"plan", CONTROL_PLAN, KEY_FILE, KEY_FILE},
	{"apply", CONTROL_APPLY, 0, 0},
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

/* A name of the configuration: what is in it goes into files and the log. */
static bool
is_name(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")] == '\0';
}

static bool
take_text(const json_t *value, const char *what, char *out, size_t size, char error[128])
{
	if (!json_is_string(value) || json_string_length(value) >= size) {
		complain(error, what, "");
		return false;
	}
	memcpy(out, json_string_value(value), json_string_length(value));
	return true;
}

/* It is said again to the operator and in the log: a path, whatever its encoding. */
static bool
take_file(const json_t *value, struct control_request *out, char error[128])
{
	if (!json_is_string(value) || json_string_length(value) >= sizeof(out->file) ||
		json_string_value(value)[0] != '/') {
		complain(error, "file must be an absolute path of at most 255 bytes", "");
		return false;
	}
	memcpy(out->file, json_string_value(value), json_string_length(value));
	return true;
}

static bool
take_number(const json_t *value, const char *what, int64_t low, int64_t high, int64_t *out,
	char error[128])
{
	if (!json_is_integer(value) || json_integer_value(value) < low ||
		json_integer_value(value) > high) {
		complain(error, what, "");
		return false;
	}
	*out = json_integer_value(value);
	return true;
}

static bool
take_weight(const json_t *value, struct control_request *out, char error[128])
{
	int64_t weight = -1;

	if (!json_is_null(value) && !take_number(value, "weight must be 0 to 65535, or null for as "
		"configured", 0, 65535, &weight, error))
		return false;
	out->weight = (int32_t)weight;
	return true;
}

static bool
take_server(const json_t *value, struct control_request *out, char error[128])
{
	if (!take_text(value, "server must be the name of a real server, or VIRTUAL/NAME",
		out->server, sizeof(out->server), error))
		return false;
	if (is_name(out->server))
		return true;
	complain(error, "a name is letters, digits, '.', '_' and '-'", "");
	return false;
}

static bool
take_value(unsigned key, const json_t *value, struct control_request *out, char error[128])
{
	switch (key) {
	case KEY_ROUTER:
		return take_text(value, "router must be the name of a virtual router", out->router,
			sizeof(out->router), error);
	case KEY_VIRTUAL:
		return take_text(value, "virtual must be the name of a virtual server", out->virtual,
			sizeof(out->virtual), error);
	case KEY_ADDRESS:
		return take_text(value, "address must be an address and a port", out->address,
			sizeof(out->address), error);
	case KEY_FILE: return take_file(value, out, error);
	case KEY_SERVER: return take_server(value, out, error);
	case KEY_WEIGHT: return take_weight(value, out, error);
	case KEY_FOR:
		return take_number(value, "for_s must be 1 to 31622400 seconds", 1, 31622400,
			&out->for_s, error);
	case KEY_FOLLOW:
		if (!json_is_boolean(value)) {
			complain(error, "follow must be true or false", "");
			return false;
		}
		out->follow = json_is_true(value);
	}
	return true;
}

static bool
take_key(const char *key, const json_t *value, size_t row, struct control_request *out,
	unsigned *found, char error[128])
{
	if (strcmp(key, "command") == 0)
		return true;
	for (unsigned i = 0; i < KEYS; i++) {
		unsigned bit = 1u << i;

		if (strcmp(key, key_names[i]) != 0 || (commands[row].may & bit) == 0)
			continue;
		*found |= bit;
		return take_value(bit, value, out, error);
	}
	complain(error, "unknown key", key);
	return false;
}

/* The first key that is missing; NULL when none is. */
static const char *
missing_key(size_t row, unsigned found)
{
	for (unsigned i = 0; i < KEYS; i++)
		if ((commands[row].must & 1u << i) != 0 && (found & 1u << i) == 0)
			return key_names[i];
	return NULL;
}

static enum control_parse
take_object(json_t *object, struct control_request *out, char error[128])
{
	const json_t *name = json_object_get(object, "command");
	const char *key;
	unsigned found = 0;
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
	out->weight = -1;
	json_object_foreach(object, key, value)
		if (!take_key(key, value, row, out, &found, error))
			return CONTROL_REFUSED;
	key = missing_key(row, found);
	if (key)
		complain(error, "this command needs", key);
	return key ? CONTROL_REFUSED : CONTROL_PARSED;
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
