/*
 * IPVS attributes: the bytes that ip_vs_ctl.c reads, every field there and back, and answers that
 * are cut or odd.
 */
#include "linux/ipvs_codec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ip_vs.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

static struct endpoint
at(const char *text)
{
	struct endpoint e;

	assert_true(endpoint_parse(text, &e));
	return e;
}

static struct vs_service
service(const char *listen, uint8_t protocol)
{
	return (struct vs_service){.key = {.listen = at(listen), .protocol = protocol},
		.scheduler = "wlc"};
}

static struct nlattr *
first_attr(struct nl_msg *msg)
{
	return nlmsg_attrdata(nlmsg_hdr(msg), 0);
}

static void
a_service_has_the_bytes_the_kernel_wants(void **state)
{
	static const uint8_t wanted[] = {
		72, 0, 1, 0x80,
		6, 0, 1, 0, AF_INET, 0, 0, 0,
		6, 0, 2, 0, 6, 0, 0, 0,
		8, 0, 3, 0, 10, 77, 0, 100,
		6, 0, 4, 0, 0x1f, 0x90, 0, 0,
		8, 0, 6, 0, 'w', 'l', 'c', 0,
		12, 0, 7, 0, 0x11, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
		8, 0, 8, 0, 0x2c, 1, 0, 0,
		8, 0, 9, 0, 255, 255, 255, 0,
	};
	struct vs_service s = service("10.77.0.100:8080", 6);
	struct nl_msg *msg = nlmsg_alloc();

	(void)state;
	s.flags = 0x11 | VS_HASHED;
	s.persistence_s = 300;
	assert_true(ip_addr_parse("255.255.255.0", &s.netmask));
	assert_int_equal(ipvs_put_service(msg, &s, true), 0);
	assert_int_equal(nlmsg_datalen(nlmsg_hdr(msg)), sizeof(wanted));
	/* Whether the nest is marked as one is the library's affair (0x8000). */
	assert_memory_equal((char *)nlmsg_data(nlmsg_hdr(msg)) + 4, wanted + 4, sizeof(wanted) - 4);
	assert_int_equal(nla_type(first_attr(msg)), IPVS_CMD_ATTR_SERVICE);
	nlmsg_free(msg);
}

static void
a_real_server_has_the_bytes_the_kernel_wants(void **state)
{
	static const uint8_t wanted[] = {
		6, 0, 11, 0, AF_INET, 0, 0, 0,
		8, 0, 1, 0, 10, 88, 0, 21,
		6, 0, 2, 0, 0, 80, 0, 0,
		8, 0, 3, 0, 3, 0, 0, 0,
		8, 0, 4, 0, 0x00, 0x01, 0, 0,
		8, 0, 5, 0, 0, 0, 0, 0,
		8, 0, 6, 0, 0, 0, 0, 0,
	};
	struct vs_real r = {.address = at("10.88.0.21:80"), .forwarding = VS_DR, .weight = 256};
	struct nl_msg *msg = nlmsg_alloc();

	(void)state;
	assert_int_equal(ipvs_put_real(msg, &r, true), 0);
	assert_int_equal(nlmsg_datalen(nlmsg_hdr(msg)), sizeof(wanted) + 4);
	assert_memory_equal((char *)nlmsg_data(nlmsg_hdr(msg)) + 4, wanted, sizeof(wanted));
	assert_int_equal(nla_type(first_attr(msg)), IPVS_CMD_ATTR_DEST);
	nlmsg_free(msg);
}

static void
round_trip(const struct vs_service *s)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct vs_service back = {.first_real = 1};

	assert_int_equal(ipvs_put_service(msg, s, true), 0);
	assert_true(ipvs_get_service(first_attr(msg), &back));
	assert_true(vs_key_equal(&back.key, &s->key));
	assert_string_equal(back.scheduler, s->scheduler);
	assert_string_equal(back.engine, s->engine);
	assert_int_equal(back.flags, s->flags);
	assert_int_equal(back.persistence_s, s->persistence_s);
	if (s->netmask.family != IP_NONE)
		assert_true(ip_addr_equal(&back.netmask, &s->netmask));
	else
		for (size_t i = 0; i < ip_addr_size(&back.netmask); i++)
			assert_int_equal(back.netmask.bytes[i], 0xff);
	nlmsg_free(msg);
}

static void
services_come_back_as_they_went(void **state)
{
	struct vs_service v4 = service("10.77.0.100:53", 17), v6 = service("[fd00:77::100]:443", 6);
	struct vs_service mark = {.key = {.fwmark = 7, .listen.addr.family = IP_V6},
		.scheduler = "mh", .flags = 0x18};

	(void)state;
	round_trip(&v4);
	round_trip(&v6);
	round_trip(&mark);
	v6.persistence_s = 60;
	v6.flags = VS_PERSISTENT;
	assert_true(ip_addr_parse("ffff:ffff:ffff:ff00::", &v6.netmask));
	round_trip(&v6);
	assert_true(ip_addr_parse("255.255.0.0", &v4.netmask));
	round_trip(&v4);
	strcpy(v4.scheduler, "fifteen-letters");
	round_trip(&v4);
	v4.flags = VS_ONE_PACKET;
	strcpy(v4.engine, "sip");
	round_trip(&v4);
}

