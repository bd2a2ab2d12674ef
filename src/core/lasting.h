/*
 * Moments that outlast a boot: when something began, when it ends. Pure.
 *
 * They are kept by the clock that nobody can set. It begins anew with each boot, so that what is stored has
 * the boot's id beside it, and what the wall clock said: that counts after another boot only, and no
 * further than it was from the end when that was stored, whatever the wall clock says by then.
 */
#ifndef TANDEM_CORE_LASTING_H
#define TANDEM_CORE_LASTING_H

#include "base/mono.h"

enum { BOOT_ID = 37 };

/* Both clocks at one moment. linux/lasting_clock.h reads them. */
struct lasting_clock {
	char boot[BOOT_ID];       /* the id of this boot; "": not known, like none that was stored */
	mono now;
	int64_t wall_s, wall_ns;  /* wall clock: whole seconds, and what is beyond those */
};

/* A moment as it was stored. */
struct lasting {
	char boot[BOOT_ID];
	int64_t boot_ns;          /* since that boot */
	int64_t wall_s;
	int64_t left_s;           /* of an end: how far it was, at most; negative: not known */
};

bool lasting_is_of_this_boot(const char boot[BOOT_ID], const struct lasting_clock *c);
/* Never later than now, nor earlier than it was. */
mono lasting_begin(const struct lasting *l, const struct lasting_clock *c);
mono lasting_end(const struct lasting *l, const struct lasting_clock *c);
/* What the wall clock shows at that moment, if nobody sets it. */
int64_t lasting_wall_s(mono at, const struct lasting_clock *c);
/* Until then, whole seconds, and not less; 0: it is over. */
int64_t lasting_left_s(mono end, mono now);
/* Was the wall clock set in between? By less than a few seconds it does not matter. */
bool lasting_clock_was_set(const struct lasting_clock *before, const struct lasting_clock *c);

#endif
