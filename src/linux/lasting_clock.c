/* See lasting_clock.h. The id is in a file of the kernel, which neither blocks nor changes. */
#include "linux/lasting_clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct lasting_clock
lasting_clock_now(void)
{
	struct lasting_clock c = {.now = mono_now()};
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	c.wall_s = wall.tv_sec;
	c.wall_ns = wall.tv_nsec;
	return c;
}

struct lasting_clock
lasting_clock_of_boot(void)
{
	struct lasting_clock c = lasting_clock_now();
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return c;
	if (read(fd, c.boot, BOOT_ID - 1) != BOOT_ID - 1)
		c.boot[0] = '\0';
	close(fd);
	c.boot[strcspn(c.boot, "\n")] = '\0';
	return c;
}
