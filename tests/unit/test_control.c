/*
 * The control socket against good, slow, greedy and rude clients: the server runs in this very
 * thread and must never block, so each step is "client does, loop turns, client looks".
 */
#include "control/client.h"
#include "control/server_internal.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { TURNS = 64, ANSWER_MS = 1000 };

struct bed {
	struct ev_loop *loop;
	struct control_server *server;
	struct logger log;
	char dir[64], path[96];
	uint64_t waiting;   /* client of the last reload request */
	size_t answer_size; /* of the status answer */
	double answer_ms;   /* it is that number; 0: it is a text */
	unsigned requests;
};

/* What stands behind the descriptor that came along. */
static void
tell_descriptor(struct control_client *client)
{
	int fd = control_take_descriptor(client);
	char text[16] = "";
	ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);

	assert_int_equal(control_take_descriptor(client), -1);
	if (fd != -1)
		close(fd);
	if (n >= 0)
		control_answer(client, json_pack("{s:s}", "text", text));
	else
		control_refuse(client, "no descriptor");
}

static void
on_request(void *context, struct control_client *client, const struct control_request *r)
{
	struct bed *b = context;
	char *blob;

	b->requests++;
	switch (r->command) {
	case CONTROL_STATUS:
		if (b->answer_ms > 0) {
			control_answer(client, json_pack("{s:f}", "ms", b->answer_ms));
			break;
		}
		blob = calloc(1, b->answer_size + 1);
		assert_non_null(blob);
		memset(blob, 'x', b->answer_size);
		control_answer(client, json_pack("{s:s}", "blob", blob));
		free(blob);
		break;
	case CONTROL_SWITCHOVER:
		control_refuse(client, "not active on this node");
		break;
	case CONTROL_EVENTS:
		if (r->follow)
			control_follow(client);
		control_answer(client, NULL);
		break;
	case CONTROL_RELOAD:
		b->waiting = control_wait(client);
		break;
	case CONTROL_PLAN:
		tell_descriptor(client);
		break;
	case CONTROL_DRAIN:
	case CONTROL_ENABLE:
	case CONTROL_DISABLE:
	case CONTROL_WEIGHT:
	case CONTROL_ADD:
	case CONTROL_REMOVE:
	case CONTROL_APPLY: /* takes no descriptor */
		control_answer(client, NULL);
		break;
	}
}

static int
bed_up(void **state)
{
	struct control_handlers handlers = {.request = on_request};
	struct bed *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	handlers.context = b;
	snprintf(b->dir, sizeof(b->dir), "/tmp/tandem-control-XXXXXX");
	if (!mkdtemp(b->dir))
		return -1;
	snprintf(b->path, sizeof(b->path), "%s/tandem.sock", b->dir);
	b->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	log_open(&b->log, 0, LOG_LEVEL_ERROR, "test"); /* warnings are not even built */
	*state = b;
	return control_server_start(b->loop, b->dir, &b->log, &handlers, &b->server);
}

static int
bed_down(void **state)
{
	struct bed *b = *state;
	struct stat st;
	int left;

	control_server_stop(b->server);
	left = stat(b->path, &st);
	rmdir(b->dir);
	ev_loop_destroy(b->loop);
	log_close(&b->log);
	free(b);
	return left == -1 ? 0 : -1; /* the socket must be gone */
}

static void
turn(struct bed *b)
{
	for (int i = 0; i < TURNS; i++)
		ev_run(b->loop, EVRUN_NOWAIT);
}

static int
knock(const struct bed *b)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(to.sun_path, b->path, strlen(b->path));
	assert_true(fd != -1);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What has come so far, as text; the end of file as "<end>". */
static void
hear(int fd, char *out, size_t capacity)
{
	size_t n = 0;

	for (;;) {
		ssize_t got = recv(fd, out + n, capacity - 8 - n, 0);

		if (got <= 0) {
			out[n] = '\0';
			if (got == 0)
				strcat(out, "<end>");
			return;
		}
		n += (size_t)got;
	}
}

