/*
 * The egress fence in a real kernel: what passes the hook while a number may speak, what does not
 * when its time is over, and what a second and a stranger's table notice of it.
 */
#include "bed.h"

#include "base/mono.h"
#include "linux/fence.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WEB = 7, MAIL = 8, HUGE_MS = 60000 };
/* Frames of every kind that can speak for an address; each carries its bit at its end. */
enum { ARP = 1, V4 = 2, V6 = 4, ADVERT = 8, BLOCK4 = 16, BLOCK6 = 32, OTHER = 64, MAIL4 = 128 };
enum { OF_WEB = ARP | V4 | V6 | ADVERT | BLOCK4 | BLOCK6, ALWAYS = OTHER };
static const char name[] = "tandem-test";

struct ends {
	int out, in; /* packet sockets: v0 here, v1 there */
};

static int
packet_socket(int ifindex)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = ifindex};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));

	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static struct ends
open_ends(const struct bed *bed)
{
	struct ends e = {.out = packet_socket(bed->v0)};

	bed_enter(bed->there);
	e.in = packet_socket(bed->v1);
	bed_enter(bed->here);
	return e;
}

static void
close_ends(const struct ends *e)
{
	close(e->out);
	close(e->in);
}

/* `family` 0: ARP. */
static void
send_frame(int fd, int family, const char *source, const char *target, uint8_t bit)
{
	uint8_t frame[14 + 64 + 1] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1};
	uint8_t *net = frame + 14;
	uint16_t protocol = ETH_P_ARP;

	if (family == 0) {
		memcpy(net, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1}, 14);
		assert_int_equal(inet_pton(AF_INET, source, net + 14), 1);
	} else if (family == AF_INET) {
		protocol = ETH_P_IP;
		memcpy(net, (uint8_t[]){0x45, 0, 0, 65, 0, 0, 0, 0, 64, 253}, 10);
		assert_int_equal(inet_pton(AF_INET, source, net + 12), 1);
	} else {
		protocol = ETH_P_IPV6;
		memcpy(net, (uint8_t[]){0x60, 0, 0, 0, 0, 25, 59, 255}, 8);
		assert_int_equal(inet_pton(AF_INET6, source, net + 8), 1);
		if (target) {
			net[6] = 58;
			net[40] = 136;
			assert_int_equal(inet_pton(AF_INET6, target, net + 48), 1);
		}
	}
	frame[12] = (uint8_t)(protocol >> 8);
	frame[13] = (uint8_t)protocol;
	frame[sizeof(frame) - 1] = bit;
	if (send(fd, frame, sizeof(frame), 0) == -1)
		assert_int_equal(errno, ENOBUFS); /* dropped on the way out: the sender is told */
}

/* The kinds of frames that arrive at the other end. */
static unsigned
heard(const struct ends *e)
{
	struct pollfd p = {.fd = e->in, .events = POLLIN};
	uint8_t frame[256];
	unsigned kinds = 0;
	ssize_t n;

	while (recv(e->in, frame, sizeof(frame), 0) > 0)
		; /* of earlier */
	send_frame(e->out, 0, "10.9.0.100", NULL, ARP);
	send_frame(e->out, AF_INET, "10.9.0.100", NULL, V4);
	send_frame(e->out, AF_INET6, "fd00:9::100", NULL, V6);
	send_frame(e->out, AF_INET6, "fd00:9::100", "fd00:9::100", ADVERT);
	send_frame(e->out, AF_INET, "10.10.255.255", NULL, BLOCK4);
	send_frame(e->out, AF_INET6, "fd00:a::1", NULL, BLOCK6);
	send_frame(e->out, AF_INET, "10.9.0.101", NULL, MAIL4);
	send_frame(e->out, AF_INET, "10.9.0.1", NULL, OTHER);
	while ((kinds & ALWAYS) == 0 && poll(&p, 1, 1000) == 1)
		while ((n = recv(e->in, frame, sizeof(frame), 0)) > 0)
			if (n == 14 + 64 + 1 && frame[6] == 2)
				kinds |= frame[n - 1];
	return kinds;
}

