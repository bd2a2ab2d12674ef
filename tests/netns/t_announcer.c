/* The announcer thread, judged by what arrives at the other end of the cable. */
#include "bed.h"

#include "linux/announcer.h"
#include "linux/arp.h"
#include "linux/wire.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 65536, BUFFER = 256 << 20 };

static const uint8_t mac[6] = {0x02, 0, 0, 0, 0, 0x01};

static int
listen_there(struct bed *bed)
{
	struct sockaddr_ll on = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = bed->v1};
	int size = BUFFER, fd;

	bed_enter(bed->there);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ARP));
	assert_int_not_equal(fd, -1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&on, sizeof(on)), 0);
	bed_enter(bed->here);
	return fd;
}

static struct announcer_round *
round_of(struct bed *bed, const char *const *blocks, size_t count, int64_t every_ns)
{
	struct announcer_round *r = announcer_round_new(count);

	assert_non_null(r);
	for (size_t i = 0; i < count; i++) {
		assert_true(ip_prefix_parse(blocks[i], &r->rows[i].prefix));
		r->rows[i].ifindex = bed->v0;
		memcpy(r->rows[i].mac, mac, sizeof(mac));
	}
	r->every_ns = every_ns;
	atomic_store(&r->until_ns, mono_add_ns(mono_now(), 30 * NS_PER_S).ns);
	return r;
}

static struct announcer_round *
await(struct announcer *a)
{
	struct pollfd p = {.fd = announcer_fd(a), .events = POLLIN};
	struct announcer_round *r;

	assert_int_equal(poll(&p, 1, 10000), 1);
	r = announcer_next_done(a);
	assert_non_null(r);
	return r;
}

/* How often each address of `block` was announced in each form; `other` counts what else came. */
struct heard {
	uint8_t times[2][BIG];
	uint32_t other;
};

static struct heard *
hear(int fd, const char *block)
{
	struct heard *h = calloc(1, sizeof(*h));
	struct ip_prefix p;
	uint8_t frame[128];

	assert_non_null(h);
	assert_true(ip_prefix_parse(block, &p));
	while (recv(fd, frame, sizeof(frame), MSG_DONTWAIT) == ARP_FRAME) {
		struct ip_addr from = {.family = IP_V4};
		unsigned host = (unsigned)frame[30] << 8 | frame[31];

		memcpy(from.bytes, frame + 28, 4);
		assert_memory_equal(frame + 28, frame + 38, 4); /* target = sender */
		assert_memory_equal(frame + 6, mac, 6);
		assert_memory_equal(frame + 22, mac, 6);
		assert_true(frame[21] == 1 || memcmp(frame + 32, mac, 6) == 0);
		if (ip_prefix_contains(&p, &from))
			h->times[frame[21] - 1][host]++;
		else
			h->other++;
	}
	return h;
}

static void
test_every_address_in_both_forms(void **state)
{
	static const char *const blocks[] = {"10.50.0.0/16"};
	struct bed *bed = *state;
	int fd = listen_there(bed);
	struct announcer_round *r;
	struct announcer *a;
	struct heard *h;

	assert_int_equal(announcer_start(&a), 0);
	assert_true(announcer_submit(a, round_of(bed, blocks, 1, 0)));
	r = await(a);
	assert_true(r->whole);
	assert_int_equal(r->addresses, BIG);
	assert_false(mono_before(r->ended, r->requested));
	print_message("65,536 requests in %lld us, replies in %lld us\n",
		(long long)(mono_diff_ns(r->requested, r->begun) / NS_PER_US),
		(long long)(mono_diff_ns(r->ended, r->requested) / NS_PER_US));
	h = hear(fd, blocks[0]);
	for (size_t i = 0; i < BIG; i++)
		if (h->times[0][i] != 1 || h->times[1][i] != 1)
			fail_msg("address %zu: %u requests, %u replies", i, h->times[0][i], h->times[1][i]);
	assert_int_equal(h->other, 0);
	free(h);
	free(r);
	close(fd);
	announcer_stop(a);
}

