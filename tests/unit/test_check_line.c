/*
 * What the prober and the resolver may say in the log: each line that they have passes, as
 * base/logline.c builds it, and nothing that reads as somebody else's.
 */
#include "ipc/check.h"

#include "base/logline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool
passes(enum process_role from, const char *text)
{
	return ipc_line_is_sound(from, text, strlen(text));
}

/* The worst that a value can be, but for what is never to be found in a line. */
static const char nasty[] = "a \"quoted\" = \\ \n\033[2J \xff \"";

static void
begin(struct log_line *line, const char *name, enum reason reason)
{
	log_line_begin(line, name ? "process" : "probe");
	if (name)
		log_line_text(line, "name", name);
	log_line_reason(line, reason);
}

static void
of_the_prober(void **state)
{
	struct log_line line;

	(void)state;
	begin(&line, NULL, REASON_WOKE_LATE);
	log_line_int(&line, "voided", 7);
	log_line_ms(&line, "stalled_ms", -1);
	assert_true(passes(PROCESS_PROBER, line.text));
	assert_false(passes(PROCESS_RESOLVER, line.text));
	begin(&line, NULL, REASON_SYSTEM);
	log_line_int(&line, "target", 12);
	log_line_text(&line, "error", nasty);
	assert_true(passes(PROCESS_PROBER, line.text));
	assert_false(passes(PROCESS_RESOLVER, line.text));
}

static void
of_both(void **state)
{
	static const struct {
		enum process_role role;
		const char *name;
	} both[] = {{PROCESS_PROBER, "prober"}, {PROCESS_RESOLVER, "resolver"}};
	struct log_line line;

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(&line, both[i].name, REASON_SYSTEM);
		log_line_text(&line, "detail", "icmp-socket");
		log_line_text(&line, "error", "");
		assert_true(passes(both[i].role, line.text));
		assert_false(passes(both[1 - i].role, line.text));
		begin(&line, both[i].name, REASON_BAD_MESSAGE);
		log_line_text(&line, "to", both[i].name);
		log_line_int(&line, "kind", -3);
		log_line_int(&line, "bytes", 0);
		log_line_int(&line, "refused", 1);
		log_line_int(&line, "suppressed", 0);
		assert_true(passes(both[i].role, line.text));
		assert_false(passes(both[1 - i].role, line.text));
		assert_false(passes(PROCESS_ELECTION, line.text));
	}
}

static void
forged(void **state)
{
	static const char *const texts[] = {
		"", " ", "event=", "x", "event=role router=web from=backup to=active reason=peer-silent",
		"event=probe", "event=probe reason=", "event=probe reason=systems",
		"event=probe reason=no-result server=r1",
		"event=process name=election reason=system",
		"event=process name=prober reason=crashed",
		"event=process name=prober name=election reason=system",
		"event=process name=prober reason=system name=election",
		"event=probe reason=system event=role", "event=probe reason=system error=event=role",
		"event=probe reason=system error=\"event=role\"",
		"event=probe reason=system error=\"a", "event=probe reason=system error=\"a\\\"",
		"event=probe reason=system error=\"a\\", "event=probe reason=system error=\"a\"b",
		"event=probe reason=system error=", "event=probe reason=system error= target=1",
		"event=probe reason=system error", "event=probe reason=system target",
		"event=probe reason=system  target=1", "event=probe reason=system target=1 ",
		"event=probe reason=system target=1=2", "event=probe reason=system targe=1",
		"event=probe reason=system =1", "event=probe reason=system target error=1",
		"event=probe reason=system error=a\\b", "event=probe reason=system error=a\"b",
		"event=probe reason=system error=a\n", "event=probe reason=system error=\"a\nb\"",
		"event=probe reason=system error=\"\033[2J\"", "event=probe reason=system error=\"\x7f\"",
		"event=probe reason=system error=\"\xc3\xa4\"", "Event=probe reason=system",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (passes(PROCESS_PROBER, texts[i]) || passes(PROCESS_RESOLVER, texts[i]))
			fail_msg("passes: %s", texts[i]);
	assert_true(passes(PROCESS_PROBER, "event=probe reason=system"));
	assert_false(ipc_line_is_sound(PROCESS_PROBER, "event=probe reason=system\0", 26));
}

static void
lengths(void **state)
{
	char text[LIMIT_LOG_LINE + 2] = "event=probe reason=system error=";
	size_t used = strlen(text);

	(void)state;
	memset(text + used, 'a', sizeof(text) - used - 1);
	assert_true(ipc_line_is_sound(PROCESS_PROBER, text, LIMIT_LOG_LINE - 1));
	assert_false(ipc_line_is_sound(PROCESS_PROBER, text, LIMIT_LOG_LINE));
	assert_false(ipc_line_is_sound(PROCESS_PROBER, text, LIMIT_LOG_LINE + 1));
}

/* Whatever is changed in a good one: what still passes begins as it did and has no other event. */
static void
changed(void **state)
{
	static const char good[] = "event=probe reason=system target=12 error=\"a \\\"b\\\" \\\\ c\"";
	static const char bytes[] = "\" \\=\n\033aeventrole0";
	uint32_t random = 1, passed = 0;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		char text[sizeof(good)];

		memcpy(text, good, sizeof(text));
		for (int j = 0; j < 1 + i % 8; j++) {
			random = random * 1664525u + 1013904223u;
			text[(random >> 8) % (sizeof(text) - 1)] =
				bytes[(random >> 20) % (sizeof(bytes) - 1)];
		}
		if (!passes(PROCESS_PROBER, text))
			continue;
		passed++;
		assert_memory_equal(text, "event=probe reason=system", 25);
		assert_null(strstr(text + 1, "event="));
		assert_null(strpbrk(text, "\n\033"));
	}
	assert_true(passed > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_the_prober),
		cmocka_unit_test(of_both),
		cmocka_unit_test(forged),
		cmocka_unit_test(lengths),
		cmocka_unit_test(changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