static void
guard(struct fence_plan *plan, const char *text, uint32_t number)
{
	struct fence_guard *g = &plan->guards[plan->guard_count++];

	assert_true(ip_prefix_parse(text, &g->prefix));
	g->number = number;
}

static struct fence_plan *
plan_for(const char *interface)
{
	struct fence_plan *plan = fence_plan_new(1, 8, 2);

	assert_non_null(plan);
	strcpy(plan->interfaces[plan->interface_count++], interface);
	guard(plan, "10.9.0.100/32", WEB);
	guard(plan, "fd00:9::100/128", WEB);
	guard(plan, "10.10.0.0/16", WEB);
	guard(plan, "10.11.0.0/16", WEB); /* begins where the other ends */
	guard(plan, "fd00:a::/32", WEB);
	guard(plan, "255.255.255.0/24", MAIL); /* there is nothing after it */
	guard(plan, "10.9.0.101/32", MAIL);
	return plan;
}

/* One address of two routers: the kernel takes nothing of it. */
static struct fence_plan *
contradiction(void)
{
	struct fence_plan *plan = plan_for("v0");

	guard(plan, "10.9.0.100/32", MAIL);
	return plan;
}

static struct fence_table *
open_table(void)
{
	struct fence_table *t;

	assert_int_equal(fence_table_open(name, &t), 0);
	return t;
}

static void
sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		;
}

static void
test_speaks_while_open(void **state)
{
	struct fence_table *t = open_table();
	struct fence_plan *plan = plan_for("v0");
	struct ends e = open_ends(*state);
	struct fence_item web = {.number = WEB, .ms = HUGE_MS};

	assert_int_equal(heard(&e), OF_WEB | MAIL4 | ALWAYS); /* no table yet */
	assert_false(fence_table_exists(t));
	assert_int_equal(fence_table_build(t, plan), 0);
	assert_true(fence_table_exists(t));
	assert_int_equal(heard(&e), ALWAYS);
	assert_int_equal(fence_table_add(t, &web), 0);
	assert_int_equal(heard(&e), OF_WEB | ALWAYS);
	assert_int_equal(fence_table_keep(t, &web, 1), 0);
	assert_int_equal(heard(&e), OF_WEB | ALWAYS);
	assert_int_equal(fence_table_delete(t, WEB), 0);
	assert_int_equal(heard(&e), ALWAYS);
	assert_int_equal(fence_table_delete(t, WEB), -ENOENT);
	assert_int_equal(fence_table_remove(t), 0);
	assert_int_equal(heard(&e), OF_WEB | MAIL4 | ALWAYS);
	assert_int_equal(fence_table_remove(t), -ENOENT);
	fence_plan_free(plan);
	close_ends(&e);
	fence_table_close(t);
}

/* Silent by itself when its time is over, and a renewal that comes too late does not revive it. */
static void
test_time_runs_out(void **state)
{
	struct fence_table *t = open_table();
	struct fence_plan *plan = plan_for("v0");
	struct ends e = open_ends(*state);
	struct fence_item both[] = {{.number = WEB, .ms = 150}, {.number = MAIL, .ms = HUGE_MS}};
	mono begun;

	plan->open[plan->open_count++] = both[0];
	plan->open[plan->open_count++] = both[1];
	assert_int_equal(fence_table_build(t, plan), 0);
	begun = mono_now();
	for (int i = 0; i < 6; i++) {
		sleep_ms(50);
		assert_int_equal(fence_table_keep(t, both, 2), 0);
	}
	assert_int_equal(heard(&e), OF_WEB | MAIL4 | ALWAYS);
	assert_true(mono_diff_ns(mono_now(), begun) > 290 * NS_PER_MS);
	begun = mono_now();
	assert_int_equal(fence_table_keep(t, both, 2), 0);
	while (heard(&e) & OF_WEB)
		;
	assert_true(mono_diff_ns(mono_now(), begun) > 140 * NS_PER_MS);
	assert_true(mono_diff_ns(mono_now(), begun) < 250 * NS_PER_MS);
	assert_int_equal(fence_table_keep(t, both, 2), -ENOENT);
	assert_int_equal(heard(&e), MAIL4 | ALWAYS); /* all or nothing */
	assert_int_equal(fence_table_keep(t, &both[1], 1), 0);
	assert_int_equal(fence_table_add(t, &both[0]), 0);
	assert_int_equal(heard(&e), OF_WEB | MAIL4 | ALWAYS);
	assert_int_equal(fence_table_remove(t), 0);
	fence_plan_free(plan);
	close_ends(&e);
	fence_table_close(t);
}

