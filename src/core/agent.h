/*
 * What an agent says of its server: HAProxy's agent-check (configuration manual, "agent-check").
 *
 * One line of ASCII, ended by the first CR or LF, made of words in any order and any case, between
 * spaces, tabs or commas: "up", "down", "fail" (or "failed"), "stopped"; "ready", "drain", "maint";
 * "75%" of the configured weight; "maxconn:30", which has no meaning here and is only noted. What
 * follows a '#' is for people. Of several words of a kind the last counts; an unknown one is noted.
 *
 * What a line does not speak of stays as an earlier one had it: only an agent that says "up" takes
 * back its "down", and only "ready" its "drain" or "maint". Pure.
 */
#ifndef TANDEM_CORE_AGENT_H
#define TANDEM_CORE_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum agent_health { AGENT_NO_HEALTH, AGENT_UP, AGENT_DOWN };
enum agent_admin { AGENT_NO_ADMIN, AGENT_READY, AGENT_DRAIN, AGENT_MAINT };
enum agent_note { AGENT_NOTE_MAXCONN = 1, AGENT_NOTE_UNKNOWN = 2 };
enum { AGENT_PERCENT_MAX = 25600 }; /* more is this much, as with HAProxy */

/* Of one line, or of all lines until now. Zeros: nothing was said. No padding: compared as bytes. */
struct agent_state {
	uint8_t health;         /* enum agent_health */
	uint8_t admin;          /* enum agent_admin */
	uint8_t has_percent;    /* 0, 1 */
	uint8_t notes;          /* enum agent_note, of the last line alone */
	uint16_t percent;       /* 0..AGENT_PERCENT_MAX */
};

enum agent_effect { AGENT_NONE, AGENT_DRAINED, AGENT_OUT };

/* Bytes before the line's end; `length` when that has not come yet. */
size_t agent_line_length(const uint8_t *bytes, size_t length);
/* The words of one line, without its end. */
struct agent_state agent_parse(const uint8_t *line, size_t length);
/* Takes in what a line says. */
void agent_merge(struct agent_state *all, const struct agent_state *line);
/* What it means for the server; that it has a weight of 0 % does not count here. */
enum agent_effect agent_effect(const struct agent_state *all);
bool agent_equal(const struct agent_state *a, const struct agent_state *b);
/* Could this have come from the functions above? */
bool agent_is_sound(const struct agent_state *s);

#endif
