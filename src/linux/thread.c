/* Starting a thread. See thread.h. */
#include "linux/thread.h"

#include <signal.h>

enum { STACK = 256 * 1024 };

int
thread_start(pthread_t *thread, void *(*work)(void *argument), void *argument)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to the loop */
	error = pthread_create(thread, &attr, work, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -error;
}