static void
test_refusals(void **state)
{
	struct fence_table *t = open_table();
	struct fence_plan *plan = contradiction();
	struct fence_item web = {.number = WEB, .ms = HUGE_MS};

	(void)state;
	assert_int_equal(fence_table_build(t, plan), -EEXIST);
	assert_false(fence_table_exists(t));
	assert_int_equal(fence_table_keep(t, &web, 1), -ENOENT);
	assert_int_equal(fence_table_add(t, &web), -ENOENT);
	fence_plan_free(plan);
	fence_table_close(t);
}

/* As many addresses as a configuration may have. */
static void
test_many(void **state)
{
	enum { MANY = 65536 };
	struct fence_table *t = open_table();
	struct fence_plan *plan = fence_plan_new(1, MANY, 1);
	struct ends e = open_ends(*state);
	mono begun;

	strcpy(plan->interfaces[plan->interface_count++], "v0");
	for (uint32_t i = 0; i < MANY; i++) {
		struct fence_guard *g = &plan->guards[plan->guard_count++];

		*g = (struct fence_guard){.number = 1 + i / 64,
			.prefix = {{IP_V4, {10, 10, (uint8_t)(i >> 8), (uint8_t)i}}, 32}};
	}
	begun = mono_now();
	assert_int_equal(fence_table_build(t, plan), 0);
	print_message("%d addresses: %lld ms\n", MANY,
		(long long)(mono_diff_ns(mono_now(), begun) / NS_PER_MS));
	assert_int_equal(heard(&e), (OF_WEB & ~BLOCK4) | MAIL4 | ALWAYS);
	assert_int_equal(fence_table_remove(t), 0);
	fence_plan_free(plan);
	close_ends(&e);
	fence_table_close(t);
}

static struct fence_job *
done(struct fence *f, enum fence_verb verb, struct fence_plan *plan, int64_t patience_ns)
{
	struct fence_job *job = fence_job_new(verb, plan || verb == FENCE_DROP ? 0 : 2);

	assert_non_null(job);
	job->plan = plan;
	job->not_after = mono_add_ns(mono_now(), patience_ns);
	for (size_t i = 0; i < job->count; i++)
		job->items[i] = (struct fence_item){.number = i == 0 ? WEB : MAIL, .ms = HUGE_MS};
	assert_true(fence_submit(f, job));
	job = fence_wait_done(f);
	assert_non_null(job);
	assert_int_equal(job->verb, verb);
	return job;
}

static int
error_of(struct fence *f, enum fence_verb verb, struct fence_plan *plan)
{
	struct fence_job *job = done(f, verb, plan, NS_PER_S);
	int error = job->error;

	free(job);
	return error;
}

