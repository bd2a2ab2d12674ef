/*
 * The status for people: tables out of the JSON of the status command. Tolerant: what a daemon of
 * another version does not say is shown as "-". Nothing from the wire reaches the terminal but
 * printable characters.
 */
#ifndef TANDEM_CONTROL_RENDER_H
#define TANDEM_CONTROL_RENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

void render_status(FILE *to, const json_t *status, bool colour);
/* One event: local time of day, level and the line. now_ms: the wall clock when it was received. */
void render_event(FILE *to, const json_t *event, int64_t now_ms, bool colour);

/* The result of the plan command, and of apply. */
void render_plan(FILE *to, const json_t *plan, bool colour);
void render_applied(FILE *to, const json_t *done);

/* "0.12 s", "59 s", "3m 20s", "5h 1m", "12d 3h"; -1: "never". */
const char *render_duration(int64_t ms, char out[32]);
/* The sentence that belongs to a reason's tag; the tag itself when it is not known here. */
const char *render_reason(const char *tag);

#endif
