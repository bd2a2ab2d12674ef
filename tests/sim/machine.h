/* What happens to a machine happens to all of its virtual routers: `n` is any of them. */
#ifndef TANDEM_SIM_MACHINE_H
#define TANDEM_SIM_MACHINE_H

#include "node.h"

/* A new process; with `handover` it tries to go on where the last one stopped, with all or none. */
void machine_boot(struct world *w, struct node *n, bool handover);
void machine_crash(struct world *w, struct node *n);
void machine_power_off(struct world *w, struct node *n);
void machine_hang(struct world *w, struct node *n);
void machine_pause(struct world *w, struct node *n, bool seen);
void machine_wake(struct world *w, struct node *n);
void machine_stop(struct world *w, struct node *n);
void machine_switchover(struct world *w, struct node *n);
/* No process; a process that is about to end. */
bool machine_is_dead(const struct world *w, const struct node *n);
bool machine_is_stopping(const struct world *w, const struct node *n);

#endif
