/*
 * Rise and fall in one integer.
 *
 * level is 0 .. rise+fall-1; the server is up while level >= rise. A success while down adds one
 * and at `rise` jumps to the top; a failure while up takes one away and below `rise` drops to 0.
 * The first result decides alone: before it the server is unknown. Pure.
 */
#ifndef TANDEM_CORE_HEALTH_H
#define TANDEM_CORE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

enum health_verdict { HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN };

struct health {
	uint16_t rise, fall; /* 1..100 each */
	uint16_t level;      /* 0 .. rise+fall-1; meaningless while unknown */
	bool known;
};

void health_init(struct health *h, uint16_t rise, uint16_t fall, enum health_verdict seed);
/* Take one result in; true when the verdict changed. */
bool health_result(struct health *h, bool ok);
/* The same with a failure that counts as `weight` of them, at least 1. */
bool health_weighed(struct health *h, bool ok, uint16_t weight);
enum health_verdict health_verdict(const struct health *h);
/* Between two verdicts: probe faster. */
bool health_in_transition(const struct health *h);

/*
 * Of several that are asked together. All: down when one is down. Any: up when one is up. Unknown as
 * long as what is not known yet could change it.
 */
enum health_group { HEALTH_ALL, HEALTH_ANY };
enum health_verdict health_combine(enum health_group how, const enum health_verdict *members,
	unsigned count);

#endif
