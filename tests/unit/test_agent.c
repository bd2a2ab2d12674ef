/* An agent's line: words, their order, what stays said, and what is no word. */
#include "core/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct agent_state
says(const char *line)
{
	return agent_parse((const uint8_t *)line, strlen(line));
}

static void
every_word_means_what_haproxy_means(void **state)
{
	static const struct {
		const char *line;
		struct agent_state is;
	} cases[] = {
		{"", {0}},
		{" \t,, ", {0}},
		{"up", {.health = AGENT_UP}},
		{"UP", {.health = AGENT_UP}},
		{"down", {.health = AGENT_DOWN}},
		{"fail", {.health = AGENT_DOWN}},
		{"Failed", {.health = AGENT_DOWN}},
		{"stopped", {.health = AGENT_DOWN}},
		{"ready", {.admin = AGENT_READY}},
		{"drain", {.admin = AGENT_DRAIN}},
		{"maint", {.admin = AGENT_MAINT}},
		{"75%", {.has_percent = 1, .percent = 75}},
		{"0%", {.has_percent = 1}},
		{"150%", {.has_percent = 1, .percent = 150}},
		{"25601%", {.has_percent = 1, .percent = AGENT_PERCENT_MAX}},
		{"99999999999999999999999999%", {.has_percent = 1, .percent = AGENT_PERCENT_MAX}},
		{"maxconn:30", {.notes = AGENT_NOTE_MAXCONN}},
		{"MAXCONN:x", {.notes = AGENT_NOTE_MAXCONN}},
		{"\tready,75%  up,maxconn:9", {.health = AGENT_UP, .admin = AGENT_READY,
			.has_percent = 1, .percent = 75, .notes = AGENT_NOTE_MAXCONN}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct agent_state s = says(cases[i].line);

		if (!agent_equal(&s, &cases[i].is))
			fail_msg("\"%s\"", cases[i].line);
	}
}

static void
what_is_no_word_is_noted_and_nothing_else(void **state)
{
	static const char *const lines[] = {"u", "upp", "dow", "75", "%", "-3%", "5%5", "5%%", "7 %",
		"0x5%", "ready!", "maxconn", "faile", "\x80"};
	static const struct agent_state unknown = {.notes = AGENT_NOTE_UNKNOWN};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct agent_state s = says(lines[i]);

		if (!agent_equal(&s, &unknown))
			fail_msg("\"%s\"", lines[i]);
	}
	assert_int_equal(agent_parse((const uint8_t *)"up\0down", 7).health, AGENT_NO_HEALTH);
}

static void
of_a_kind_the_last_word_counts(void **state)
{
	(void)state;
	assert_int_equal(says("up down").health, AGENT_DOWN);
	assert_int_equal(says("stopped,up").health, AGENT_UP);
	assert_int_equal(says("maint ready drain").admin, AGENT_DRAIN);
	assert_int_equal(says("10% 20%").percent, 20);
}

static void
what_is_behind_a_sharp_is_for_people(void **state)
{
	(void)state;
	assert_int_equal(says("stopped #up again at 12").health, AGENT_DOWN);
	assert_int_equal(says("stopped #why?").notes, 0);
	assert_int_equal(says("down#up").health, AGENT_DOWN);
	assert_int_equal(says("#down").health, AGENT_NO_HEALTH);
}

static void
a_line_ends_at_the_first_of_cr_and_lf(void **state)
{
	(void)state;
	assert_int_equal(agent_line_length((const uint8_t *)"up\r\n", 4), 2);
	assert_int_equal(agent_line_length((const uint8_t *)"up\ndown\r", 8), 2);
	assert_int_equal(agent_line_length((const uint8_t *)"up", 2), 2);
	assert_int_equal(agent_line_length((const uint8_t *)"\n", 1), 0);
}

static enum agent_effect
after(struct agent_state *all, const char *line)
{
	struct agent_state s = says(line);

	agent_merge(all, &s);
	assert_true(agent_is_sound(all));
	return agent_effect(all);
}

static void
only_its_opposite_takes_a_word_back(void **state)
{
	struct agent_state all = {0};

	(void)state;
	assert_int_equal(after(&all, "down"), AGENT_OUT);
	assert_int_equal(after(&all, "75%"), AGENT_OUT);
	assert_int_equal(after(&all, "ready"), AGENT_OUT);
	assert_int_equal(after(&all, ""), AGENT_OUT);
	assert_int_equal(after(&all, "up"), AGENT_NONE);
	assert_int_equal(all.percent, 75);
	assert_int_equal(after(&all, "drain"), AGENT_DRAINED);
	assert_int_equal(after(&all, "up 100%"), AGENT_DRAINED);
	assert_int_equal(after(&all, "down"), AGENT_OUT);
	assert_int_equal(after(&all, "up"), AGENT_DRAINED);
	assert_int_equal(after(&all, "maint"), AGENT_OUT);
	assert_int_equal(after(&all, "up"), AGENT_OUT);
	assert_int_equal(after(&all, "ready"), AGENT_NONE);
	assert_int_equal(all.percent, 100);
	after(&all, "maxconn:3 huh");
	assert_int_equal(all.notes, AGENT_NOTE_MAXCONN | AGENT_NOTE_UNKNOWN);
	after(&all, "up");
	assert_int_equal(all.notes, 0);
}

static void
what_never_came_from_here_is_refused(void **state)
{
	(void)state;
	assert_true(agent_is_sound(&(struct agent_state){0}));
	assert_false(agent_is_sound(&(struct agent_state){.health = 3}));
	assert_false(agent_is_sound(&(struct agent_state){.admin = 4}));
	assert_false(agent_is_sound(&(struct agent_state){.percent = 1}));
	assert_false(agent_is_sound(&(struct agent_state){.has_percent = 1, .percent = 25601}));
	assert_false(agent_is_sound(&(struct agent_state){.has_percent = 2}));
	assert_false(agent_is_sound(&(struct agent_state){.notes = 4}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_means_what_haproxy_means),
		cmocka_unit_test(what_is_no_word_is_noted_and_nothing_else),
		cmocka_unit_test(of_a_kind_the_last_word_counts),
		cmocka_unit_test(what_is_behind_a_sharp_is_for_people),
		cmocka_unit_test(a_line_ends_at_the_first_of_cr_and_lf),
		cmocka_unit_test(only_its_opposite_takes_a_word_back),
		cmocka_unit_test(what_never_came_from_here_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
