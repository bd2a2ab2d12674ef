/*
 * Every key that the configuration knows: its kind, range, unit, default and words.
 *
 * One table for the reader (which checks single values against it), the printer (which writes the
 * same words back) and the test that compares it with the man page. A key of a feature that is
 * not built yet stands here too, as KEY_LATER, so that it is refused as such and not as a typo.
 */
#ifndef TANDEM_CONF_KEYS_H
#define TANDEM_CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_kind {
	KEY_INT,
	KEY_BOOL,
	KEY_WORD,       /* one of `words` */
	KEY_WORDS,      /* a list of some of `words` */
	KEY_NAME,       /* of an object: letters, digits, . _ - */
	KEY_NODE,       /* of a node: also usable as a key (priority = { lb1 = 150; }) */
	KEY_USER_GROUP, /* of the system; "" is none */
	KEY_USER,       /* of the system */
	KEY_INTERFACE,
	KEY_INTERFACES, /* a list of them */
	KEY_ADDRESS,    /* of one host */
	KEY_PREFIX,     /* address/length */
	KEY_NETWORKS,   /* a list of network/length */
	KEY_LISTEN,     /* one of, or a list of: address:port, each perhaps a range */
	KEY_SERVER,     /* address:port, or an address alone, or a name instead; of another host */
	KEY_TARGET,     /* the same, of this host, too */
	KEY_PLACE,      /* an address alone, or a name; of this host, too */
	KEY_MULTICAST,  /* a group's address */
	KEY_MASK,       /* a netmask */
	KEY_PROGRAM,    /* absolute path of a program */
	KEY_ARGUMENTS,  /* a list of texts, or one */
	KEY_ASSIGNMENTS, /* a list of NAME=VALUE texts */
	KEY_FILE,       /* absolute path of a file */
	KEY_URL_PATH,
	KEY_HOST,       /* a Host header, or "" */
	KEY_HOST_NAME,  /* of DNS, or "" */
	KEY_STATUS,     /* list of HTTP statuses and ranges */
	KEY_HEADERS,    /* a list of HTTP header fields, "Name: value" */
	KEY_HEADER,     /* one of them, or "" */
	KEY_REGEX,      /* a regular expression (conf/pattern.h), or "" */
	KEY_POINTER,    /* a JSON pointer */
	KEY_TEXT,       /* any printable text, or "" */
	KEY_DOMAIN,     /* a name of the DNS, or "." */
	KEY_BYTES,      /* any bytes, see conf/bytes.h, or "" */
	KEY_ADDRESSES,  /* a list of prefixes, or of groups of `group` */
	KEY_GATEWAYS,   /* a list of addresses, or of groups of `group` */
	KEY_PRIORITIES, /* a group whose keys are names of nodes */
	KEY_GROUP,      /* of `group` */
	KEY_GROUPS,     /* a list of such */
	KEY_LATER,      /* in the design, not in this version */
};

struct key {
	const char *name;
	enum key_kind kind;
	bool required;
	uint8_t step;              /* KEY_INT: must be a multiple of this (0, 1: any) */
	int32_t low, high;         /* KEY_INT: range */
	int32_t number;            /* KEY_INT, KEY_BOOL: default; out of range: none */
	int32_t later_number;      /* KEY_INT: a value of the design that is not in this version */
	const char *unit;          /* KEY_INT: "milliseconds", ... */
	const char *text;          /* strings and words: default; NULL: none */
	const char *const *words;  /* KEY_WORD, KEY_WORDS: to NULL, in the order of the enum */
	const char *const *later_words;
	const struct key_group *group;
};

struct key_group {
	const char *name; /* the key that holds such groups; "" for the file itself */
	const struct key *keys;
	size_t count;
	bool by_node;     /* and a KEY_ADDRESS under the name of each node */
	const struct key_group *more; /* and all keys of that group, or NULL */
};

/* Words in the order of the enums of config.h. */
extern const char *const words_checksum[];
extern const char *const words_authentication[];
extern const char *const words_standby[];
extern const char *const words_fence[];
extern const char *const words_protocol[];   /* tcp, udp, sctp: see conf_protocol_name() */
extern const char *const words_scheduler[];
extern const char *const words_scheduler_flag[];
extern const char *const words_forwarding[];
extern const char *const words_engine[];
extern const char *const words_tunnel[];
extern const char *const words_tunnel_checksum[];
extern const char *const words_none_healthy[];
extern const char *const words_down[];
extern const char *const words_query_type[]; /* see conf_query_type() */
extern const char *const words_rcode[];      /* by number */
extern const char *const words_weighting[];
extern const char *const words_probe_type[]; /* from CONF_PROBE_ICMP on */
extern const char *const words_tls[];
extern const char *const words_method[];
extern const char *const words_http_version[];
extern const char *const words_fail[];

extern const struct key_group keys_file, keys_node, keys_heartbeat, keys_link, keys_router, keys_track,
	keys_gateway, keys_tracked_probe, keys_script, keys_address, keys_virtual, keys_real, keys_probe,
	keys_expect, keys_json, keys_source, keys_agent, keys_member, keys_control, keys_log, keys_probing,
	keys_tunnel, keys_sync;

/* The key of that name in the group or in the one that it has `more` from, or NULL. */
const struct key *key_find(const struct key_group *group, const char *name);

/* The known key that looks most like a mistyped one, or NULL when none does. */
const struct key *key_nearest(const struct key_group *group, const char *typo);

/* Place of a word in such a list, or -1. */
int word_index(const char *const *words, const char *word);

/* The IP_VS_SVC_F_SCHED* bit of a scheduler flag by its place in words_scheduler_flag. */
uint32_t conf_scheduler_flag_bit(int place);
/* Does that flag belong to the scheduler of this name? */
bool conf_scheduler_flag_fits(int place, const char *scheduler);

#endif