static void
test_thread(void **state)
{
	struct ends e = open_ends(*state);
	struct fence_job *job;
	struct fence *f;

	assert_int_equal(fence_start(name, &f), 0);
	assert_int_equal(error_of(f, FENCE_OPEN, NULL), EOPNOTSUPP); /* nothing is built */
	assert_int_equal(error_of(f, FENCE_BUILD, contradiction()), EEXIST);
	assert_int_equal(error_of(f, FENCE_OPEN, NULL), EOPNOTSUPP);
	assert_int_equal(error_of(f, FENCE_BUILD, plan_for("v0")), 0);
	assert_int_equal(heard(&e), ALWAYS);
	job = done(f, FENCE_OPEN, NULL, -1);
	assert_int_equal(job->error, ETIME);
	free(job);
	assert_int_equal(heard(&e), ALWAYS);
	assert_int_equal(error_of(f, FENCE_OPEN, NULL), 0);
	assert_int_equal(error_of(f, FENCE_OPEN, NULL), 0);
	assert_int_equal(error_of(f, FENCE_KEEP, NULL), 0);
	assert_int_equal(heard(&e), OF_WEB | MAIL4 | ALWAYS);
	bed_run("nft delete element netdev %s speaking-7 { arp, ip, ip6 }", name);
	job = done(f, FENCE_KEEP, NULL, NS_PER_S);
	assert_int_equal(job->items[0].error, ENOENT);
	assert_int_equal(job->items[1].error, 0); /* the other one does not suffer */
	free(job);
	assert_int_equal(heard(&e), MAIL4 | ALWAYS);
	bed_run("nft flush ruleset");
	assert_int_equal(error_of(f, FENCE_KEEP, NULL), ENOENT);
	job = done(f, FENCE_OPEN, NULL, NS_PER_S);
	assert_int_equal(job->error, 0);
	assert_true(job->rebuilt);
	free(job);
	assert_int_equal(heard(&e), OF_WEB | MAIL4 | ALWAYS);
	assert_int_equal(error_of(f, FENCE_CLOSE, NULL), 0);
	assert_int_equal(heard(&e), ALWAYS);
	assert_int_equal(error_of(f, FENCE_CLOSE, NULL), 0);
	assert_int_equal(error_of(f, FENCE_DROP, NULL), 0);
	assert_int_equal(error_of(f, FENCE_DROP, NULL), 0);
	fence_stop(f);
	close_ends(&e);
}

/* A table of somebody else, on the same hook, is as it was; nft can show ours. */
static void
test_neighbours(void **state)
{
	static const char strange[] = "nft add table netdev strange && nft 'add chain netdev strange out "
		"{ type filter hook egress device v0 priority 5; }' && "
		"nft add rule netdev strange out ip saddr 10.9.0.200 drop";
	struct fence_table *t = open_table();
	struct fence_plan *plan = plan_for("v0");
	char before[4096];

	(void)state;
	bed_run("%s", strange);
	snprintf(before, sizeof(before), "%s", bed_ask("nft -a list table netdev strange | md5sum"));
	assert_int_equal(fence_table_build(t, plan), 0);
	assert_int_equal(fence_table_build(t, plan), 0);
	assert_string_equal(bed_ask("nft list table netdev %s | grep -c -e 'hook egress device \"v0\"' "
		"-e '10.9.0.100 : jump number-7' -e 'fd00:9::100 : jump number-7' -e '10.10.0.0/16' "
		"-e 'comment .egress fence of tandemd'", name), "5");
	bed_run("nft list ruleset > tandem-rules.$$ && nft -c -f tandem-rules.$$; s=$?; "
		"rm -f tandem-rules.$$; exit $s"); /* what an operator saves can be restored */
	assert_int_equal(fence_table_remove(t), 0);
	assert_string_equal(bed_ask("nft -a list table netdev strange | md5sum"), before);
	bed_run("nft delete table netdev strange");
	fence_plan_free(plan);
	fence_table_close(t);
}

static void
test_names(void **state)
{
	char one[FENCE_NAME], two[FENCE_NAME];

	(void)state;
	assert_string_not_equal(fence_table_name("/run/tandem", one),
		fence_table_name("/run/tandem2", two));
	assert_string_equal(fence_table_name("/", one), fence_table_name("/.", two));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_speaks_while_open),
		cmocka_unit_test(test_time_runs_out),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_thread),
		cmocka_unit_test(test_neighbours),
	};

	return cmocka_run_group_tests(tests, bed_setup, bed_teardown);
}
