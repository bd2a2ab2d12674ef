/* Channels: what goes in comes out, whole or not at all, with its descriptor, and never blocks. */
#include "ipc/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int
pair_up(void **state)
{
	static int ends[2];

	*state = ends;
	return channel_pair(ends);
}

static int
pair_down(void **state)
{
	int *ends = *state;

	close(ends[0]);
	if (ends[1] != -1)
		close(ends[1]);
	return 0;
}

static void
carries_kind_and_payload(void **state)
{
	int *ends = *state;
	struct channel_message m;
	uint64_t sent = 0x1122334455667788;

	assert_int_equal(channel_receive(ends[1], &m), 0);
	assert_int_equal(channel_send(ends[0], 7, &sent, sizeof(sent), -1), 0);
	assert_int_equal(channel_send(ends[0], 8, NULL, 0, -1), 0);
	assert_int_equal(channel_receive(ends[1], &m), 1);
	assert_int_equal(m.kind, 7);
	assert_int_equal(m.fd, -1);
	assert_null(channel_payload(&m, 4));
	assert_non_null(channel_payload(&m, 8));
	assert_memory_equal(channel_payload(&m, 8), &sent, 8);
	assert_int_equal(channel_receive(ends[1], &m), 1);
	assert_int_equal(m.kind, 8);
	assert_int_equal(m.size, 0);
	assert_non_null(channel_payload(&m, 0));
	assert_int_equal(channel_receive(ends[1], &m), 0);
}

static void
carries_a_descriptor(void **state)
{
	int *ends = *state;
	int tube[2];
	struct channel_message m;
	char c = 'x';

	assert_int_equal(pipe(tube), 0);
	assert_int_equal(channel_send(ends[0], 1, NULL, 0, tube[1]), 0);
	close(tube[1]);
	assert_int_equal(channel_receive(ends[1], &m), 1);
	assert_true(m.fd >= 0);
	assert_true(fcntl(m.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(m.fd, &c, 1), 1);
	close(m.fd);
	c = 0;
	assert_int_equal(read(tube[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	assert_int_equal(read(tube[0], &c, 1), 0); /* no copy of the write end was kept */
	close(tube[0]);
}

static void
takes_the_largest_and_refuses_more(void **state)
{
	int *ends = *state;
	static uint8_t big[CHANNEL_PAYLOAD_MAX + 1];
	struct channel_message m;

	memset(big, 0xa5, sizeof(big));
	assert_int_equal(channel_send(ends[0], 1, big, CHANNEL_PAYLOAD_MAX, -1), 0);
	assert_int_equal(channel_send(ends[0], 1, big, sizeof(big), -1), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(channel_receive(ends[1], &m), 1);
	assert_non_null(channel_payload(&m, CHANNEL_PAYLOAD_MAX));
	assert_memory_equal(m.payload, big, CHANNEL_PAYLOAD_MAX);
}

static void
tells_of_what_is_malformed(void **state)
{
	int *ends = *state;
	static uint8_t big[CHANNEL_PAYLOAD_MAX + 64];
	struct channel_message m;

	assert_int_equal(send(ends[0], "ab", 2, 0), 2);
	assert_int_equal(send(ends[0], big, sizeof(big), 0), (ssize_t)sizeof(big));
	assert_int_equal(channel_send(ends[0], 9, NULL, 0, -1), 0);
	for (int i = 0; i < 2; i++) {
		m.kind = 9;
		assert_int_equal(channel_receive(ends[1], &m), 1);
		assert_int_equal(m.kind, CHANNEL_MALFORMED);
		assert_int_equal(m.size, 0);
		assert_int_equal(m.fd, -1);
	}
	assert_int_equal(channel_receive(ends[1], &m), 1);
	assert_int_equal(m.kind, 9);
	assert_int_equal(channel_receive(ends[1], &m), 0);
}

static void
closes_surplus_descriptors(void **state)
{
	int *ends = *state;
	int tube[2];
	uint32_t kind = 3;
	struct iovec iov = {&kind, sizeof(kind)};
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr aligned;
	} space;
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &space,
		.msg_controllen = sizeof(space)};
	struct cmsghdr *c;
	struct channel_message m;
	char byte;

	assert_int_equal(pipe(tube), 0);
	memset(&space, 0, sizeof(space));
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), &tube[1], sizeof(int));
	memcpy(CMSG_DATA(c) + sizeof(int), &tube[1], sizeof(int));
	assert_int_equal(sendmsg(ends[0], &msg, 0), (ssize_t)sizeof(kind));
	close(tube[1]);
	assert_int_equal(channel_receive(ends[1], &m), 1);
	assert_int_equal(m.kind, CHANNEL_MALFORMED);
	assert_int_equal(m.fd, -1);
	assert_int_equal(read(tube[0], &byte, 1), 0); /* both copies are closed */
	close(tube[0]);
}

static void
never_blocks_and_loses_nothing_it_took(void **state)
{
	int *ends = *state;
	uint64_t taken = 0, got = 0;
	struct channel_message m;

	while (taken < 1000000 && channel_send(ends[0], 1, &taken, sizeof(taken), -1) == 0)
		taken++;
	assert_int_equal(errno, EAGAIN);
	assert_true(taken >= 64);
	while (channel_receive(ends[1], &m) == 1) {
		assert_memory_equal(channel_payload(&m, sizeof(got)), &got, sizeof(got));
		got++;
	}
	assert_int_equal(got, taken);
}

static void
tells_that_the_other_is_gone(void **state)
{
	int *ends = *state;
	struct channel_message m;

	/* last words are heard, even when it left ours unread */
	assert_int_equal(channel_send(ends[1], 5, NULL, 0, -1), 0);
	assert_int_equal(channel_send(ends[0], 6, NULL, 0, -1), 0);
	close(ends[1]);
	ends[1] = -1;
	assert_int_equal(channel_receive(ends[0], &m), 1);
	assert_int_equal(m.kind, 5);
	assert_int_equal(channel_receive(ends[0], &m), -1);
	assert_int_equal(channel_send(ends[0], 1, NULL, 0, -1), -1);
	assert_int_equal(errno, EPIPE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(carries_kind_and_payload, pair_up, pair_down),
		cmocka_unit_test_setup_teardown(carries_a_descriptor, pair_up, pair_down),
		cmocka_unit_test_setup_teardown(takes_the_largest_and_refuses_more, pair_up,
			pair_down),
		cmocka_unit_test_setup_teardown(tells_of_what_is_malformed, pair_up, pair_down),
		cmocka_unit_test_setup_teardown(closes_surplus_descriptors, pair_up, pair_down),
		cmocka_unit_test_setup_teardown(never_blocks_and_loses_nothing_it_took, pair_up,
			pair_down),
		cmocka_unit_test_setup_teardown(tells_that_the_other_is_gone, pair_up, pair_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
