/*
 * The hush in a real kernel: a client in mid-connection, whose connection this host does not know,
 * is not turned away while it lasts; whoever asks for a new connection is told as ever, and so is
 * everybody at another address. It ends by itself.
 */
#include "bed.h"

#include "base/mono.h"
#include "linux/hush.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLOSED_PORT = 7777, AT_ONCE_MS = 150, HUSHED_MS = 500, SOON_MS = 3000, LONG_MS = 60000 };
static const char name[] = "tandem-test-hush";
static const char hushed4[] = "10.9.0.100", other4[] = "10.9.0.101";
static const char hushed6[] = "fd00:9::100", other6[] = "fd00:9::101";

static struct ip_addr
address(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static socklen_t
socket_address(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(CLOSED_PORT);
		return sizeof(*v4);
	}
	assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(CLOSED_PORT);
	return sizeof(*v6);
}

static int
client_socket(const struct sockaddr_storage *to)
{
	int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	return fd;
}

static void
say(int fd)
{
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
}

/* There: a connection of which the other side knows nothing (TCP_REPAIR), and a word on it. */
static int
speak_to(struct bed *bed, const char *text)
{
	struct sockaddr_storage to;
	socklen_t length = socket_address(text, &to);
	struct tcp_repair_window window = {.snd_wnd = 1000, .max_window = 1000, .rcv_wnd = 1000};
	int on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF_NO_WP, yes = 1, fd;

	bed_enter(bed->there);
	fd = client_socket(&to);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, length), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof(window)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)), 0);
	bed_enter(bed->here);
	say(fd);
	return fd;
}

/* Is the client turned away within that time? */
static bool
is_reset(int fd, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&p, 1, wait_ms) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) == -1 &&
		errno == ECONNRESET;
}

static void
expect_reset(struct bed *bed, const char *text)
{
	int fd = speak_to(bed, text);

	assert_true(is_reset(fd, SOON_MS));
	close(fd);
}

static void
expect_refused_at_once(struct bed *bed, const char *text)
{
	struct sockaddr_storage to;
	socklen_t length = socket_address(text, &to);
	mono begun = mono_now();
	int fd;

	bed_enter(bed->there);
	fd = client_socket(&to);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, length), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_true(mono_diff_ns(mono_now(), begun) < 500 * NS_PER_MS);
	close(fd);
	bed_enter(bed->here);
}

static void
begin(uint32_t ms)
{
	const struct ip_addr list[] = {address(hushed4), address(hushed6)};

	assert_int_equal(hush_begin(name, list, 2, ms), 0);
}

static void
one_address_is_hushed_and_no_other(void **state)
{
	struct bed *bed = *state;
	const char *hushed[] = {hushed4, hushed6}, *others[] = {other4, other6};

	for (unsigned i = 0; i < 2; i++) {
		int fd;

		expect_reset(bed, hushed[i]);
		begin(LONG_MS);
		begin(LONG_MS); /* once more: no harm */
		fd = speak_to(bed, hushed[i]);
		assert_false(is_reset(fd, AT_ONCE_MS));
		expect_reset(bed, others[i]);
		expect_refused_at_once(bed, hushed[i]);
		assert_int_equal(hush_end(name), 0);
		say(fd);
		assert_true(is_reset(fd, SOON_MS));
		close(fd);
		expect_reset(bed, hushed[i]);
	}
	assert_int_equal(hush_end(name), -ENOENT);
}

static void
it_ends_by_itself(void **state)
{
	struct bed *bed = *state;
	int fd;

	begin(HUSHED_MS);
	fd = speak_to(bed, hushed4);
	assert_false(is_reset(fd, HUSHED_MS - 100));
	assert_false(is_reset(fd, 200));
	say(fd);
	assert_true(is_reset(fd, SOON_MS));
	close(fd);
	expect_reset(bed, hushed4);
	assert_int_equal(hush_end(name), 0);
}

/* An operator who saves and restores his rules must be able to read ours. */
static void
nft_can_read_it(void **state)
{
	(void)state;
	begin(LONG_MS);
	bed_run("nft list table inet %s | grep -q 'tcp flags'", name);
	bed_run("nft list set inet %s hushed4 | grep -q '%s timeout 1m'", name, hushed4);
	assert_int_equal(hush_end(name), 0);
}

static int
set_up(void **state)
{
	int error = bed_setup(state);

	bed_run("ip address add 10.9.0.100/24 dev v0; ip address add 10.9.0.101/24 dev v0");
	bed_add_ipv6("v0", "fd00:9::100");
	bed_add_ipv6("v0", "fd00:9::101");
	bed_add_ipv6_there(*state, "v1", "fd00:9::2");
	return error;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_is_hushed_and_no_other),
		cmocka_unit_test(it_ends_by_itself),
		cmocka_unit_test(nft_can_read_it),
	};

	return cmocka_run_group_tests(tests, set_up, bed_teardown);
}
