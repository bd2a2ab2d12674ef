/*
 * logsink SOCKET FILE: a syslog for one namespace. Takes datagrams on SOCKET (what /dev/log is to
 * the node's daemons) and appends them as lines to FILE, without the <priority>.
 *
 * SIGSTOP it and it is a syslog whose reader hangs.
 */
#include "tool.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char line[8192], *text;
	FILE *out;
	int fd;

	if (argc != 3 || strlen(argv[1]) >= sizeof(at.sun_path)) {
		fputs("usage: logsink SOCKET FILE\n", stderr);
		return 2;
	}
	strcpy(at.sun_path, argv[1]);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	out = fopen(argv[2], "ae");
	if (fd == -1 || !out || bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1)
		tool_die("logsink");
	for (;;) {
		ssize_t n = recv(fd, line, sizeof(line) - 1, 0);

		if (n <= 0)
			continue;
		line[n] = '\0';
		text = line[0] == '<' && strchr(line, '>') ? strchr(line, '>') + 1 : line;
		text[strcspn(text, "\n")] = '\0';
		fprintf(out, "%s\n", text);
		fflush(out);
	}
}