/* Several blocks, one a single address, in one round; and two rounds side by side. */
static void
test_rows_and_rounds(void **state)
{
	static const char *const first[] = {"10.51.0.0/30", "10.51.1.7/32", "10.51.2.0/24"};
	static const char *const second[] = {"10.52.0.0/20"};
	struct bed *bed = *state;
	int fd = listen_there(bed);
	struct announcer_round *r, *small = round_of(bed, first, 3, 100);
	struct announcer *a;
	struct heard *h;

	assert_int_equal(announcer_start(&a), 0);
	assert_true(announcer_submit(a, round_of(bed, second, 1, 40 * NS_PER_US))); /* 0.16 s a form */
	assert_true(announcer_submit(a, small));
	r = await(a);
	assert_ptr_equal(r, small); /* it does not wait for the long one */
	assert_true(r->whole);
	assert_int_equal(r->addresses, 4 + 1 + 256);
	free(r);
	r = await(a);
	assert_int_equal(r->addresses, 4096);
	assert_true(mono_diff_ns(r->requested, r->begun) > 140 * NS_PER_MS); /* its pace */
	free(r);
	h = hear(fd, "10.51.0.0/16");
	assert_int_equal(h->times[0][3] + h->times[1][3], 2);
	assert_int_equal(h->times[0][256 + 7] + h->times[1][256 + 7], 2);
	assert_int_equal(h->times[0][2 * 256 + 255] + h->times[1][2 * 256 + 255], 2);
	assert_int_equal(h->other, 2 * 4096);
	free(h);
	close(fd);
	announcer_stop(a);
}

static void
test_nothing_is_sent_after_the_end(void **state)
{
	static const char *const blocks[] = {"10.53.0.0/16"};
	struct bed *bed = *state;
	struct announcer_round *r = round_of(bed, blocks, 1, 40 * NS_PER_US);
	int fd = listen_there(bed);
	struct announcer *a;
	struct heard *h;

	/* cancelled */
	assert_int_equal(announcer_start(&a), 0);
	assert_true(announcer_submit(a, r));
	usleep(50000);
	announcer_cancel(r);
	usleep(5000); /* what was in the hands of the kernel */
	free(hear(fd, blocks[0]));
	assert_ptr_equal(await(a), r);
	assert_false(r->whole);
	assert_true(r->addresses > 100 && r->addresses < BIG / 4);
	usleep(20000);
	h = hear(fd, "10.0.0.0/8");
	for (size_t i = 0; i < BIG; i++)
		assert_int_equal(h->times[0][i], 0);
	free(h);
	free(r);

	/* a lease that is over ends it by itself */
	r = round_of(bed, blocks, 1, 40 * NS_PER_US);
	atomic_store(&r->until_ns, mono_add_ns(mono_now(), 100 * NS_PER_MS).ns);
	assert_true(announcer_submit(a, r));
	assert_ptr_equal(await(a), r);
	assert_false(r->whole);
	assert_true(r->addresses > 1000 && r->addresses < 6000);
	free(r);
	close(fd);

	/* and one under way does not hold up the end */
	assert_true(announcer_submit(a, round_of(bed, blocks, 1, 40 * NS_PER_US)));
	usleep(5000);
	announcer_stop(a);
}

static void
test_what_cannot_be_sent_comes_back(void **state)
{
	static const char *const blocks[] = {"10.54.0.0/24"};
	static const char *const large[] = {"10.0.0.0/15"};
	struct bed *bed = *state;
	struct announcer_round *r = round_of(bed, blocks, 1, 0);
	struct announcer *a;

	assert_int_equal(announcer_start(&a), 0);
	r->rows[0].ifindex = 99999;
	assert_true(announcer_submit(a, r));
	assert_ptr_equal(await(a), r);
	assert_false(r->whole);
	assert_int_equal(r->addresses, 0);
	free(r);
	assert_true(announcer_submit(a, round_of(bed, large, 1, 0)));
	r = await(a);
	assert_false(r->whole);
	assert_int_equal(announcer_addresses(&r->rows[0].prefix), 0);
	free(r);
	assert_true(announcer_submit(a, round_of(bed, NULL, 0, 0)));
	free(await(a));
	announcer_stop(a);
}

static unsigned
threads_now(void)
{
	return (unsigned)atoi(bed_ask("ls /proc/%d/task | wc -l", (int)getpid()));
}

