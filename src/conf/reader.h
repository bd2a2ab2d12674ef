/*
 * Inside the reader: one reading's state, and access to the settings of a group.
 *
 * A group is opened once: that compares its members with the table of keys and checks every single
 * value; a member that is wrong is marked and from then on as good as absent. So the functions that
 * fill the rows ask for values without looking at errors, and relations between rows (check.c) are
 * looked at only where both ends are sound.
 */
#ifndef TANDEM_CONF_READER_H
#define TANDEM_CONF_READER_H

#include "conf/errors.h"
#include "conf/keys.h"
#include "conf/seen.h"

#include <libconfig.h>

struct reader {
	struct errors *errors;
	struct config *out;
	bool without_keys;  /* the key file and ca_file are not looked at */
	struct seen probes; /* rows of out->probes by their bytes */
	struct seen hosts;  /* rows of out->hosts by all but resolve_s */
	uint8_t name_family; /* that names give in the virtual server or router that is being read */
	uint32_t resolve_s;  /* of those names */
	size_t probe_capacity, ca_capacity, host_capacity;
	/* the setting that each row came from */
	config_setting_t **node_at, **router_at, **address_at, **virtual_at, **real_at, **link_at;
	config_setting_t **track_at, **block_at;
	size_t listen_capacity;
	uint32_t listened; /* addresses and ports of all virtual servers */
	size_t track_capacity, track_at_capacity, block_capacity, block_at_capacity;
	uint32_t *block_order; /* rows of blocks by where they begin, from check_blocks() on */
};

/* A group of settings and where it stands, for messages. */
struct scope {
	struct reader *reader;
	const struct scope *up; /* NULL: the file */
	const struct key_group *keys;
	config_setting_t *setting; /* NULL: absent, every key has its default */
	const char *name;          /* its `name`, or NULL */
	int index;                 /* place in a list, from 1; 0: not in one */
};