static void
real_servers_come_back_as_they_went(void **state)
{
	static const struct vs_real rows[] = {
		{.forwarding = VS_NAT, .weight = 100, .upper_threshold = 1000, .lower_threshold = 900},
		{.forwarding = VS_DR, .weight = 0},
		{.forwarding = VS_TUNNEL, .weight = 1},
		{.forwarding = VS_TUNNEL, .tunnel = VS_GUE, .tunnel_port = 6080,
			.tunnel_checksum = VS_REMOTE_CHECKSUM, .weight = 1},
		{.forwarding = VS_TUNNEL, .tunnel = VS_GRE, .tunnel_checksum = VS_CHECKSUM, .weight = 1},
	};
	struct vs_service s = service("10.0.0.1:80", 132);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct nl_msg *msg = nlmsg_alloc();
		struct vs_real r = rows[i], back;

		r.address = at("10.88.0.21:8080");
		assert_int_equal(ipvs_put_real(msg, &r, true), 0);
		assert_true(ipvs_get_real(first_attr(msg), &s, &back));
		assert_memory_equal(&back, &r, sizeof(r));
		nlmsg_free(msg);
	}
}

static void
what_cannot_be_said_is_refused(void **state)
{
	struct vs_service s = service("10.0.0.1:80", 6);
	struct vs_real r = {.address = at("10.0.0.2:80"), .forwarding = VS_OTHER};
	struct nl_msg *msg = nlmsg_alloc();

	(void)state;
	assert_int_equal(ipvs_put_real(msg, &r, true), -EINVAL);
	assert_int_equal(ipvs_put_real(msg, &r, false), 0); /* but it can be removed */
	r.address.addr.family = IP_NONE;
	assert_int_equal(ipvs_put_real(msg, &r, false), -EAFNOSUPPORT);
	memset(s.scheduler, 'x', sizeof(s.scheduler));
	assert_int_equal(ipvs_put_service(msg, &s, true), -EINVAL);
	s = (struct vs_service){.key.fwmark = 1};
	assert_int_equal(ipvs_put_service(msg, &s, false), -EAFNOSUPPORT);
	nlmsg_free(msg);
}

static void
a_message_without_room_is_an_error(void **state)
{
	struct vs_service s = service("10.0.0.1:80", 6);
	struct vs_real r = {.address = at("10.0.0.2:80")};
	struct ipvs_daemon d = {.role = IP_VS_STATE_MASTER, .interface = "eth0"};

	(void)state;
	for (size_t size = NLMSG_HDRLEN; size < NLMSG_HDRLEN + 36; size += 4) {
		struct nl_msg *msg = nlmsg_alloc_size(size);

		assert_int_equal(ipvs_put_service(msg, &s, true), -ENOMEM);
		nlmsg_free(msg);
		msg = nlmsg_alloc_size(size);
		assert_int_equal(ipvs_put_real(msg, &r, true), -ENOMEM);
		nlmsg_free(msg);
		msg = nlmsg_alloc_size(size < NLMSG_HDRLEN + 28 ? size : NLMSG_HDRLEN);
		assert_int_equal(ipvs_put_daemon(msg, &d, true), -ENOMEM);
		nlmsg_free(msg);
	}
}

/* A real server as the kernel dumps it, with whatever the caller adds. */
static struct nlattr *
dumped_real(struct nl_msg *msg, uint16_t family, uint32_t method)
{
	static const uint8_t address[16] = {10, 88, 0, 21};
	struct nlattr *nest = nla_nest_start(msg, IPVS_CMD_ATTR_DEST);

	nla_put(msg, IPVS_DEST_ATTR_ADDR, sizeof(address), address);
	nla_put_u16(msg, IPVS_DEST_ATTR_PORT, htons(8080));
	nla_put_u32(msg, IPVS_DEST_ATTR_FWD_METHOD, method);
	nla_put_u32(msg, IPVS_DEST_ATTR_WEIGHT, 9);
	nla_put_u32(msg, IPVS_DEST_ATTR_ACTIVE_CONNS, 3);
	nla_put_u32(msg, IPVS_DEST_ATTR_INACT_CONNS, 4);
	if (family != 0)
		nla_put_u16(msg, IPVS_DEST_ATTR_ADDR_FAMILY, family);
	return nest;
}

static void
methods_and_families_of_others_are_not_lost(void **state)
{
	static const struct {
		uint16_t family;
		uint32_t method;
		uint8_t forwarding, ip;
	} rows[] = {{0, 0, VS_NAT, IP_V4}, {AF_INET, 3, VS_DR, IP_V4}, {AF_INET, 0x103, VS_DR, IP_V4},
		{AF_INET, 2, VS_TUNNEL, IP_V4}, {AF_INET, 1, VS_OTHER, IP_V4},
		{AF_INET6, 2, VS_TUNNEL, IP_V6}, {AF_INET, 4, VS_OTHER, IP_V4}};
	struct vs_service s = service("10.0.0.1:80", 6);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct nl_msg *msg = nlmsg_alloc();
		struct vs_real r;

		nla_nest_end(msg, dumped_real(msg, rows[i].family, rows[i].method));
		assert_true(ipvs_get_real(first_attr(msg), &s, &r));
		assert_int_equal(r.forwarding, rows[i].forwarding);
		assert_int_equal(r.address.addr.family, rows[i].ip);
		assert_int_equal(r.address.port, 8080);
		assert_int_equal(r.weight, 9);
		assert_int_equal(r.active_connections, 3);
		assert_int_equal(r.inactive_connections, 4);
		nlmsg_free(msg);
	}
}