static void
expect(struct bed *b, int fd, const char *text)
{
	char out[4096];

	turn(b);
	hear(fd, out, sizeof(out));
	assert_string_equal(out, text);
}

static void
is_for_its_owner_only(void **state)
{
	struct bed *b = *state;
	struct stat st;

	assert_int_equal(stat(b->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(control_server_set_group(b->server, "no-such-group-here"), -ENOENT);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	if (geteuid() != 0)
		return; /* the rest is for who may give files away */
	assert_int_equal(control_server_set_group(b->server, "daemon"), 0);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(control_server_set_group(b->server, ""), 0);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
replaces_a_stale_socket(void **state)
{
	struct bed *b = *state;
	struct control_handlers handlers = {.request = on_request, .context = b};
	struct control_server *second;

	/* as after a crash: the file is there, nobody listens */
	assert_int_equal(control_server_start(b->loop, b->dir, &b->log, &handlers, &second), 0);
	control_server_stop(b->server);
	b->server = NULL;
	control_server_stop(second);
	assert_int_equal(control_server_start(b->loop, b->dir, &b->log, &handlers, &b->server), 0);
}

static void
answers_and_refuses(void **state)
{
	struct bed *b = *state;
	int fd = knock(b);

	b->answer_size = 3;
	say(fd, "{\"command\":\"status\"}\n");
	expect(b, fd, "{\"ok\":true,\"result\":{\"blob\":\"xxx\"}}\n");
	say(fd, "{\"command\":\"switchover\"}\n");
	expect(b, fd, "{\"ok\":false,\"error\":\"not active on this node\"}\n");
	say(fd, "{\"command\":\"fly\"}\n"); /* a newer client: told so, and may go on */
	expect(b, fd, "{\"ok\":false,\"error\":\"no such command: fly\"}\n");
	say(fd, "{\"comm");
	expect(b, fd, "");
	say(fd, "and\":\"status\"}\n{\"command\":\"status\"}\n");
	expect(b, fd, "{\"ok\":true,\"result\":{\"blob\":\"xxx\"}}\n"
		"{\"ok\":true,\"result\":{\"blob\":\"xxx\"}}\n");
	close(fd);
	turn(b);
	assert_int_equal(control_server_stats(b->server).clients, 0);
}

/* Durations have three decimals, and no more digits than they were written with. */
static void
writes_numbers_as_they_are_said(void **state)
{
	struct bed *b = *state;
	int fd = knock(b);

	b->answer_ms = 0.099; /* 0.099000000000000005 to the nearest double */
	say(fd, "{\"command\":\"status\"}\n");
	expect(b, fd, "{\"ok\":true,\"result\":{\"ms\":0.099}}\n");
	b->answer_ms = 86400000.123;
	say(fd, "{\"command\":\"status\"}\n");
	expect(b, fd, "{\"ok\":true,\"result\":{\"ms\":86400000.123}}\n");
	close(fd);
}

static void
answers_before_the_end_of_file(void **state)
{
	struct bed *b = *state;
	int fd = knock(b);

	say(fd, "{\"command\":\"switchover\"}\n{\"command\":\"fly\"}\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect(b, fd, "{\"ok\":false,\"error\":\"not active on this node\"}\n"
		"{\"ok\":false,\"error\":\"no such command: fly\"}\n<end>");
	close(fd);
}

static void
answers_later(void **state)
{
	struct bed *b = *state;
	int fd = knock(b), other;

	say(fd, "{\"command\":\"reload\"}\n{\"command\":\"switchover\"}\n");
	expect(b, fd, ""); /* the second waits for the first's answer */
	assert_int_equal(b->requests, 1);
	other = knock(b);
	say(other, "{\"command\":\"switchover\"}\n"); /* others do not */
	expect(b, other, "{\"ok\":false,\"error\":\"not active on this node\"}\n");
	assert_non_null(control_find(b->server, b->waiting));
	control_answer(control_find(b->server, b->waiting), NULL);
	expect(b, fd, "{\"ok\":true,\"result\":{}}\n"
		"{\"ok\":false,\"error\":\"not active on this node\"}\n");
	close(fd);
	close(other);
	turn(b);
	assert_null(control_find(b->server, b->waiting));
}

static void
answers_garbage_once(void **state)
{
	struct bed *b = *state;
	char big[CONTROL_LINE_MAX + 512], out[4096];
	int fd = knock(b);

	say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	turn(b);
	hear(fd, out, sizeof(out));
	assert_memory_equal(out, "{\"ok\":false,", 12);
	assert_non_null(strstr(out, "}\n<end>")); /* one line, and good-bye */
	assert_ptr_equal(strchr(out, '\n'), strrchr(out, '\n'));
	close(fd);
	fd = knock(b);
	memset(big, 'x', sizeof(big));
	assert_true(send(fd, big, sizeof(big), MSG_NOSIGNAL) > 0);
	turn(b);
	/* A socket closed with unread input is reset: the answer was sent all the same. */
	hear(fd, out, sizeof(out));
	assert_non_null(strstr(out, "a request is at most 8 KiB"));
	close(fd);
	assert_int_equal(control_server_stats(b->server).garbage, 2);
	assert_int_equal(control_server_stats(b->server).clients, 0);
	assert_int_equal(b->requests, 0);
}

static void
takes_the_longest_line(void **state)
{
	struct bed *b = *state;
	static char line[CONTROL_LINE_MAX + 2];
	int fd = knock(b);

	memset(line, ' ', CONTROL_LINE_MAX);
	memcpy(line, "{\"command\":\"switchover\"}", 24);
	line[CONTROL_LINE_MAX] = '\n';
	say(fd, line);
	expect(b, fd, "{\"ok\":false,\"error\":\"not active on this node\"}\n");
	close(fd);
}

static void
does_not_wait_for_a_slow_reader(void **state)
{
	struct bed *b = *state;
	int slow = knock(b), quick = knock(b);
	char *out = malloc(8 << 20);
	size_t got = 0;
	size_t expected = 2 * ((4 << 20) + strlen("{\"ok\":true,\"result\":{\"blob\":\"\"}}\n"));

	assert_non_null(out);
	b->answer_size = 4 << 20; /* more than any socket buffer takes */
	say(slow, "{\"command\":\"status\"}\n{\"command\":\"status\"}\n");
	turn(b);
	assert_int_equal(b->requests, 1); /* the second stays in the socket */
	say(quick, "{\"command\":\"switchover\"}\n");
	expect(b, quick, "{\"ok\":false,\"error\":\"not active on this node\"}\n");
	for (int i = 0; i < 4096 && got < expected; i++) {
		ssize_t n = recv(slow, out, 8 << 20, 0);

		got += n > 0 ? (size_t)n : 0;
		turn(b);
	}
	assert_int_equal(b->requests, 3);
	assert_int_equal(got, expected);
	free(out);
	close(slow);
	close(quick);
}

static void
streams_to_followers(void **state)
{
	struct bed *b = *state;
	json_t *event = json_pack("{s:i}", "event", 7);
	int follower = knock(b), other = knock(b);

	assert_false(control_has_followers(b->server));
	say(follower, "{\"command\":\"events\",\"follow\":true}\n");
	say(other, "{\"command\":\"events\"}\n");
	expect(b, follower, "{\"ok\":true,\"result\":{}}\n");
	expect(b, other, "{\"ok\":true,\"result\":{}}\n");
	assert_true(control_has_followers(b->server));
	control_broadcast(b->server, event);
	control_broadcast(b->server, event);
	expect(b, follower, "{\"event\":7}\n{\"event\":7}\n");
	expect(b, other, "");
	close(follower);
	turn(b);
	assert_false(control_has_followers(b->server));
	json_decref(event);
	close(other);
}

static void
drops_a_follower_that_does_not_read(void **state)
{
	struct bed *b = *state;
	char text[1001];
	json_t *event;
	int dead = knock(b), alive = knock(b);
	char *out = malloc(1 << 20);

	assert_non_null(out);
	memset(text, 'e', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	event = json_pack("{s:s}", "event", text);
	say(dead, "{\"command\":\"events\",\"follow\":true}\n");
	say(alive, "{\"command\":\"events\",\"follow\":true}\n");
	turn(b);
	for (int i = 0; i < 4000; i++) {
		control_broadcast(b->server, event);
		if (i % 64 == 0)
			turn(b);
		while (recv(alive, out, 1 << 20, 0) > 0)
			continue;
	}
	assert_int_equal(control_server_stats(b->server).clients, 1);
	assert_int_equal(control_server_stats(b->server).dropped, 1);
	json_decref(event);
	free(out);
	close(dead);
	close(alive);
}

/* Everybody is looked at as if it were that much later. */
static void
sweep_in(struct bed *b, int64_t seconds)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (b->server->clients[i])
			control_client_check_idle(b->server->clients[i],
				mono_add_ns(mono_now(), seconds * NS_PER_S));
}

static void
shows_idlers_the_door(void **state)
{
	struct bed *b = *state;
	int idle = knock(b), half = knock(b), follower = knock(b), waiting = knock(b);

	say(half, "{\"command\":");
	say(follower, "{\"command\":\"events\",\"follow\":true}\n");
	say(waiting, "{\"command\":\"reload\"}\n");
	turn(b);
	sweep_in(b, CONTROL_IDLE_S - 1);
	assert_int_equal(control_server_stats(b->server).clients, 4);
	sweep_in(b, CONTROL_IDLE_S + 1);
	assert_int_equal(control_server_stats(b->server).clients, 2);
	expect(b, idle, "<end>");
	expect(b, half, "<end>");
	expect(b, follower, "{\"ok\":true,\"result\":{}}\n");
	expect(b, waiting, "");
	close(idle);
	close(half);
	close(follower);
	close(waiting);
}

static void
admits_so_many_and_no_more(void **state)
{
	struct bed *b = *state;
	int fds[CONTROL_CLIENTS], one_more;

	for (int i = 0; i < CONTROL_CLIENTS; i++)
		fds[i] = knock(b);
	turn(b);
	one_more = knock(b);
	expect(b, one_more, "{\"ok\":false,\"error\":\"too many control clients\"}\n<end>");
	close(one_more);
	say(fds[CONTROL_CLIENTS - 1], "{\"command\":\"switchover\"}\n");
	expect(b, fds[CONTROL_CLIENTS - 1], "{\"ok\":false,\"error\":\"not active on this node\"}\n");
	close(fds[3]);
	turn(b);
	fds[3] = knock(b);
	say(fds[3], "{\"command\":\"switchover\"}\n");
	expect(b, fds[3], "{\"ok\":false,\"error\":\"not active on this node\"}\n");
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		close(fds[i]);
}

static void
serves_our_own_client(void **state)
{
	struct bed *b = *state;
	struct control_link link;
	json_t *request = json_pack("{s:s}", "command", "switchover"), *answer;

	assert_int_equal(control_link_open(&link, "/nonexistent"), -ENOENT);
	assert_int_equal(control_link_open(&link, b->dir), 0);
	assert_int_equal(control_link_receive(&link, 10, &answer), -ETIMEDOUT);
	assert_int_equal(control_link_send(&link, request), 0);
	turn(b);
	assert_int_equal(control_link_receive(&link, ANSWER_MS, &answer), 0);
	assert_string_equal(json_string_value(json_object_get(answer, "error")),
		"not active on this node");
	json_decref(answer);
	json_decref(request);
	control_server_stop(b->server);
	b->server = NULL;
	assert_int_equal(control_link_receive(&link, ANSWER_MS, &answer), -EPIPE);
	control_link_close(&link);
}

/* A pipe whose reading end holds a text; *writer stays open. */
static int
pipe_with(const char *text, int *writer)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
	*writer = ends[1];
	return ends[0];
}

/* Nobody has the reading end any more. */
static bool
is_orphan(int writer)
{
	struct pollfd p = {.fd = writer};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

static void
send_with(int to, const char *text, const int *fds, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control = {.bytes = ""};
	struct iovec from = {.iov_base = (char *)(uintptr_t)text, .iov_len = strlen(text)};
	struct msghdr m = {.msg_iov = &from, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(count * sizeof(int))};

	control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(count * sizeof(int))};
	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	assert_int_equal(sendmsg(to, &m, MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void
takes_one_descriptor_a_request(void **state)
{
	static const char plan[] = "{\"command\":\"plan\",\"file\":\"/f\"}\n";
	struct bed *b = *state;
	int fd = knock(b), fds[4], writers[4];

	say(fd, plan);
	expect(b, fd, "{\"ok\":false,\"error\":\"no descriptor\"}\n");
	for (int i = 0; i < 4; i++)
		fds[i] = pipe_with(i == 0 ? "first" : "other", &writers[i]);
	send_with(fd, plan, fds, 4);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	expect(b, fd, "{\"ok\":true,\"result\":{\"text\":\"first\"}}\n");
	for (int i = 0; i < 4; i++) {
		assert_true(is_orphan(writers[i])); /* used and surplus ones are closed */
		close(writers[i]);
	}
	say(fd, plan); /* it is not there a second time */
	expect(b, fd, "{\"ok\":false,\"error\":\"no descriptor\"}\n");
	close(fd);
}

static void
closes_unwanted_descriptors(void **state)
{
	static const char *const lines[] = {"{\"command\":\"apply\"}\n", "{\"command\":\"fly\"}\n",
		"rubbish\n", "{\"half"};
	struct bed *b = *state;
	char out[4096];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int fd = knock(b), writer, reader = pipe_with("x", &writer);

		send_with(fd, lines[i], &reader, 1);
		close(reader);
		turn(b);
		hear(fd, out, sizeof(out));
		assert_int_equal(is_orphan(writer), i < 3); /* half a line: still to be used */
		close(fd);
		turn(b);
		assert_true(is_orphan(writer));
		close(writer);
	}
}

static void
gets_a_descriptor_from_our_own_client(void **state)
{
	struct bed *b = *state;
	struct control_link link;
	json_t *request = json_pack("{s:s, s:s}", "command", "plan", "file", "/f"), *answer;
	int writer, reader = pipe_with("packed", &writer);

	assert_int_equal(control_link_open(&link, b->dir), 0);
	assert_int_equal(control_link_send_with(&link, request, reader), 0);
	turn(b);
	assert_int_equal(control_link_receive(&link, ANSWER_MS, &answer), 0);
	assert_string_equal(json_string_value(json_object_get(json_object_get(answer, "result"),
		"text")), "packed");
	json_decref(answer);
	assert_int_equal(control_link_send(&link, request), 0);
	turn(b);
	assert_int_equal(control_link_receive(&link, ANSWER_MS, &answer), 0);
	assert_true(json_is_false(json_object_get(answer, "ok")));
	json_decref(answer);
	json_decref(request);
	control_link_close(&link);
	close(reader);
	close(writer);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bed_up, bed_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(is_for_its_owner_only),
		CASE(replaces_a_stale_socket),
		CASE(answers_and_refuses),
		CASE(writes_numbers_as_they_are_said),
		CASE(answers_before_the_end_of_file),
		CASE(answers_later),
		CASE(answers_garbage_once),
		CASE(takes_the_longest_line),
		CASE(does_not_wait_for_a_slow_reader),
		CASE(streams_to_followers),
		CASE(drops_a_follower_that_does_not_read),
		CASE(shows_idlers_the_door),
		CASE(admits_so_many_and_no_more),
		CASE(serves_our_own_client),
		CASE(takes_one_descriptor_a_request),
		CASE(closes_unwanted_descriptors),
		CASE(gets_a_descriptor_from_our_own_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
