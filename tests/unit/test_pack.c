/* A packed configuration: whole it comes out the same, damaged in any way it does not come out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/pack.h"
#include "conf/read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char text[] =
	"nodes = ( { name = \"lb1\"; address = \"10.0.0.1\"; } );\n"
	"virtual_routers = ( { name = \"web\"; vrid = 1; interface = \"eth0\";\n"
	"  addresses = [ \"10.0.0.100/24\" ]; track = { gateways = [ \"10.0.0.254\" ];\n"
	"  probes = ( { name = \"p\"; address = \"127.0.0.1:80\"; } ); }; } );\n"
	"virtual_servers = ( { name = \"http\"; listen = \"10.0.0.100:80\";\n"
	"  probe = { type = \"http\"; };\n"
	"  real_servers = ( { name = \"a\"; address = \"10.0.1.1:80\"; },\n"
	"    { name = \"b\"; address = \"10.0.1.2:80\"; probe = { rise = 9; }; } ); } );\n";

static void
read_text(const char *bytes, struct config *c)
{
	char path[] = "/tmp/tandem-pack-XXXXXX";
	int fd = mkstemp(path);
	struct conf_errors errors;

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	close(fd);
	assert_true(config_read_path(path, c, &errors));
	unlink(path);
}

static void
comes_out_the_same(void **state)
{
	struct config c, unpacked, again;
	int fd;

	(void)state;
	read_text(text, &c);
	fd = config_pack(&c);
	assert_int_not_equal(fd, -1);
	assert_true(config_unpack(fd, &unpacked));
	assert_true(config_equal(&c, &unpacked));
	assert_true(config_copy(&unpacked, &again)); /* tables that can be written */
	config_free(&unpacked);
	assert_true(config_equal(&c, &again));
	assert_int_equal(again.real_count, 2);
	assert_string_equal(again.reals[1].name, "b");
	again.reals[1].weight++;
	assert_false(config_equal(&c, &again));
	again.reals[1].weight--;
	again.interval_ms++;
	assert_false(config_equal(&c, &again));
	config_free(&again);
	config_free(&c);
	close(fd);
}

/* The same rows, without a copy of them, as long as anybody has them. */
static void
is_shared(void **state)
{
	struct config c, first, second;
	int fd;

	(void)state;
	read_text(text, &c);
	fd = config_pack(&c);
	assert_true(config_unpack(fd, &first));
	close(fd);
	assert_true(config_share(&first, &second));
	assert_ptr_equal(first.reals, second.reals);
	config_free(&first);
	assert_null(first.reals);
	assert_true(config_equal(&c, &second));
	config_free(&second);
	assert_true(config_share(&c, &first)); /* of a file's, which can be written: a copy */
	assert_ptr_not_equal(first.reals, c.reals);
	config_free(&c);
	assert_string_equal(first.reals[1].name, "b");
	config_free(&first);
}

/* Behind an odd number of bytes too, so that a table can be read where it lies. */
static void
is_aligned(void **state)
{
	struct conf_byte bytes[3] = {{1}, {2}, {3}};
	struct conf_track track = {.kind = CONF_TRACK_GATEWAY, .name = "10.0.0.254"};
	struct config c = {.ca_bytes = bytes, .ca_byte_count = 3, .tracks = &track, .track_count = 1};
	struct config again;
	int fd = config_pack(&c);

	(void)state;
	assert_true(config_unpack(fd, &again));
	assert_int_equal((uintptr_t)again.tracks % _Alignof(struct conf_track), 0);
	assert_true(config_equal(&c, &again));
	config_free(&again);
	close(fd);
}

static void
cannot_be_changed(void **state)
{
	struct config c;
	int fd;

	(void)state;
	read_text(text, &c);
	fd = config_pack(&c);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	config_free(&c);
	close(fd);
}

static void
of_nothing(void **state)
{
	struct config none = {0};
	struct config again;
	int fd = config_pack(&none);

	(void)state;
	assert_true(config_unpack(fd, &again));
	assert_true(config_equal(&none, &again));
	config_free(&again);
	config_free(&none);
	close(fd);
}