static void
put_stats(struct nl_msg *msg, int type, bool wide, uint64_t first)
{
	struct nlattr *nest = nla_nest_start(msg, type);

	for (int i = IPVS_STATS_ATTR_CONNS; i <= IPVS_STATS_ATTR_OUTBYTES; i++)
		if (wide || i >= IPVS_STATS_ATTR_INBYTES)
			nla_put_u64(msg, i, first + (uint64_t)i);
		else
			nla_put_u32(msg, i, (uint32_t)first + (uint32_t)i);
	nla_nest_end(msg, nest);
}

static void
counters_of_64_bits_are_preferred(void **state)
{
	static const uint64_t wide = UINT64_C(1) << 40;
	struct vs_service s = service("10.0.0.1:80", 6);

	(void)state;
	for (int with_wide = 0; with_wide < 2; with_wide++) {
		struct nl_msg *msg = nlmsg_alloc();
		struct nlattr *nest = dumped_real(msg, AF_INET, 0);
		uint64_t first = with_wide ? wide : 100;
		struct vs_real r;

		put_stats(msg, IPVS_DEST_ATTR_STATS, false, 100);
		if (with_wide)
			put_stats(msg, IPVS_DEST_ATTR_STATS64, true, wide);
		nla_nest_end(msg, nest);
		assert_true(ipvs_get_real(first_attr(msg), &s, &r));
		assert_true(r.connections == first + 1 && r.in_packets == first + 2);
		assert_true(r.out_packets == first + 3 && r.in_bytes == first + 4);
		assert_true(r.out_bytes == first + 5);
		nlmsg_free(msg);
	}
}

/* Every cut of a good message: never read beyond it (the sanitizers watch), mostly refused. */
static void
cut_answers_are_refused(void **state)
{
	struct vs_service s = service("10.77.0.100:8080", 6), back;
	struct nl_msg *msg = nlmsg_alloc();
	size_t whole;

	(void)state;
	assert_false(ipvs_get_service(NULL, &back));
	assert_int_equal(ipvs_put_service(msg, &s, true), 0);
	whole = first_attr(msg)->nla_len;
	for (size_t length = sizeof(struct nlattr); length < whole; length++) {
		unsigned char copy[256];
		struct nlattr *attr = (struct nlattr *)(void *)copy;

		memcpy(copy, first_attr(msg), length);
		attr->nla_len = (uint16_t)length;
		assert_false(ipvs_get_service(attr, &back));
	}
	nlmsg_free(msg);
}

static void
odd_answers_are_refused(void **state)
{
	struct vs_service s = service("10.0.0.1:80", 6);
	struct nl_msg *msg = nlmsg_alloc();
	struct ipvs_daemon d;
	struct vs_real r;

	(void)state;
	nla_nest_end(msg, dumped_real(msg, AF_UNIX, 0));
	assert_false(ipvs_get_real(first_attr(msg), &s, &r));
	assert_false(ipvs_get_real(NULL, &s, &r));
	assert_false(ipvs_get_daemon(NULL, &d));
	assert_false(ipvs_get_service(first_attr(msg), &s));
	nlmsg_free(msg);
}

static void
daemons_come_back_as_they_went(void **state)
{
	struct ipvs_daemon d = {.role = IP_VS_STATE_BACKUP, .id = 255, .interface = "fifteen-letters"};
	struct ipvs_daemon back = {0};
	struct nl_msg *msg = nlmsg_alloc();

	(void)state;
	assert_int_equal(ipvs_put_daemon(msg, &d, true), 0);
	assert_true(ipvs_get_daemon(first_attr(msg), &back));
	assert_int_equal(back.role, d.role);
	assert_int_equal(back.id, d.id);
	assert_string_equal(back.interface, d.interface);
	nlmsg_free(msg);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_has_the_bytes_the_kernel_wants),
		cmocka_unit_test(a_real_server_has_the_bytes_the_kernel_wants),
		cmocka_unit_test(services_come_back_as_they_went),
		cmocka_unit_test(real_servers_come_back_as_they_went),
		cmocka_unit_test(what_cannot_be_said_is_refused),
		cmocka_unit_test(a_message_without_room_is_an_error),
		cmocka_unit_test(methods_and_families_of_others_are_not_lost),
		cmocka_unit_test(counters_of_64_bits_are_preferred),
		cmocka_unit_test(cut_answers_are_refused),
		cmocka_unit_test(odd_answers_are_refused),
		cmocka_unit_test(daemons_come_back_as_they_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