/* An error at a setting: "virtual_routers "web": " and the message. NULL: the file as a whole. */
void scope_error(const struct scope *s, const config_setting_t *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* An error without a scope. */
void reader_error(struct reader *r, const config_setting_t *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Open a group and check all its members. `setting` may be NULL. */
void scope_open(struct scope *s, struct reader *r, const struct scope *up,
	const struct key_group *keys, config_setting_t *setting, int index);
/* The sub-group of that key, opened. */
void scope_open_member(struct scope *s, const struct scope *up, const char *key);

/* A member that is there and sound, or NULL. */
config_setting_t *scope_member(const struct scope *s, const char *key);
/* Number of elements of a list member: 0 when absent or wrong. */
uint32_t scope_length(const struct scope *s, const char *key);
/* Value or default. Text may be NULL when there is no default. */
uint32_t scope_int(const struct scope *s, const char *key);
bool scope_bool(const struct scope *s, const char *key);
const char *scope_text(const struct scope *s, const char *key);
/* Place of the word in the key's list; -1 when absent without a default. */
int scope_word(const struct scope *s, const char *key);
/* scope_text() copied into a field; absent leaves it zero. */
void scope_copy(const struct scope *s, const char *key, char *to, size_t size);
void copy_text(char *to, size_t size, const char *from);

/* value.c: is this member sound? Adds the errors that it is not. */
bool value_check(const struct scope *s, const struct key *key, config_setting_t *member);
/* Is it marked as wrong? */
bool setting_is_wrong(const config_setting_t *setting);
void setting_mark_wrong(config_setting_t *setting);
/* "200-299,301" to ranges; false when it is not that. */
bool status_parse(const char *text, struct conf_status_range out[LIMIT_STATUS_RANGES],
	uint32_t *count);

/* The parts of the file, each filling its tables. */
void read_heartbeat(struct reader *r, const struct scope *file);
void read_key_file(struct reader *r, const config_setting_t *at);
void read_routers(struct reader *r, const struct scope *file);
void read_pool(struct reader *r, const struct scope *file);
void read_sync(struct reader *r, const struct scope *file);
/* Its interface, where none is given: that of the first hot router with virtual servers. */
void resolve_sync(struct config *c);
/* The track group of a router. */
void read_track(const struct scope *router, struct conf_router *row);
/* Another interface that the router depends on, once in each list. */
void add_interface(const struct scope *s, const config_setting_t *at, const char *name,
	char list[LIMIT_ROUTER_INTERFACES][LIMIT_IFNAME], uint32_t *count);

/*
 * 1 + the row of hosts[] for the name in `text`, whose port, or 0, goes to *port; 0: that is no name.
 * `family` is that of the addresses wanted, IP_NONE the reader's name_family.
 */
uint32_t read_name(struct reader *r, const char *text, uint8_t family, bool loopback, uint16_t *port);

/*
 * One probe group over what it inherits. Returns the row of probes[]; `base` is a row as well
 * (CONF_NO_INDEX: none), `standard` the type when neither names one.
 */
uint32_t read_probe(struct reader *r, const struct scope *holder, uint32_t base,
	enum conf_probe_type standard);
/* The same of exec. */
void exec_defaults(struct conf_probe *p);
void read_exec(const struct scope *s, struct conf_probe *p);
/* The row of probes[] with these bytes, made when there is none. */
uint32_t add_probe(struct reader *r, const struct conf_probe *probe);
/* The agent group over the row `base`. Returns the row of probes[]: of no probe where there is none. */
uint32_t read_agent(struct reader *r, const struct scope *holder, uint32_t base);
/* The group of a tracked probe: how and where it asks. */
void read_tracked_probe(const struct scope *s, struct conf_track *t);
/* interval_ms and timeout_ms, rise and fall where they are there, over what they are already. */
void read_times(const struct scope *s, uint32_t *interval_ms, uint32_t *timeout_ms);
void read_counts(const struct scope *s, uint8_t *rise, uint8_t *fall);
/* That a sorry server is there at all, asked as often as the row `base` says: a row of probes[]. */
uint32_t sorry_probe(struct reader *r, uint32_t base, bool has_port);
/* The keys of https alone, over what they are already; https_defaults() before the first. */
void https_defaults(struct conf_probe *p);
void read_https(const struct scope *s, struct conf_probe *p);
/* Where it asks instead of its server's own address. */
void read_address(const struct scope *s, struct conf_probe *p);
/* read_http.c: the keys of http and https, over what they are already. */
void http_defaults(struct conf_probe *p);
void read_http(const struct scope *s, struct conf_probe *p);
/* Those of its expect group. */
void read_http_expect(const struct scope *s, struct conf_probe *p);
/* read_data_path.c: the key, where it has a meaning. */
void read_data_path(const struct scope *s, struct conf_probe *p);
/* The row that asks as `row` does, through the data path of that virtual server if it says so. */
uint32_t data_path_row(struct reader *r, uint32_t row, const struct conf_virtual *v,
	uint8_t forwarding);
/* May that real server be asked so? */
void check_data_path(struct reader *r, const struct conf_virtual *v, const struct conf_real *real,
	uint32_t probe, const config_setting_t *at);
/* Is that key of the group there, and of use to the type of probe? An error when it is of none. */
bool is_used(const struct scope *s, const struct conf_probe *p, const char *key);
/* Has a probe of that type a use for that key? */
bool conf_probe_has(uint8_t type, const char *key);
/* May a probe with that source go to an address of that family? */
bool source_fits(const struct conf_probe *p, uint8_t family);
/* The row of "not probed". */
uint32_t probe_none(struct reader *r);

/* Relations between rows. */
void check_relations(struct reader *r);
/* Where a row came from, for messages: the key's own setting if it is there. */
const config_setting_t *place(config_setting_t *row, const char *key);
/* The router that has that row of addresses[]. */
uint32_t router_of_address(const struct config *c, uint32_t address);
/* check_pool.c: of virtual servers with routers and with each other, of real servers. */
void check_pools(struct reader *r, const struct seen *router_names, const struct seen *addresses);
/* check_blocks.c: of blocks with each other and with what has to stay outside of all. */
void check_blocks(struct reader *r);
/* An address that may be in a block of the router `own` only (CONF_NO_INDEX: in none). */
void check_outside_blocks(struct reader *r, const struct ip_addr *address, uint32_t own,
	const config_setting_t *at, const char *what);
/* The block that holds the address, and its router; CONF_NO_INDEX when none does. */
uint32_t block_of(const struct reader *r, const struct ip_addr *address, uint32_t *router);

#endif
