/*
 * The IPVS adapter and the plan on a real kernel, in a namespace of its own; ipvsadm is the second
 * opinion about everything. As root; where this machine's kernel has no ip_vs:
 * tests/vm/run tests/vm/t_ipvs
 */
#include "../netns/bed.h"
#include "core/plan.h"
#include "linux/ipvs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SERVICES = 600, REALS = 12000, OPS = 16384, TEXT = 1 << 20 };

struct ground {
	struct bed *bed;
	struct ipvs *ipvs;
	struct vs_table wanted, actual;
	struct plan_op *ops;
	int *errors;
	char *text; /* of the last command */
};

static void *
zeroed(size_t count, size_t size)
{
	void *p = calloc(count, size);

	assert_non_null(p);
	return p;
}

static int
ground_setup(void **state)
{
	struct ground *g = zeroed(1, sizeof(*g));
	void *bed;

	bed_setup(&bed);
	g->bed = bed;
	assert_int_equal(ipvs_open(&g->ipvs), 0);
	g->wanted.services = zeroed(SERVICES, sizeof(*g->wanted.services));
	g->wanted.service_capacity = SERVICES;
	g->wanted.reals = zeroed(REALS, sizeof(*g->wanted.reals));
	g->wanted.real_capacity = REALS;
	g->ops = zeroed(OPS, sizeof(*g->ops));
	g->errors = zeroed(OPS, sizeof(*g->errors));
	g->text = zeroed(TEXT, 1);
	*state = g;
	return 0;
}

static int
ground_teardown(void **state)
{
	struct ground *g = *state;
	void *bed = g->bed;

	ipvs_close(g->ipvs);
	ipvs_table_free(&g->wanted);
	ipvs_table_free(&g->actual);
	free(g->ops);
	free(g->errors);
	free(g->text);
	free(g);
	return bed_teardown(&bed);
}

/* Every test begins with an empty kernel. */
static int
ground_clear(void **state)
{
	struct ground *g = *state;

	bed_run("ipvsadm -C");
	vs_table_clear(&g->wanted);
	return 0;
}

/* What the command prints, with a newline before the first line. */
static const char *
ask(struct ground *g, const char *command)
{
	FILE *f = popen(command, "r");
	size_t got;

	assert_non_null(f);
	g->text[0] = '\n';
	got = fread(g->text + 1, 1, TEXT - 2, f);
	g->text[got + 1] = '\0';
	assert_int_equal(pclose(f), 0);
	return g->text;
}

static size_t
lines(const char *text)
{
	size_t count = 0;

	for (text = strchr(text, '\n'); text; text = strchr(text + 1, '\n'))
		count += text[1] != '\0';
	return count;
}

