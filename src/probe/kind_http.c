/*
 * The http and https probes: connect, one request, judge the answer while it arrives. The server may answer
 * before it has read the request, and reset the connection then: what arrived is judged first.
 */
#include <config.h>

#include "conf/keys.h"
#include "probe/kind.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { READS_A_TURN = 4, DAY_S = 86400 };

static bool
has_tls(const struct probe_run *run)
{
	return run->http.tls.ssl != NULL;
}

static void
http_judged(struct probe_run *run)
{
	const struct http_parser *p = &run->http.parser;
	bool wrong = p->reason == REASON_PROBE_OK && p->expect->whole && !body_expected(run);

	if (!wrong && p->reason == REASON_PROBE_OK && p->expect->to_end && http_reusable(p))
		idle_put(run);
	probe_finish(run, wrong ? REASON_HTTP_BODY : p->reason, p->status);
}

static void
http_broken(struct probe_run *run, int error)
{
	bool garbled = has_tls(run) && error == EPROTO;

	probe_finish(run, garbled ? REASON_TLS_FAILED : stream_reason(error, false), error);
}

static void http_connect(struct probe_run *run);

/*
 * A server may close a kept connection at any moment, also when the request is on its way already;
 * that says nothing of it. Once more on a new connection then, within the same deadline.
 */
static bool
http_once_more(struct probe_run *run)
{
	if (!run->http.reused || run->answer_ns != -1)
		return false;
	tls_end(&run->http.tls);
	sockets_give_back(run, false);
	http_connect(run);
	return true;
}

/* Reads what is there. True when the run is finished, or begins anew. */
static bool
http_read(struct probe_run *run)
{
	struct engine *e = run->engine;
	ssize_t n;
	int i;

	for (i = 0; i < READS_A_TURN; i++) {
		n = has_tls(run) ? tls_receive(&run->http.tls, e->read_buffer, READ_BYTES)
				 : recv(run->fd, e->read_buffer, READ_BYTES, 0);
		if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
			if (has_tls(run)) /* it read a record, which was no answer; there may be more */
				sockets_look_again(run);
			return false;
		}
		if (n == 0 && run->http.reset) { /* the kernel tells a reset once */
			n = -1;
			errno = ECONNRESET;
		}
		if (n <= 0 && http_once_more(run))
			return true;
		if (n == -1) {
			http_broken(run, errno);
			return true;
		}
		if (n > 0 && run->answer_ns == -1)
			run->answer_ns = run_age_ns(run);
		if (n > 0 && !body_reserve(run, (size_t)n)) {
			probe_finish(run, REASON_LOCAL_ERROR, ENOBUFS);
			return true;
		}
		if (n == 0)
			http_end(&run->http.parser);
		else if (!http_feed(&run->http.parser, e->read_buffer, (size_t)n))
			continue;
		http_judged(run);
		return true;
	}
	sockets_look_again(run);
	return false;
}

/* Writes what is left of the request. True when the run is finished. */
static bool
http_write(struct probe_run *run)
{
	struct http_run *h = &run->http;
	ssize_t n;

	while (h->request_sent < h->request_length) {
		const char *at = h->request + h->request_sent;
		size_t left = h->request_length - h->request_sent;

		n = has_tls(run) ? tls_send(&h->tls, at, left)
				 : send(run->fd, at, left, MSG_NOSIGNAL);
		if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
			stream_wait(run, EV_READ | EV_WRITE);
			return false;
		}
		if (n == -1 && (errno == EPIPE || errno == ECONNRESET)) {
			h->reset = true; /* it may have answered before */
			break;
		}
		if (n == -1) {
			http_broken(run, errno);
			return true;
		}
		h->request_sent += (uint32_t)n;
	}
	h->phase = PHASE_ANSWER;
	stream_wait(run, EV_READ);
	if (has_tls(run))
		sockets_look_again(run);
	return false;
}

/* The certificate was taken; will it be tomorrow? True when the run is finished. */
static bool
https_expires(struct probe_run *run)
{
	const struct conf_probe *p = &run->target->definition->probe;
	int64_t left_s;

	run->expires_s = tls_expires_s(&run->http.tls);
	left_s = run->expires_s - time(NULL);
	if (!p->expiry_fail || left_s >= (int64_t)p->expiry_warning_days * DAY_S)
		return false;
	snprintf(run->http.tls.said, sizeof(run->http.tls.said), "%lld days left",
		(long long)(left_s / DAY_S));
	probe_finish(run, REASON_TLS_EXPIRES, 0);
	return true;
}

