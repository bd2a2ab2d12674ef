/*
 * A line on the control socket, from anybody who may open it. Whatever it is: the answer's text is
 * printable and bounded, a name fits and ends, and a second look says the same.
 */
#include "fuzz.h"

#include "control/request.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_request first, second;
	char error[128], again[128];
	enum control_parse parsed;

	if (size > CONTROL_LINE_MAX)
		return 0;
	parsed = control_request_parse((const char *)data, size, &first, error);
	PROMISE(control_request_parse((const char *)data, size, &second, again) == parsed);
	PROMISE(memcmp(&first, &second, sizeof(first)) == 0 && strcmp(error, again) == 0);
	PROMISE((error[0] == '\0') == (parsed == CONTROL_PARSED));
	for (const char *c = error; *c; c++)
		PROMISE(*c >= ' ' && *c <= '~');
	PROMISE(memchr(first.router, '\0', sizeof(first.router)) != NULL);
	PROMISE(memchr(first.file, '\0', sizeof(first.file)) != NULL);
	if (parsed == CONTROL_PARSED) {
		PROMISE(strcmp(control_command_name(first.command), "invalid") != 0);
		PROMISE(first.router[0] == '\0' || first.command == CONTROL_SWITCHOVER);
		PROMISE(!first.follow || first.command == CONTROL_EVENTS);
		PROMISE((first.file[0] == '/') == (first.command == CONTROL_PLAN));
	}
	return 0;
}