static void
assert_line(const struct ground *g, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void
assert_line(const struct ground *g, const char *format, ...)
{
	char line[256] = "\n";
	va_list ap;

	va_start(ap, format);
	vsnprintf(line + 1, sizeof(line) - 2, format, ap);
	va_end(ap);
	strcat(line, "\n");
	if (!strstr(g->text, line))
		fail_msg("no line %sin:%s", line + 1, g->text);
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct endpoint
at(const char *text)
{
	struct endpoint e;

	assert_true(endpoint_parse(text, &e));
	return e;
}

static struct vs_service *
want(struct ground *g, const char *listen, uint8_t protocol, const char *scheduler)
{
	struct vs_service s = {.key = {.listen = at(listen), .protocol = protocol}}, *row;

	strcpy(s.scheduler, scheduler);
	row = vs_table_add_service(&g->wanted, &s);
	assert_non_null(row);
	return row;
}

static void
want_real(struct ground *g, const char *address, uint8_t forwarding, uint32_t weight)
{
	struct vs_real r = {.address = at(address), .forwarding = forwarding, .weight = weight};

	assert_true(vs_table_add_real(&g->wanted, &r));
}

static const struct vs_service *
kernel_service(struct ground *g, const char *listen, uint8_t protocol)
{
	struct vs_key key = {.listen = at(listen), .protocol = protocol};

	assert_int_equal(ipvs_dump(g->ipvs, &g->actual), 0);
	return vs_table_find(&g->actual, &key);
}

static size_t
plan(struct ground *g, const struct vs_key *owned, size_t owned_count)
{
	size_t count;
	bool whole;

	vs_table_sort(&g->wanted);
	assert_int_equal(ipvs_dump(g->ipvs, &g->actual), 0);
	count = plan_diff(&g->wanted, &g->actual, owned, owned_count, g->ops, OPS, &whole);
	assert_true(whole);
	return count;
}

static void
apply(struct ground *g, size_t count)
{
	int failed = ipvs_apply(g->ipvs, g->ops, count, g->errors);

	for (size_t i = 0; i < count; i++)
		if (g->errors[i] != 0)
			fail_msg("%s %s: %s", plan_kind_name(g->ops[i].kind),
				g->ops[i].service.scheduler, strerror(g->errors[i]));
	assert_int_equal(failed, 0);
}

/* The kernel has every wanted row, field by field, without asking the plan. */
static void
assert_programmed(struct ground *g)
{
	assert_int_equal(ipvs_dump(g->ipvs, &g->actual), 0);
	for (size_t i = 0; i < g->wanted.service_count; i++) {
		const struct vs_service *w = &g->wanted.services[i];
		const struct vs_service *a = vs_table_find(&g->actual, &w->key);

		assert_non_null(a);
		assert_string_equal(a->scheduler, w->scheduler);
		assert_int_equal(a->flags, w->flags);
		assert_int_equal(a->persistence_s, w->persistence_s);
		assert_int_equal(a->real_count, w->real_count);
		for (uint32_t r = 0; r < w->real_count; r++) {
			const struct vs_real *wr = &g->wanted.reals[w->first_real + r];
			const struct vs_real *ar = vs_table_find_real(&g->actual, a, &wr->address);

			assert_non_null(ar);
			assert_int_equal(ar->weight, wr->weight);
			assert_int_equal(ar->forwarding, wr->forwarding);
		}
	}
}

/* Plan, apply, look, plan again: nothing left. Returns how many operations it took. */
static size_t
converge(struct ground *g)
{
	size_t count = plan(g, NULL, 0);

	apply(g, count);
	assert_programmed(g);
	assert_int_equal(plan(g, NULL, 0), 0);
	return count;
}

/* ---- tests ---- */

static void
a_new_namespace_has_nothing(void **state)
{
	struct ground *g = *state;

	assert_int_equal(ipvs_dump(g->ipvs, &g->actual), 0);
	assert_int_equal(g->actual.service_count, 0);
	assert_int_equal(g->actual.real_count, 0);
}

static void
every_scheduler_method_and_protocol(void **state)
{
	enum { SCHEDULERS = 13, PROTOCOLS = 3, ALL = SCHEDULERS * PROTOCOLS * 2 };
	static const char *const schedulers[SCHEDULERS] = {"rr", "wrr", "lc", "wlc", "lblc",
		"lblcr", "dh", "sh", "sed", "nq", "mh", "fo", "ovf"};
	static const uint8_t protocols[PROTOCOLS] = {6, 17, 132};
	static const char *const options[PROTOCOLS] = {"-t", "-u", "--sctp-service"};
	struct ground *g = *state;
	char listen[ENDPOINT_TEXT], real[ENDPOINT_TEXT];

	for (int i = 0; i < ALL; i++) {
		bool dr = i >= ALL / 2;
		int port = 1000 + i;

		snprintf(listen, sizeof(listen), "10.77.0.100:%d", port);
		want(g, listen, protocols[i / SCHEDULERS % PROTOCOLS], schedulers[i % SCHEDULERS]);
		for (int r = 0; r < 3; r++) {
			snprintf(real, sizeof(real), "10.88.0.%d:%d", 21 + r, dr ? port : 8080);
			want_real(g, real, dr ? VS_DR : VS_NAT, r == 0 ? 0 : r == 1 ? 1 : 65535);
		}
	}
	assert_int_equal(converge(g), ALL * 4);
	assert_int_equal(lines(ask(g, "ipvsadm -Sn")), ALL * 4);
	for (int i = 0; i < ALL; i++) {
		int port = 1000 + i, real_port = i >= ALL / 2 ? port : 8080;
		const char *option = options[i / SCHEDULERS % PROTOCOLS];
		char method = i >= ALL / 2 ? 'g' : 'm';

		assert_line(g, "-A %s 10.77.0.100:%d -s %s", option, port,
			schedulers[i % SCHEDULERS]);
		for (int r = 0; r < 3; r++)
			assert_line(g, "-a %s 10.77.0.100:%d -r 10.88.0.%d:%d -%c -w %d", option,
				port, 21 + r, real_port, method, r == 0 ? 0 : r == 1 ? 1 : 65535);
	}
}

static void
want_like(struct ground *g, const char *address, struct vs_real row)
{
	row.address = at(address);
	row.weight = 1;
	assert_true(vs_table_add_real(&g->wanted, &row));
}

static void
thresholds_tunnels_engines_and_ipv6_marks(void **state)
{
	static const struct { uint8_t type; uint16_t port, checksum; const char *says; } tunnels[] = {
		{VS_IPIP, 0, 0, "ipip"}, {VS_GUE, 81, 0, "gue --tun-port 81 --tun-nocsum"},
		{VS_GUE, 82, 1, "gue --tun-port 82 --tun-csum"}, {VS_GRE, 0, 0, "gre --tun-nocsum"},
		{VS_GUE, 83, 2, "gue --tun-port 83 --tun-remcsum"}, {VS_GRE, 0, 1, "gre --tun-csum"}};
	enum { TUNNELS = sizeof(tunnels) / sizeof(*tunnels) };
	static const char thresholds[] = "ipvsadm -Ln --thresholds | awk '/->/ {print $2, $3, $4}'";
	struct ground *g = *state;
	struct vs_service mark = {.scheduler = "wrr"}, *s;
	char address[ENDPOINT_TEXT];

	want(g, "10.77.0.100:80", 6, "wlc");
	want_like(g, "10.88.0.21:80", (struct vs_real){.upper_threshold = 9, .lower_threshold = 4});
	want_like(g, "10.88.0.22:80", (struct vs_real){.upper_threshold = 7});
	s = want(g, "10.77.0.100:53", 17, "rr");
	s->flags = VS_ONE_PACKET;
	s = want(g, "10.77.0.100:5060", 17, "rr");
	s->flags = VS_PERSISTENT;
	s->persistence_s = 60;
	strcpy(s->engine, "sip");
	want(g, "10.77.0.100:81", 6, "sh")->flags = 0x18;
	mark.key = (struct vs_key){.fwmark = 8, .listen.addr.family = IP_V6};
	assert_non_null(vs_table_add_service(&g->wanted, &mark));
	want_real(g, "[fd00:88::21]:80", VS_DR, 2);
	want(g, "10.77.0.100:82", 6, "rr");
	for (int i = 0; i < TUNNELS; i++) {
		snprintf(address, sizeof(address), "10.88.0.%d:82", 31 + i);
		want_like(g, address, (struct vs_real){.forwarding = VS_TUNNEL, .tunnel = tunnels[i].type,
			.tunnel_port = tunnels[i].port, .tunnel_checksum = tunnels[i].checksum});
	}
	assert_int_equal(converge(g), 15);
	assert_int_equal(lines(ask(g, "ipvsadm -Sn")), 15);
	assert_line(g, "-A -u 10.77.0.100:53 -s rr -o");
	assert_line(g, "-A -u 10.77.0.100:5060 -s rr -p 60 --pe sip");
	assert_line(g, "-A -t 10.77.0.100:81 -s sh -b sh-fallback,sh-port");
	assert_line(g, "-A -f 8 -6 -s wrr");
	assert_line(g, "-a -f 8 -6 -r [fd00:88::21]:80 -g -w 2");
	for (int i = 0; i < TUNNELS; i++)
		assert_line(g, "-a -t 10.77.0.100:82 -r 10.88.0.%d:82 -i -w 1 --tun-type %s", 31 + i,
			tunnels[i].says);
	ask(g, thresholds);
	assert_line(g, "10.88.0.21:80 9 4");
	assert_line(g, "10.88.0.22:80 7 0");
	g->wanted.reals[0].lower_threshold = 5; /* alone a difference */
	assert_int_equal(converge(g), 1);
	ask(g, thresholds);
	assert_line(g, "10.88.0.21:80 9 5");
}

static void
flags_persistence_marks_and_ipv6(void **state)
{
	struct ground *g = *state;
	struct vs_service *s = want(g, "10.77.0.100:80", 6, "mh"), mark = {.scheduler = "wrr"};

	s->flags = 0x18; /* mh-fallback, mh-port */
	s = want(g, "10.77.0.100:443", 6, "wlc");
	s->flags = VS_PERSISTENT;
	s->persistence_s = 300;
	assert_true(ip_addr_parse("255.255.255.0", &s->netmask));
	s = want(g, "[fd00:77::100]:443", 6, "rr");
	s->flags = VS_PERSISTENT;
	s->persistence_s = 60;
	assert_true(ip_addr_parse("ffff:ffff:ffff:ff00::", &s->netmask));
	want_real(g, "[fd00:88::21]:443", VS_NAT, 1);
	mark.key = (struct vs_key){.fwmark = 7, .listen.addr.family = IP_V4};
	assert_non_null(vs_table_add_service(&g->wanted, &mark));
	want_real(g, "10.88.0.21:80", VS_NAT, 2);
	assert_int_equal(converge(g), 6);
	assert_int_equal(lines(ask(g, "ipvsadm -Sn")), 6);
	assert_line(g, "-A -t 10.77.0.100:80 -s mh -b mh-fallback,mh-port");
	assert_line(g, "-A -t 10.77.0.100:443 -s wlc -p 300 -M 255.255.255.0");
	assert_line(g, "-A -t [fd00:77::100]:443 -s rr -p 60 -M 56");
	assert_line(g, "-a -t [fd00:77::100]:443 -r [fd00:88::21]:443 -m -w 1");
	assert_line(g, "-A -f 7 -s wrr");
	assert_line(g, "-a -f 7 -r 10.88.0.21:80 -m -w 2");
}

static void
from_two_to_a_hundred_services(void **state)
{
	static const int sizes[] = {2, 10, 100};
	struct ground *g = *state;
	char text[ENDPOINT_TEXT];
	int had = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (; had < sizes[i]; had++) {
			snprintf(text, sizeof(text), "10.77.1.%d:80", 1 + had);
			want(g, text, 6, "wrr");
			for (int r = 0; r < 3; r++) {
				snprintf(text, sizeof(text), "10.88.0.%d:8080", 21 + r);
				want_real(g, text, VS_NAT, (uint32_t)(1 + r));
			}
		}
		converge(g);
		assert_int_equal(g->actual.service_count, (size_t)had);
		assert_int_equal(lines(ask(g, "ipvsadm -Sn")), (size_t)had * 4);
	}
}

static void
want_three(struct ground *g)
{
	want(g, "10.77.0.100:80", 6, "wlc");
	want_real(g, "10.88.0.21:8080", VS_NAT, 1);
	want_real(g, "10.88.0.22:8080", VS_NAT, 1);
	want_real(g, "10.88.0.23:8080", VS_NAT, 1);
}

static void
only_what_differs_is_touched(void **state)
{
	struct ground *g = *state;

	want_three(g);
	assert_int_equal(converge(g), 4);
	g->wanted.reals[1].weight = 9;
	assert_int_equal(converge(g), 1);
	assert_int_equal(g->ops[0].kind, PLAN_SET_REAL);
	g->wanted.reals[2].forwarding = VS_DR;
	assert_int_equal(converge(g), 1);
	strcpy(g->wanted.services[0].scheduler, "sh");
	g->wanted.services[0].flags = 0x10;
	assert_int_equal(converge(g), 1);
	assert_int_equal(g->ops[0].kind, PLAN_SET_SERVICE);
	g->wanted.services[0].real_count = 2;
	assert_int_equal(converge(g), 1);
	assert_int_equal(g->ops[0].kind, PLAN_DEL_REAL);
	assert_int_equal(lines(ask(g, "ipvsadm -Sn")), 3);
	assert_line(g, "-A -t 10.77.0.100:80 -s sh -b sh-port");
	assert_line(g, "-a -t 10.77.0.100:80 -r 10.88.0.22:8080 -m -w 9");
}

static void
services_of_others_stay_and_ours_go(void **state)
{
	struct ground *g = *state;
	struct vs_key owned[] = {{.listen = at("10.77.0.100:80"), .protocol = 6}};
	const struct vs_service *foreign;

	bed_run("ipvsadm -A -t 10.99.0.1:99 -s rr");
	bed_run("ipvsadm -a -t 10.99.0.1:99 -r 10.99.0.2:99 -i -w 7");
	want_three(g);
	assert_int_equal(converge(g), 4);
	foreign = kernel_service(g, "10.99.0.1:99", 6);
	assert_non_null(foreign);
	assert_int_equal(foreign->real_count, 1);
	assert_int_equal(g->actual.reals[foreign->first_real].forwarding, VS_TUNNEL);
	assert_int_equal(g->actual.reals[foreign->first_real].weight, 7);
	vs_table_clear(&g->wanted);
	assert_int_equal(plan(g, NULL, 0), 0); /* not ours until we say so */
	assert_int_equal(plan(g, owned, 1), 1);
	assert_int_equal(g->ops[0].kind, PLAN_DEL_SERVICE);
	apply(g, 1);
	assert_int_equal(lines(ask(g, "ipvsadm -Sn")), 2);
	assert_line(g, "-a -t 10.99.0.1:99 -r 10.99.0.2:99 -i -w 7 --tun-type ipip");
}

static void
a_tunnelled_server_in_our_service_is_put_right(void **state)
{
	struct ground *g = *state;

	want_three(g);
	converge(g);
	bed_run("ipvsadm -a -t 10.77.0.100:80 -r 10.88.0.29:80 -i -w 3");
	bed_run("ipvsadm -a -t 10.77.0.100:80 -r [fd00:88::29]:80 -i -w 3");
	bed_run("ipvsadm -e -t 10.77.0.100:80 -r 10.88.0.21:8080 -m -w 5");
	assert_int_equal(lines(ask(g, "ipvsadm -Sn")), 6);
	assert_int_equal(converge(g), 3);
	assert_int_equal(lines(ask(g, "ipvsadm -Sn")), 4);
	assert_line(g, "-a -t 10.77.0.100:80 -r 10.88.0.21:8080 -m -w 1");
}

static struct plan_op
op(enum plan_kind kind, const char *listen, const char *scheduler, const char *real)
{
	struct plan_op o = {.kind = kind, .service.key = {.listen = at(listen), .protocol = 6}};

	strcpy(o.service.scheduler, scheduler);
	if (real)
		o.real = (struct vs_real){.address = at(real), .weight = 1};
	return o;
}

static void
every_refusal_is_told_of_its_own_operation(void **state)
{
	static const int wanted[] = {0, EEXIST, 0, EEXIST, ENOENT, ENOENT, ESRCH, ESRCH, ESRCH,
		ENOENT, EINVAL, EINVAL, ERANGE, 0};
	struct ground *g = *state;
	const char *a = "10.77.0.100:80", *b = "10.77.0.100:81", *r1 = "10.88.0.21:80";
	const struct plan_op ops[] = {
		op(PLAN_ADD_SERVICE, a, "rr", NULL),
		op(PLAN_ADD_SERVICE, a, "rr", NULL),
		op(PLAN_ADD_REAL, a, "rr", r1),
		op(PLAN_ADD_REAL, a, "rr", r1),
		op(PLAN_SET_REAL, a, "rr", "10.88.0.22:80"),
		op(PLAN_DEL_REAL, a, "rr", "10.88.0.22:80"),
		op(PLAN_SET_SERVICE, b, "rr", NULL),
		op(PLAN_DEL_SERVICE, b, "rr", NULL),
		op(PLAN_ADD_REAL, b, "rr", r1),
		op(PLAN_ADD_SERVICE, b, "nosuch", NULL),
		op(PLAN_ADD_REAL, a, "rr", "224.0.0.1:80"),
		op(PLAN_ADD_REAL, a, "rr", "10.88.0.23:80"), /* VS_OTHER: refused here */
		op(PLAN_ADD_REAL, a, "rr", "10.88.0.24:80"),
		op(PLAN_ADD_REAL, a, "rr", "10.88.0.25:80"),
	};
	size_t count = sizeof(ops) / sizeof(*ops);

	memcpy(g->ops, ops, sizeof(ops));
	g->ops[11].real.forwarding = VS_OTHER;
	g->ops[12].real.weight = UINT32_MAX;
	assert_int_equal(ipvs_apply(g->ipvs, g->ops, count, g->errors), (int)count - 3);
	for (size_t i = 0; i < count; i++)
		if (g->errors[i] != wanted[i])
			fail_msg("operation %zu: %s, not %s", i, strerror(g->errors[i]),
				strerror(wanted[i]));
	assert_int_equal(lines(ask(g, "ipvsadm -Sn")), 3);
	assert_line(g, "-a -t 10.77.0.100:80 -r 10.88.0.25:80 -m -w 1");
}

/* More than a batch, every second one refused: each answer still finds its operation. */
static void
refusals_in_many_batches_are_matched(void **state)
{
	enum { MANY = 1000 };
	struct ground *g = *state;
	char real[ENDPOINT_TEXT];

	g->ops[0] = op(PLAN_ADD_SERVICE, "10.77.0.100:80", "rr", NULL);
	for (int i = 1; i < MANY; i++) {
		snprintf(real, sizeof(real), "10.88.%d.%d:80", i / 200, 1 + i % 200);
		g->ops[i] = op(i % 2 != 0 ? PLAN_ADD_REAL : PLAN_DEL_REAL, "10.77.0.100:80", "rr",
			real);
	}
	assert_int_equal(ipvs_apply(g->ipvs, g->ops, MANY, g->errors), MANY / 2 - 1);
	for (int i = 1; i < MANY; i++)
		assert_int_equal(g->errors[i], i % 2 != 0 ? 0 : ENOENT);
	assert_int_equal(kernel_service(g, "10.77.0.100:80", 6)->real_count, MANY / 2);
}

static void
what_somebody_flushed_comes_back(void **state)
{
	struct ground *g = *state;

	want_three(g);
	want(g, "10.77.0.100:53", 17, "rr");
	want_real(g, "10.88.0.31:53", VS_DR, 1);
	assert_int_equal(converge(g), 6);
	bed_run("ipvsadm -C");
	assert_int_equal(converge(g), 6);
	bed_run("ipvsadm -d -t 10.77.0.100:80 -r 10.88.0.22:8080");
	bed_run("ipvsadm -e -u 10.77.0.100:53 -r 10.88.0.31:53 -g -w 42");
	bed_run("ipvsadm -E -t 10.77.0.100:80 -s rr");
	assert_int_equal(converge(g), 3);
}

/* Another program adds and removes a service all the time: dumps stay whole and right. */
static void
a_table_that_changes_under_way_is_read_whole(void **state)
{
	struct ground *g = *state;
	pid_t child;

	want_three(g);
	converge(g);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		struct plan_op ops[] = {op(PLAN_ADD_SERVICE, "10.99.0.1:99", "rr", NULL),
			op(PLAN_DEL_SERVICE, "10.99.0.1:99", "rr", NULL)};
		struct ipvs *own;
		int errors[2];

		for (int error = ipvs_open(&own); error == 0; usleep(500))
			if (ipvs_apply(own, ops, 2, errors) != 0)
				break;
		_exit(1);
	}
	for (int i = 0; i < 300; i++) {
		const struct vs_service *s = kernel_service(g, "10.77.0.100:80", 6);

		assert_non_null(s);
		assert_int_equal(s->real_count, 3);
		assert_in_range(g->actual.service_count, 1, 2);
	}
	assert_int_equal(waitpid(child, NULL, WNOHANG), 0); /* it was at it all the time */
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void
without_the_capability_it_is_refused_and_said(void **state)
{
	struct ground *g = *state;
	pid_t child = fork();
	int status = 0;

	(void)g;
	assert_int_not_equal(child, -1);
	if (child == 0) {
		struct vs_table t = {0};
		struct ipvs *own;
		struct plan_op o = op(PLAN_ADD_SERVICE, "10.77.0.100:80", "rr", NULL);
		int error;

		if (setgid(65534) != 0 || setuid(65534) != 0 || ipvs_open(&own) != 0)
			_exit(1);
		if (ipvs_dump(own, &t) != -EPERM)
			_exit(2);
		if (ipvs_apply(own, &o, 1, &error) != 1 || error != EPERM)
			_exit(3);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

static void
assert_sync(struct ground *g, const struct ipvs_sync *wanted)
{
	struct ipvs_sync is;

	assert_int_equal(ipvs_sync_set(g->ipvs, wanted), 0);
	assert_int_equal(ipvs_sync_get(g->ipvs, &is), 0);
	assert_int_equal(is.master, wanted->master);
	assert_int_equal(is.backup, wanted->backup);
	assert_int_equal(is.master_id, wanted->master_id);
	assert_int_equal(is.backup_id, wanted->backup_id);
	assert_string_equal(is.interface, wanted->interface);
}

static void
sync_daemons_run_as_wanted(void **state)
{
	struct ground *g = *state;
	struct ipvs_sync both = {.master = true, .backup = true, .master_id = 1, .backup_id = 2,
		.interface = "v0"};
	struct ipvs_sync one = {.backup = true, .backup_id = 255, .interface = "v0"};
	struct ipvs_sync none = {.master = false}, nowhere = both, is;

	assert_sync(g, &none);
	assert_sync(g, &both);
	ask(g, "ipvsadm -Ln --daemon | tr -s ' '");
	assert_non_null(strstr(g->text, "master sync daemon (mcast=v0, syncid=1"));
	assert_non_null(strstr(g->text, "backup sync daemon (mcast=v0, syncid=2"));
	assert_sync(g, &both); /* already so: success */
	both.master_id = 3;
	assert_sync(g, &both);
	both.maxlen = 1; /* room for one connection; what is heard may be longer */
	assert_sync(g, &both);
	assert_int_equal(ipvs_sync_get(g->ipvs, &is), 0);
	assert_int_equal(is.maxlen, 1);
	assert_true(ipvs_sync_matches(&is, &both));
	assert_sync(g, &one);
	assert_int_equal(ipvs_sync_get(g->ipvs, &is), 0);
	assert_int_equal(is.maxlen, 1472);
	strcpy(nowhere.interface, "nosuch");
	assert_int_equal(ipvs_sync_set(g->ipvs, &nowhere), -ENODEV);
	assert_sync(g, &none);
	assert_int_equal(lines(ask(g, "ipvsadm -Ln --daemon")), 0);
}

/* Both daemons, over IPv4 and IPv6; ipvsadm tells the same. */
static void
sync_daemons_use_their_own_group(void **state)
{
	static const char *const groups[] = {"224.0.0.82", "ff02::82"};
	struct ground *g = *state;
	struct ipvs_sync none = {.master = false}, is;
	char line[128];

	bed_run("ip address add fe80::11/64 dev v0 nodad"); /* IPv6 sends from one */
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		struct ipvs_sync both = {.master = true, .backup = true, .master_id = 1,
			.backup_id = 2, .interface = "v0", .port = (uint16_t)(8849 + i), .ttl = 2};

		assert_true(ip_addr_parse(groups[i], &both.group));
		assert_sync(g, &both);
		assert_int_equal(ipvs_sync_get(g->ipvs, &is), 0);
		assert_true(ip_addr_equal(&is.group, &both.group));
		assert_int_equal(is.port, both.port);
		assert_int_equal(is.ttl, 2);
		assert_true(ipvs_sync_matches(&is, &both));
		ask(g, "ipvsadm -Ln --daemon");
		snprintf(line, sizeof(line), "group=%s, port=%u, ttl=2", groups[i], both.port);
		assert_non_null(strstr(g->text, line));
		assert_non_null(strstr(strstr(g->text, line) + 1, line));
		both.ttl = 3;
		assert_false(ipvs_sync_matches(&is, &both));
		assert_sync(g, &both);
	}
	assert_sync(g, &none);
}

/* A thread that is stopped before it first ran makes the kernel leave out its answer. */
static void
sync_daemons_restart_at_once(void **state)
{
	struct ground *g = *state;
	struct ipvs_sync none = {.master = false};
	double begin = now_ms();

	for (uint8_t i = 1; i <= 30; i++) {
		struct ipvs_sync both = {.master = true, .backup = true, .master_id = i,
			.backup_id = (uint8_t)(i + 100), .interface = "v0"};

		assert_sync(g, &both);
		if (i % 3 == 0)
			assert_sync(g, &none);
	}
	assert_sync(g, &none);
	assert_true(now_ms() - begin < 5000);
}

static void
knobs_are_written_and_read(void **state)
{
	char text[32], tiny[3];

	(void)state;
	assert_int_equal(ipvs_sysctl_write("sync_threshold", "0 1"), 0);
	assert_int_equal(ipvs_sysctl_read("sync_threshold", text, sizeof(text)), 0);
	assert_string_equal(text, "0\t1");
	assert_int_equal(ipvs_sysctl_write("sloppy_tcp", "1"), 0);
	assert_string_equal(bed_ask("cat /proc/sys/net/ipv4/vs/sloppy_tcp"), "1");
	assert_int_equal(ipvs_sysctl_read("sync_threshold", tiny, sizeof(tiny)), 0);
	assert_string_equal(tiny, "0\t");
	assert_int_equal(ipvs_sysctl_read("sync_threshold", tiny, 0), -EINVAL);
	assert_int_equal(ipvs_sysctl_write("nosuch_knob", "1"), -ENOENT);
	assert_int_equal(ipvs_sysctl_write("../../ip_forward", "1"), -EINVAL);
	assert_int_equal(ipvs_sysctl_write("sloppy_tcp", "word"), -EINVAL);
}

static void
a_large_table_loads_and_how_fast(void **state)
{
	struct ground *g = *state;
	char text[ENDPOINT_TEXT];
	double begin, planned, applied, restored, ended;
	size_t count;

	for (int s = 0; s < 525; s++) {
		snprintf(text, sizeof(text), "10.77.%d.%d:80", 1 + s / 200, 1 + s % 200);
		want(g, text, 6, "wlc");
		for (int r = 0; r < 20; r++) {
			snprintf(text, sizeof(text), "10.88.0.%d:8080", 1 + r);
			want_real(g, text, VS_NAT, 1);
		}
	}
	begin = now_ms();
	count = plan(g, NULL, 0);
	planned = now_ms();
	apply(g, count);
	applied = now_ms();
	assert_int_equal(plan(g, NULL, 0), 0);
	ended = now_ms();
	assert_programmed(g);
	assert_int_equal(count, 525 * 21);
	bed_run("ipvsadm -Sn > /tmp/t_ipvs.%d && ipvsadm -C", (int)getpid());
	restored = now_ms();
	bed_run("ipvsadm -R < /tmp/t_ipvs.%d", (int)getpid());
	restored = now_ms() - restored;
	bed_run("rm /tmp/t_ipvs.%d", (int)getpid());
	assert_int_equal(plan(g, NULL, 0), 0);
	printf("figure ipvs, 525 services of 20 servers: plan %.0f ms, apply %.0f ms, dump and compare "
		"%.0f ms; ipvsadm -R %.0f ms\n", planned - begin, applied - planned,
		ended - applied, restored);
	fflush(stdout);
}

#define FROM_EMPTY(test) cmocka_unit_test_setup(test, ground_clear)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_namespace_has_nothing),
		FROM_EMPTY(every_scheduler_method_and_protocol),
		FROM_EMPTY(flags_persistence_marks_and_ipv6),
		FROM_EMPTY(thresholds_tunnels_engines_and_ipv6_marks),
		FROM_EMPTY(from_two_to_a_hundred_services),
		FROM_EMPTY(only_what_differs_is_touched),
		FROM_EMPTY(services_of_others_stay_and_ours_go),
		FROM_EMPTY(a_tunnelled_server_in_our_service_is_put_right),
		FROM_EMPTY(every_refusal_is_told_of_its_own_operation),
		FROM_EMPTY(refusals_in_many_batches_are_matched),
		FROM_EMPTY(what_somebody_flushed_comes_back),
		FROM_EMPTY(a_table_that_changes_under_way_is_read_whole),
		FROM_EMPTY(without_the_capability_it_is_refused_and_said),
		FROM_EMPTY(sync_daemons_run_as_wanted),
		FROM_EMPTY(sync_daemons_use_their_own_group),
		FROM_EMPTY(sync_daemons_restart_at_once),
		FROM_EMPTY(knobs_are_written_and_read),
		FROM_EMPTY(a_large_table_loads_and_how_fast),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]); /* a pattern: only these tests */
	return cmocka_run_group_tests(tests, ground_setup, ground_teardown);
}
