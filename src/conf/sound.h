/*
 * What may be used of tables that another process has sent (conf/pack.h): not whether they are right,
 * as conf/check.h knows, but whether reading them leads anywhere outside of them.
 */
#ifndef TANDEM_CONF_SOUND_H
#define TANDEM_CONF_SOUND_H

#include "conf/config.h"

bool config_rows_are_sound(const struct config *c);
/* Are those `count` from `first` on among `all`? */
bool config_range_fits(uint32_t first, uint32_t count, uint32_t all);

#endif
