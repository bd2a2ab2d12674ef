/* A thread beside the loop: it takes no signals and has a small stack. */
#ifndef TANDEM_LINUX_THREAD_H
#define TANDEM_LINUX_THREAD_H

#include <pthread.h>

/* It inherits the caller's scheduling and capabilities. 0 or a negative errno. */
int thread_start(pthread_t *thread, void *(*work)(void *argument), void *argument);

#endif