/* Many rows, each with frames of its own, of which a batch has several: all are heard once in each form. */
static void
test_rows_within_a_batch(void **state)
{
	enum { ROWS = 3000, FEW = 8 };
	struct bed *bed = *state;
	int fd = listen_there(bed);
	struct announcer_round *r = announcer_round_new(ROWS);
	struct announcer *a;
	uint32_t all = 0;
	struct heard *h;

	assert_non_null(r);
	for (uint32_t i = 0; i < ROWS; i++) { /* seven single addresses, then eight in one */
		bool single = i % FEW != FEW - 1;

		r->rows[i] = (struct announcer_row){.ifindex = bed->v0,
			.prefix = {.length = single ? 32 : 29, .addr = {.family = IP_V4,
				.bytes = {10, 57, (uint8_t)(i / FEW * 16 / 256),
					(uint8_t)(i / FEW * 16 % 256 + (single ? i % FEW : FEW))}}}};
		memcpy(r->rows[i].mac, mac, sizeof(mac));
		all += single ? 1 : FEW;
	}
	atomic_store(&r->until_ns, mono_add_ns(mono_now(), 30 * NS_PER_S).ns);
	assert_int_equal(announcer_start(&a), 0);
	assert_true(announcer_submit(a, r));
	assert_ptr_equal(await(a), r);
	assert_true(r->whole);
	assert_int_equal(r->addresses, all);
	h = hear(fd, "10.57.0.0/16");
	for (uint32_t i = 0; i < ROWS / FEW * 16; i++) {
		unsigned wanted = i % 16 != FEW - 1;

		assert_int_equal(h->times[0][i], wanted);
		assert_int_equal(h->times[1][i], wanted);
	}
	assert_int_equal(h->other, 0);
	free(h);
	free(r);
	close(fd);
	announcer_stop(a);
}

/* A row with another sender's address in between. */
static void
test_macs_within_a_batch(void **state)
{
	static const char *const blocks[] = {"10.58.0.1/32", "10.58.0.2/32", "10.58.0.3/32"};
	struct bed *bed = *state;
	int fd = listen_there(bed);
	struct announcer_round *r = round_of(bed, blocks, 3, 0);
	struct announcer *a;
	uint8_t frame[128];

	r->rows[1].mac[5] = 0x77;
	assert_int_equal(announcer_start(&a), 0);
	assert_true(announcer_submit(a, r));
	free(await(a));
	for (unsigned i = 0; i < 6; i++) {
		uint8_t last = i % 3 == 1 ? 0x77 : 0x01;

		assert_int_equal(recv(fd, frame, sizeof(frame), 0), ARP_FRAME);
		assert_int_equal(frame[31], i % 3 + 1);
		assert_int_equal(frame[11], last);
		assert_int_equal(frame[27], last);
		assert_int_equal(frame[21], i / 3 + 1);
		assert_true(i < 3 || frame[37] == last);
	}
	close(fd);
	announcer_stop(a);
}

/* A large round is two threads' work: cancelled, refused or ended, it comes back and nothing follows. */
static void
test_a_round_with_help(void **state)
{
	static const char *const blocks[] = {"10.59.0.0/16"};
	struct bed *bed = *state;
	int fd = listen_there(bed);
	unsigned before = threads_now();
	struct announcer_round *r;
	struct announcer *a;
	struct heard *h;

	assert_int_equal(announcer_start(&a), 0);
	assert_int_equal(threads_now() - before, sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1);
	for (int i = 0; i < 20; i++) {
		r = round_of(bed, blocks, 1, 0);
		assert_true(announcer_submit(a, r));
		usleep((useconds_t)(i * 700));
		announcer_cancel(r);
		assert_ptr_equal(await(a), r);
		assert_false(r->whole);
		h = hear(fd, blocks[0]);
		for (size_t k = 0; k < BIG; k++)
			if (h->times[0][k] + h->times[1][k] > 1)
				fail_msg("address %zu is announced twice", k);
		free(h);
		usleep(2000);
		assert_int_equal(recv(fd, &i, sizeof(i), MSG_DONTWAIT | MSG_PEEK), -1);
		free(r);
	}
	r = round_of(bed, blocks, 1, 0);
	r->rows[0].ifindex = 99999;
	assert_true(announcer_submit(a, r));
	assert_ptr_equal(await(a), r);
	assert_false(r->whole);
	assert_int_equal(r->addresses, 0);
	free(r);
	for (int i = 0; i < 3; i++)
		assert_true(announcer_submit(a, round_of(bed, blocks, 1, 0)));
	usleep(5000);
	announcer_stop(a);
	assert_int_equal(threads_now(), before);
	close(fd);
}

