/*
 * The tcp probe: the server, or with half_open its kernel alone, takes a connection; and, where
 * that is asked, takes a text and says one that holds what is expected.
 */
#include "probe/kind.h"

#include <errno.h>
#include <sys/socket.h>

enum { READS_A_TURN = 4 };

/* Is there an answer to wait for? */
static bool
reads(const struct probe_run *run)
{
	const struct definition *d = run->target->definition;

	return d->kind->judge != NULL && (d->kind != &kind_tcp || d->probe.answer.length != 0);
}

/* Everything was sent. */
static void
tcp_sent(struct probe_run *run)
{
	if (!reads(run))
		probe_finish(run, REASON_PROBE_OK, 0);
	else
		stream_wait(run, EV_READ);
}

/* Sends what is left. The server may have answered before, so a reset is told by reading. */
static void
tcp_write(struct probe_run *run)
{
	const struct conf_bytes *bytes = &run->target->definition->probe.send;
	struct tcp_run *t = &run->tcp;
	ssize_t n;

	while (t->sent < bytes->length && !t->reset) {
		n = send(run->fd, bytes->bytes + t->sent, (size_t)(bytes->length - t->sent),
			MSG_NOSIGNAL);
		if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
			stream_wait(run, EV_READ | EV_WRITE);
			return;
		}
		if (n == -1 && errno != EPIPE && errno != ECONNRESET) {
			probe_finish(run, stream_reason(errno, false), errno);
			return;
		}
		t->reset = n == -1;
		t->sent = (uint16_t)(t->sent + (n == -1 ? 0 : n));
	}
	if (t->reset && !reads(run))
		probe_finish(run, REASON_TCP_RESET, ECONNRESET);
	else
		tcp_sent(run);
}

/* The server says no more. */
static void
tcp_end(struct probe_run *run, int error)
{
	if (error == 0 && run->tcp.reset) /* the kernel tells a reset once */
		error = ECONNRESET;
	if (error == 0)
		probe_finish(run, REASON_ANSWER_CLOSED, 0);
	else
		probe_finish(run, stream_reason(error, false), error);
}

/* Reads what is there. True when the run is finished. */
static bool
tcp_read(struct probe_run *run)
{
	struct engine *e = run->engine;
	struct answer *answer = &run->tcp.answer;
	enum reason reason;
	ssize_t n;
	int i;

	for (i = 0; i < READS_A_TURN; i++) {
		n = recv(run->fd, e->read_buffer, sizeof(e->read_buffer), 0);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n <= 0) {
			tcp_end(run, n == 0 ? 0 : errno);
			return true;
		}
		if (run->answer_ns == -1)
			run->answer_ns = run_age_ns(run);
		answer_add(answer, e->read_buffer, (size_t)n);
		reason = reads(run) ? run->target->definition->kind->judge(run) : REASON_NONE;
		if (reason != REASON_NONE) {
			probe_finish(run, reason, 0);
			return true;
		}
	}
	sockets_look_again(run);
	return false;
}

/* REASON_NONE: there may come more. */
static enum reason
tcp_judge(const struct probe_run *run)
{
	const struct answer *answer = &run->tcp.answer;

	if (answer_holds(answer, &run->target->definition->probe.answer))
		return REASON_PROBE_OK;
	return answer->length == sizeof(answer->bytes) ? REASON_ANSWER_WRONG : REASON_NONE;
}

void
tcp_start(struct probe_run *run)
{
	run->tcp.connected = run->tcp.reset = false;
	run->tcp.sent = run->tcp.answer.length = 0;
	if (stream_connect(run) != 1)
		return;
	run->tcp.connected = true;
	tcp_write(run);
}

void
tcp_ready(struct probe_run *run, int events)
{
	int error;

	if (run->tcp.connected) {
		if ((events & EV_READ) == 0 || !tcp_read(run))
			if ((events & EV_WRITE) != 0)
				tcp_write(run);
		return;
	}
	error = stream_connected(run);
	/* accepted, answered and reset before we came to look: read on */
	run->tcp.reset = reads(run) && (error == ECONNRESET || error == EPIPE);
	if (error != 0 && !run->tcp.reset) {
		probe_finish(run, stream_reason(error, false), error);
		return;
	}
	run->tcp.connected = true;
	tcp_write(run);
}

enum reason
tcp_silence(const struct probe_run *run)
{
	return run->tcp.connected ? REASON_ANSWER_TIMEOUT : REASON_TCP_TIMEOUT;
}

static void
tcp_show(const struct probe_run *run, char out[HTTP_EVIDENCE])
{
	answer_show(&run->tcp.answer, out);
}

const struct probe_kind kind_tcp = {.start = tcp_start, .ready = tcp_ready,
	.silence = tcp_silence, .evidence = tcp_show, .judge = tcp_judge, .connects = true};
