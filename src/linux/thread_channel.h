/*
 * A thread beside a loop that must not wait, and the way to it and back: a socket pair that carries
 * pointers. No lock is shared with the loop: who has received a pointer owns what it points to.
 *
 * An item is memory from malloc(). It is given to the thread, and comes back. The loop's functions
 * never block unless they say so; the thread's may.
 */
#ifndef TANDEM_LINUX_THREAD_CHANNEL_H
#define TANDEM_LINUX_THREAD_CHANNEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread_channel {
	int loop_end, thread_end;
	pthread_t thread;
	void (*work)(void *argument);
	void *argument;
	size_t limit, under_way; /* the loop's: items given and not taken back */
};

/* What the thread receives: an item, or (NULL) a word about those that it has. */
struct thread_order {
	void *item;
	uint32_t word;
};

enum thread_next { THREAD_NOTHING, THREAD_ORDER, THREAD_END };

/* --- the loop's side --- */

/*
 * Starts the thread as thread_start() does; it ends when work() returns, which is soon after
 * THREAD_END. At most `limit` items are under way. 0 or a negative errno. The channel must not move.
 */
int thread_channel_start(struct thread_channel *c, size_t limit, void (*work)(void *argument),
	void *argument);
/* Readable when an item is back; for the event loop. */
int thread_channel_fd(const struct thread_channel *c);
/* False: the item stays the caller's. */
bool thread_channel_give(struct thread_channel *c, void *item);
/* False: the thread has not been told. */
bool thread_channel_tell(struct thread_channel *c, uint32_t word);
/* The next item that is back, or NULL. */
void *thread_channel_take(struct thread_channel *c);
/* The same, but waits for it. NULL: nothing is under way. */
void *thread_channel_wait(struct thread_channel *c);
/* Tells the thread of the end, waits for it, and frees with free() what comes back. */
void thread_channel_stop(struct thread_channel *c);

/* --- the thread's side --- */

/* `wait`: until there is something, so never THREAD_NOTHING. */
enum thread_next thread_channel_next(struct thread_channel *c, bool wait, struct thread_order *out);
void thread_channel_give_back(struct thread_channel *c, void *item);

#endif
