/*
 * The http probe: connect, one request, judge the answer while it arrives. The server may answer
 * before it has read the request, and reset the connection then: what arrived is judged first.
 */
#include <config.h>

#include "probe/kind.h"

#include <errno.h>
#include <sys/socket.h>

enum { READS_A_TURN = 4 };

static void
http_judged(struct probe_run *run)
{
	probe_finish(run, run->http.parser.reason, run->http.parser.status);
}

/* Reads what is there. True when the run is finished. */
static bool
http_read(struct probe_run *run)
{
	struct engine *e = run->engine;
	ssize_t n;
	int i;

	for (i = 0; i < READS_A_TURN; i++) {
		n = recv(run->fd, e->read_buffer, sizeof(e->read_buffer), 0);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n == 0 && run->http.reset) { /* the kernel tells a reset once */
			n = -1;
			errno = ECONNRESET;
		}
		if (n == -1) {
			probe_finish(run, stream_reason(errno, false), errno);
			return true;
		}
		if (n > 0 && run->answer_ns == -1)
			run->answer_ns = run_age_ns(run);
		if (n == 0)
			http_end(&run->http.parser);
		else if (!http_feed(&run->http.parser, e->read_buffer, (size_t)n))
			continue;
		http_judged(run);
		return true;
	}
	return false;
}

/* Writes what is left of the request. True when the run is finished. */
static bool
http_write(struct probe_run *run)
{
	struct http_run *h = &run->http;
	ssize_t n;

	while (h->request_sent < h->request_length) {
		n = send(run->fd, h->request + h->request_sent,
			h->request_length - h->request_sent, MSG_NOSIGNAL);
		if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
			stream_wait(run, EV_READ | EV_WRITE);
			return false;
		}
		if (n == -1 && (errno == EPIPE || errno == ECONNRESET)) {
			h->reset = true; /* it may have answered before */
			break;
		}
		if (n == -1) {
			probe_finish(run, stream_reason(errno, false), errno);
			return true;
		}
		h->request_sent += (uint32_t)n;
	}
	h->phase = PHASE_ANSWER;
	stream_wait(run, EV_READ);
	return false;
}

static void
http_start(struct probe_run *run)
{
	const struct target *t = run->target;
	const struct conf_probe *p = &t->definition->probe;
	struct http_request request = {
		.path = p->path, .host = p->host, .to = &t->address, .version = PACKAGE_VERSION};
	struct http_run *h = &run->http;

	h->phase = PHASE_CONNECT;
	h->request_sent = 0;
	h->reset = false;
	http_begin(&h->parser, &t->definition->expect);
	h->request_length = (uint32_t)http_request_build(&request, h->request, sizeof(h->request));
	if (h->request_length == 0) {
		probe_finish(run, REASON_LOCAL_ERROR, EINVAL);
		return;
	}
	if (stream_connect(run) != 1)
		return;
	h->phase = PHASE_REQUEST;
	http_write(run);
}

static void
http_ready(struct probe_run *run, int events)
{
	struct http_run *h = &run->http;
	int error;

	if (h->phase == PHASE_CONNECT) {
		error = stream_connected(run);
		/* accepted, answered and reset before we came to look: read on */
		if (error != 0 && error != ECONNRESET && error != EPIPE) {
			probe_finish(run, stream_reason(error, false), error);
			return;
		}
		h->phase = PHASE_REQUEST;
		h->reset = error != 0;
		http_write(run);
		return;
	}
	if ((events & EV_READ) != 0 && http_read(run))
		return;
	if (h->phase == PHASE_REQUEST && (events & EV_WRITE) != 0)
		http_write(run);
}

static enum reason
http_silence(const struct probe_run *run)
{
	return run->http.phase == PHASE_CONNECT ? REASON_TCP_TIMEOUT : REASON_HTTP_TIMEOUT;
}

static void
http_show(const struct probe_run *run, char out[HTTP_EVIDENCE])
{
	http_evidence(&run->http.parser, out);
}

const struct probe_kind kind_http = {.start = http_start, .ready = http_ready,
	.silence = http_silence, .evidence = http_show};
