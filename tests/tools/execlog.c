/*
 * execlog FILE [MS]: the program of a probe of type exec. It takes so long, and adds a line to the
 * file: which server it was run for, when it began and when it ended (monotonic, ns).
 */
#include "tool.h"

#include <fcntl.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	int64_t began = tool_now_ns();
	const char *server = getenv("TANDEM_SERVER");
	char line[128];
	int length, fd;

	if (argc < 2 || server == NULL) {
		fputs("usage: TANDEM_SERVER=NAME execlog FILE [MS]\n", stderr);
		return 2;
	}
	if (argc > 2) {
		struct timespec nap = tool_timespec(atoll(argv[2]) * 1000000);

		nanosleep(&nap, NULL);
	}
	fd = open(argv[1], O_WRONLY | O_APPEND);
	length = snprintf(line, sizeof(line), "%.60s %lld %lld\n", server, (long long)began,
		(long long)tool_now_ns());
	if (fd == -1 || write(fd, line, (size_t)length) != length)
		tool_die("execlog");
	return 0;
}