static void
https_go_on(struct probe_run *run)
{
	struct http_run *h = &run->http;

	switch (tls_handshake(&h->tls)) {
	case TLS_WANTS_READ:
		stream_wait(run, EV_READ);
		sockets_look_again(run);
		return;
	case TLS_WANTS_WRITE:
		stream_wait(run, EV_WRITE);
		return;
	case TLS_REFUSED:
		probe_finish(run, h->tls.reason, h->tls.detail);
		return;
	case TLS_DONE:
		break;
	}
	if (https_expires(run))
		return;
	h->phase = PHASE_REQUEST;
	http_write(run);
}

/* The connection is there. */
static void
http_connected(struct probe_run *run)
{
	const struct target *t = run->target;
	struct http_run *h = &run->http;

	if (t->definition->tls == NULL) {
		h->phase = PHASE_REQUEST;
		http_write(run);
		return;
	}
	h->phase = PHASE_HANDSHAKE;
	if (tls_begin(&h->tls, t->definition->tls, run->fd, &t->definition->probe, &t->address))
		https_go_on(run);
	else
		probe_finish(run, REASON_LOCAL_ERROR, ENOMEM);
}

static void
http_connect(struct probe_run *run)
{
	run->http.phase = PHASE_CONNECT;
	run->http.request_sent = 0;
	run->http.reset = run->http.reused = false;
	if (stream_connect(run) == 1)
		http_connected(run);
}

static void
http_start(struct probe_run *run)
{
	const struct target *t = run->target;
	const struct conf_probe *p = &t->definition->probe;
	struct http_request request = {
		.path = p->path, .host = p->host, .to = &t->address, .version = PACKAGE_VERSION,
		.default_port = t->definition->tls != NULL ? 443 : 80,
		.method = words_method[p->method], .headers = p->headers,
		.keep_alive = p->keep_alive,
		.http_1_0 = strcmp(words_http_version[p->http_version], "1.0") == 0,
		.body = p->send.bytes, .body_length = p->send.length};
	struct http_run *h = &run->http;

	h->phase = PHASE_CONNECT;
	h->request_sent = 0;
	h->reset = h->reused = false;
	h->body = NULL;
	h->said[0] = '\0';
	memset(&h->tls, 0, sizeof(h->tls));
	http_begin(&h->parser, &t->definition->expect);
	h->request_length = (uint32_t)http_request_build(&request, h->request, sizeof(h->request));
	if (h->request_length == 0) {
		probe_finish(run, REASON_LOCAL_ERROR, EINVAL);
		return;
	}
	if (!idle_take(run))
		http_connect(run);
	else if (!has_tls(run) || !https_expires(run)) {
		h->reused = true;
		h->phase = PHASE_REQUEST;
		http_write(run);
	}
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
		h->reset = error != 0;
		http_connected(run);
		return;
	}
	if (h->phase == PHASE_HANDSHAKE) {
		https_go_on(run);
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
	if (run->http.phase == PHASE_HANDSHAKE)
		return REASON_TLS_TIMEOUT;
	return run->http.phase == PHASE_CONNECT ? REASON_TCP_TIMEOUT : REASON_HTTP_TIMEOUT;
}

static void
http_show(const struct probe_run *run, char out[HTTP_EVIDENCE])
{
	const char *said = run->http.tls.said[0] != '\0' ? run->http.tls.said : run->http.said;
	size_t i;

	http_evidence(&run->http.parser, out);
	if (said[0] == '\0')
		return;
	for (i = 0; said[i] != '\0'; i++) /* a name may hold anything */
		out[i] = said[i] >= ' ' && said[i] < 0x7f ? said[i] : '.';
	out[i] = '\0';
}

static void
http_release(struct probe_run *run)
{
	body_release(run);
	tls_end(&run->http.tls);
}

const struct probe_kind kind_http = {.start = http_start, .ready = http_ready,
	.silence = http_silence, .evidence = http_show, .release = http_release,
	.connects = true};
const struct probe_kind kind_https = {.start = http_start, .ready = http_ready,
	.silence = http_silence, .evidence = http_show, .release = http_release,
	.connects = true};
