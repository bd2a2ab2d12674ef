/* Whether dumps have all keys, for conf_tool. */
#ifndef TANDEM_TEST_DUMP_KEYS_H
#define TANDEM_TEST_DUMP_KEYS_H

#include "conf/keys.h"

/* `paths`, to NULL, are dumps; `groups` all groups of the key table. Tells what is missing. */
bool dumps_have_all_keys(char **paths, const struct key_group *const *groups, size_t count);

#endif
