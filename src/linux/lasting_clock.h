/* Both clocks and the id of the boot, for moments that outlast it (core/lasting.h). */
#ifndef TANDEM_LINUX_LASTING_CLOCK_H
#define TANDEM_LINUX_LASTING_CLOCK_H

#include "core/lasting.h"

/* The clocks alone: c->boot is "". */
struct lasting_clock lasting_clock_now(void);
/* With the id of the boot; "" where the kernel does not tell it. */
struct lasting_clock lasting_clock_of_boot(void);

#endif
