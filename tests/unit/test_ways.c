/* Whose connection it is. */
#include "core/ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { TCP = 6, SCTP = 132 };

static struct endpoint
at(const char *text)
{
	struct endpoint e = {.port = 0};

	assert_true(endpoint_parse(text, &e) || ip_addr_parse(text, &e.addr));
	return e;
}

static struct way
way(uint8_t protocol, const char *service, const char *server)
{
	struct way w = {.protocol = protocol, .server = at(server)};

	if (service)
		w.service = at(service);
	return w;
}

static uint16_t
place_of(const struct ways *ways, uint8_t protocol, const char *service, const char *server)
{
	struct way w = way(protocol, service, server);

	return ways_find(ways, &w, way_number(&w));
}

static void
add(struct ways *ways, uint8_t protocol, const char *service, const char *server, uint16_t place)
{
	struct way w = way(protocol, service, server);

	ways_add(ways, &w, place);
}

static void
every_part_of_a_way_counts(void **state)
{
	struct way_row rows[8];
	struct ways ways = {.rows = rows};

	(void)state;
	assert_int_equal(place_of(&ways, TCP, "10.77.0.100:80", "10.88.0.21:8080"), WAYS_ELSEWHERE);
	add(&ways, TCP, "10.77.0.100:80", "10.88.0.21:8080", 3);
	add(&ways, TCP, "[fd00:77::100]:80", "[fd00:88::21]:8080", 4);
	add(&ways, TCP, "10.77.0.100:81", "10.88.0.21:8080", 5);
	ways_sort(&ways);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.100:80", "10.88.0.21:8080"), 3);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.100:81", "10.88.0.21:8080"), 5);
	assert_int_equal(place_of(&ways, TCP, "[fd00:77::100]:80", "[fd00:88::21]:8080"), 4);
	assert_int_equal(place_of(&ways, SCTP, "10.77.0.100:80", "10.88.0.21:8080"), WAYS_ELSEWHERE);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.101:80", "10.88.0.21:8080"), WAYS_ELSEWHERE);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.100:82", "10.88.0.21:8080"), WAYS_ELSEWHERE);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.100:80", "10.88.0.22:8080"), WAYS_ELSEWHERE);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.100:80", "10.88.0.21:8081"), WAYS_ELSEWHERE);
}

/* What listens on all ports has those that nobody else listens on. */
static void
all_ports_but_those_of_others(void **state)
{
	struct way_row rows[8];
	struct ways ways = {.rows = rows};

	(void)state;
	add(&ways, TCP, "10.77.0.100", "10.88.0.21", 1);
	add(&ways, TCP, "10.77.0.100:443", "10.88.0.21:443", WAYS_ELSEWHERE);
	ways_sort(&ways);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.100:80", "10.88.0.21:80"), 1);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.100:443", "10.88.0.21:443"), WAYS_ELSEWHERE);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.101:80", "10.88.0.21:80"), WAYS_ELSEWHERE);
}

static void
a_mark_takes_what_no_service_has(void **state)
{
	struct way_row rows[8];
	struct ways ways = {.rows = rows};

	(void)state;
	add(&ways, 0, NULL, "10.88.0.21", 2);
	add(&ways, 0, NULL, "10.88.0.22:8080", 7);
	add(&ways, TCP, "10.77.0.100:80", "10.88.0.21:80", WAYS_ELSEWHERE);
	ways_sort(&ways);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.9:25", "10.88.0.21:25"), 2);
	assert_int_equal(place_of(&ways, SCTP, "10.77.0.9:25", "10.88.0.21:26"), 2);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.9:25", "10.88.0.22:8080"), 7);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.9:25", "10.88.0.22:25"), WAYS_ELSEWHERE);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.100:80", "10.88.0.21:80"), WAYS_ELSEWHERE);
}

/* Of a service that is another one's and a place the place counts, in whatever order they came. */
static void
a_place_before_elsewhere(void **state)
{
	struct way_row rows[8];
	struct ways ways = {.rows = rows};

	(void)state;
	add(&ways, TCP, "10.77.0.100:80", "10.88.0.21:80", WAYS_ELSEWHERE);
	add(&ways, TCP, "10.77.0.100:80", "10.88.0.21:80", 0);
	add(&ways, TCP, "10.77.0.100:80", "10.88.0.21:80", WAYS_ELSEWHERE);
	ways_sort(&ways);
	assert_int_equal(place_of(&ways, TCP, "10.77.0.100:80", "10.88.0.21:80"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_of_a_way_counts),
		cmocka_unit_test(all_ports_but_those_of_others),
		cmocka_unit_test(a_mark_takes_what_no_service_has),
		cmocka_unit_test(a_place_before_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