static unsigned
count_frames(struct wire *w, const char *prefix)
{
	struct wire_frame f;
	struct ip_prefix p;
	unsigned n = 0;

	assert_true(ip_prefix_parse(prefix, &p));
	while (wire_read(w, WIRE_ARP, &f))
		n += ip_prefix_contains(&p, &f.sender);
	return n;
}

/* The other node's ears: a sample of a block's announcements, and everything else. */
static void
test_a_quiet_wire_samples(void **state)
{
	static const char *const blocks[] = {"10.55.0.0/16"}, *const outside[] = {"10.56.0.0/29"};
	struct bed *bed = *state;
	struct ip_prefix quiet[2];
	struct announcer *a;
	struct wire ears, mouth;
	struct ip_addr own = {.family = IP_V4, .bytes = {10, 55, 1, 1}}, other = own;
	unsigned heard;

	other.bytes[3] = 2;
	assert_true(ip_prefix_parse("10.54.0.0/16", &quiet[0]));
	assert_true(ip_prefix_parse("10.55.0.0/16", &quiet[1]));
	bed_enter(bed->there);
	assert_int_equal(wire_open(&ears), 0);
	bed_enter(bed->here);
	assert_int_equal(wire_open(&mouth), 0);
	assert_int_equal(wire_quiet(&ears, quiet, 2), 0);
	assert_int_equal(announcer_start(&a), 0);
	assert_true(announcer_submit(a, round_of(bed, outside, 1, 0)));
	free(await(a));
	assert_int_equal(count_frames(&ears, "10.56.0.0/16"), 16);
	assert_true(announcer_submit(a, round_of(bed, blocks, 1, 0)));
	free(await(a));
	heard = count_frames(&ears, "10.55.0.0/16");
	assert_true(heard > 100); /* at least what its buffer holds of them */
	assert_true(heard < 2 * BIG / WIRE_SAMPLE * 3 / 2);
	/* a question from an address of the block is no announcement */
	for (int i = 0; i < 100; i++)
		assert_int_equal(wire_ask(&mouth, bed->v0, mac, &own, &other), 0);
	assert_int_equal(count_frames(&ears, "10.55.0.0/16"), 100);
	/* as loud as before */
	assert_int_equal(wire_quiet(&ears, NULL, 0), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(wire_ask(&mouth, bed->v0, mac, &own, &own), 0);
	assert_int_equal(count_frames(&ears, "10.55.0.0/16"), 100);
	announcer_stop(a);
	wire_close(&ears);
	wire_close(&mouth);
}

/* As many prefixes as there may be, and more: the kernel takes the filter. */
static void
test_a_wire_with_many_quiet_prefixes(void **state)
{
	struct ip_prefix *many = calloc(WIRE_QUIET + 24, sizeof(*many));
	struct wire w;

	(void)state;
	assert_non_null(many);
	for (size_t i = 0; i < WIRE_QUIET + 24; i++)
		many[i] = (struct ip_prefix){.length = 24, .addr = {.family = IP_V4,
			.bytes = {10, (uint8_t)(i / 256), (uint8_t)i}}};
	assert_int_equal(wire_open(&w), 0);
	assert_int_equal(wire_quiet(&w, many, WIRE_QUIET + 24), 0);
	wire_close(&w);
	free(many);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_address_in_both_forms),
		cmocka_unit_test(test_rows_and_rounds),
		cmocka_unit_test(test_rows_within_a_batch),
		cmocka_unit_test(test_macs_within_a_batch),
		cmocka_unit_test(test_nothing_is_sent_after_the_end),
		cmocka_unit_test(test_a_round_with_help),
		cmocka_unit_test(test_what_cannot_be_sent_comes_back),
		cmocka_unit_test(test_a_quiet_wire_samples),
		cmocka_unit_test(test_a_wire_with_many_quiet_prefixes),
	};

	return cmocka_run_group_tests(tests, bed_setup, bed_teardown);
}
