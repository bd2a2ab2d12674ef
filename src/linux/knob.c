/* Settings of one interface. See knob.h. */
#include "linux/knob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 128, VALUE_SIZE = 16 };

static int
open_knob(const char *family, const char *interface, const char *knob, int flags)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, interface, knob);
	return open(path, flags | O_CLOEXEC);
}

int
knob_get(const char *family, const char *interface, const char *knob)
{
	char value[VALUE_SIZE] = "";
	int fd = open_knob(family, interface, knob, O_RDONLY);
	ssize_t n;

	if (fd == -1)
		return -1;
	n = read(fd, value, sizeof(value) - 1);
	close(fd);
	return n > 0 ? atoi(value) : -1;
}

bool
knob_set(const char *family, const char *interface, const char *knob, int value)
{
	char text[VALUE_SIZE];
	ssize_t n;
	int fd;

	if (knob_get(family, interface, knob) == value)
		return true;
	fd = open_knob(family, interface, knob, O_WRONLY);
	if (fd == -1)
		return false;
	snprintf(text, sizeof(text), "%d", value);
	while ((n = write(fd, text, strlen(text))) == -1 && errno == EINTR)
		;
	close(fd);
	return n > 0;
}