/* The bytes of a packed configuration in a descriptor of their own; -1 seals: like the original. */
static int
descriptor_of(const unsigned char *bytes, size_t n, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

enum { ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static bool
unpacks(const unsigned char *bytes, size_t n, int seals)
{
	int fd = descriptor_of(bytes, n, seals);
	struct config c;
	bool whole = config_unpack(fd, &c);

	if (!whole)
		assert_null(c.reals);
	config_free(&c);
	close(fd);
	return whole;
}

static unsigned char *
packed(size_t *n)
{
	struct config c;
	struct stat st;
	unsigned char *bytes;
	int fd;

	read_text(text, &c);
	fd = config_pack(&c);
	assert_int_equal(fstat(fd, &st), 0);
	*n = (size_t)st.st_size;
	bytes = malloc(*n + 1);
	assert_int_equal(pread(fd, bytes, *n, 0), st.st_size);
	bytes[*n] = 0;
	config_free(&c);
	close(fd);
	return bytes;
}

static void
of_another_kind(void **state)
{
	size_t n;
	unsigned char *bytes = packed(&n);
	struct config c;
	int fds[2];

	(void)state;
	assert_true(unpacks(bytes, n, ALL_SEALS));
	assert_false(unpacks(bytes, n, ALL_SEALS & ~F_SEAL_WRITE));
	assert_false(unpacks(bytes, n, F_SEAL_SEAL));
	assert_false(unpacks(bytes, n + 1, ALL_SEALS));
	for (size_t cut = 0; cut < n; cut += 7)
		assert_false(unpacks(bytes, cut, ALL_SEALS));
	assert_int_equal(pipe(fds), 0);
	assert_false(config_unpack(fds[0], &c));
	assert_false(config_unpack(-1, &c));
	close(fds[0]);
	close(fds[1]);
	free(bytes);
}

/*
 * Every byte turned over, one at a time. It may come out as another configuration, but never with
 * a reference beyond a table: so the printing of names behind the references must not fault (the
 * sanitizer build looks on). The header's sizes and counts are refused whatever is in them.
 */
static void
with_a_byte_wrong(void **state)
{
	size_t n;
	unsigned char *bytes = packed(&n);
	size_t refused = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct config c;
		int fd;

		bytes[i] ^= 0xff;
		fd = descriptor_of(bytes, n, ALL_SEALS);
		if (config_unpack(fd, &c)) {
			assert_true(i >= 16); /* the magic and the header's size */
			for (uint32_t v = 0; v < c.virtual_count; v++) {
				assert_true(c.virtuals[v].router < c.router_count);
				assert_true(c.virtuals[v].first_real + c.virtuals[v].real_count <=
					c.real_count);
			}
			for (uint32_t r = 0; r < c.real_count; r++)
				assert_true(c.reals[r].probe < c.probe_count);
			for (uint32_t r = 0; r < c.router_count; r++)
				assert_true(c.routers[r].first_track + c.routers[r].track_count <=
					c.track_count);
			for (uint32_t t = 0; t < c.track_count; t++)
				assert_true(c.tracks[t].kind == CONF_TRACK_PROBE
					? c.tracks[t].probe < c.probe_count
					: c.tracks[t].kind <= CONF_TRACK_SCRIPT);
		} else
			refused++;
		config_free(&c);
		close(fd);
		bytes[i] ^= 0xff;
	}
	assert_true(refused > 100);
	free(bytes);
}

/* Changed after it was read, packed as it is: does it come out? */
static bool
comes_out(const struct config *c)
{
	struct config again;
	int fd = config_pack(c);
	bool whole = config_unpack(fd, &again);

	config_free(&again);
	close(fd);
	return whole;
}

static void
set_byte(void *at, uint8_t byte)
{
	memcpy(at, &byte, 1);
}

#define REFUSED_WITH(field, value)                                                                 \
	do {                                                                                       \
		uint8_t kept;                                                                      \
		memcpy(&kept, &(field), 1);                                                        \
		set_byte(&(field), value);                                                         \
		assert_false(comes_out(&c));                                                       \
		set_byte(&(field), kept);                                                          \
	} while (0)

/* A number that stands for a word, a truth, an address: what is none of them is read by nobody. */
static void
with_a_value_out_of_range(void **state)
{
	struct config c;

	(void)state;
	read_text(text, &c);
	assert_true(comes_out(&c));
	REFUSED_WITH(c.checksum, 2);
	REFUSED_WITH(c.authentication, 2);
	REFUSED_WITH(c.has_agents, 2);
	REFUSED_WITH(c.sync.enabled, 0xff);
	REFUSED_WITH(c.nodes[0].address.family, 5);
	REFUSED_WITH(c.nodes[0].address.bytes[15], 1); /* not of IPv4 */
	REFUSED_WITH(c.routers[0].preempt, 2);
	REFUSED_WITH(c.routers[0].standby, 2);
	REFUSED_WITH(c.routers[0].fence, 2);
	REFUSED_WITH(c.addresses[0].prefix.length, 33);
	REFUSED_WITH(c.tracks[0].gateway.family, 1);
	REFUSED_WITH(c.probes[c.tracks[1].probe].type, CONF_PROBE_NONE); /* what is tracked is asked */
	REFUSED_WITH(c.virtuals[0].forwarding, 3);
	REFUSED_WITH(c.virtuals[0].protocol, 7);
	REFUSED_WITH(c.virtuals[0].tunnel, 3);
	REFUSED_WITH(c.virtuals[0].tunnel_checksum, 3);
	REFUSED_WITH(c.virtuals[0].when_none_healthy, 2);
	REFUSED_WITH(c.virtuals[0].weighting, 2);
	REFUSED_WITH(c.virtuals[0].down, 2);
	REFUSED_WITH(c.virtuals[0].has_sorry, 3);
	REFUSED_WITH(c.listens[0].last.family, IP_V6);
	REFUSED_WITH(c.listens[0].port_high, 0);
	REFUSED_WITH(c.reals[0].forwarding, 3);
	REFUSED_WITH(c.reals[1].probe_overridden, 2);
	REFUSED_WITH(c.reals[1].address.addr.family, 7);
	REFUSED_WITH(c.probes[c.virtuals[0].probe].query_type, 8);
	REFUSED_WITH(c.probes[c.virtuals[0].probe].rcode, 6);
	REFUSED_WITH(c.probes[c.virtuals[0].probe].verify, 2);
	REFUSED_WITH(c.probes[c.virtuals[0].probe].method, 7);
	assert_true(comes_out(&c));
	config_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_out_the_same),
		cmocka_unit_test(is_shared),
		cmocka_unit_test(is_aligned),
		cmocka_unit_test(cannot_be_changed),
		cmocka_unit_test(of_nothing),
		cmocka_unit_test(of_another_kind),
		cmocka_unit_test(with_a_byte_wrong),
		cmocka_unit_test(with_a_value_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
