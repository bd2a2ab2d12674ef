/*
 * The dns probe: one question over UDP, with an id of its own, and the first answer to it. Other
 * datagrams from the server's port are passed over, but not without end.
 */
#include "probe/kind.h"

#include <errno.h>
#include <string.h>

enum { STRAYS_MAX = 32 };

bool
dns_makes_sense(const struct conf_probe *p)
{
	struct dns_expect expect;
	struct dns_name name;

	return memchr(p->query, '\0', sizeof(p->query)) != NULL && dns_name_parse(p->query, &name) &&
		dns_expect_parse(conf_query_type(p->query_type), p->answer.bytes, p->answer.length,
			&expect);
}

void
dns_define(struct definition *d)
{
	const struct conf_probe *p = &d->probe;

	d->question.type = conf_query_type(p->query_type);
	dns_name_parse(p->query, &d->question.name);
	dns_expect_parse(d->question.type, p->answer.bytes, p->answer.length, &d->dns_expect);
	d->dns_expect.rcode = p->rcode;
}

static struct dns_question
question_of(const struct probe_run *run)
{
	struct dns_question question = run->target->definition->question;

	question.id = run->dns.id;
	return question;
}

static void
dns_start(struct probe_run *run)
{
	struct dns_question question;
	uint8_t bytes[DNS_QUERY_MAX];
	size_t length;

	run->dns.id = (uint16_t)(random_next(&run->engine->dns_ids) >> 48);
	run->dns.strays = 0;
	memset(run->dns.seen, 0, sizeof(run->dns.seen));
	question = question_of(run);
	length = dns_query_build(&question, bytes, sizeof(bytes));
	if (datagram_connect(run) == 0)
		datagram_send(run, bytes, length);
}

static void
dns_ready(struct probe_run *run, int events)
{
	const struct dns_question question = question_of(run);
	struct dns_verdict verdict;
	bool done;
	ssize_t n = datagram_receive(run, &done);

	(void)events;
	if (n == -1)
		return;
	dns_judge(&question, &run->target->definition->dns_expect, run->engine->read_buffer,
		(size_t)n, &verdict);
	if (verdict.reason == REASON_NONE && ++run->dns.strays < STRAYS_MAX)
		return;
	if (verdict.reason == REASON_NONE)
		verdict.reason = REASON_DNS_INVALID;
	memcpy(run->dns.seen, verdict.seen, sizeof(run->dns.seen));
	probe_finish(run, verdict.reason, verdict.rcode);
}

static enum reason
dns_silence(const struct probe_run *run)
{
	return run->dns.strays > 0 ? REASON_DNS_INVALID : REASON_ANSWER_TIMEOUT;
}

static void
dns_show(const struct probe_run *run, char out[HTTP_EVIDENCE])
{
	memcpy(out, run->dns.seen, DNS_SEEN);
}

_Static_assert((int)DNS_SEEN == (int)HTTP_EVIDENCE, "what is shown fits");

const struct probe_kind kind_dns = {.start = dns_start, .ready = dns_ready,
	.silence = dns_silence, .evidence = dns_show};
