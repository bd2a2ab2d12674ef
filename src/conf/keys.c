/* The table of keys. See keys.h. */
#include "conf/keys.h"
#include "base/limits.h"

#include <linux/ip_vs.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *const words_checksum[] = {"rfc5798", "rfc9568", NULL};
const char *const words_authentication[] = {"require", "accept", NULL};
const char *const words_standby[] = {"hot", "cold", NULL};
const char *const words_fence[] = {"lease", "egress", NULL};
const char *const words_protocol[] = {"tcp", "udp", "sctp", NULL};
const char *const words_scheduler[] = {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh",
	"sh", "sed", "nq", "mh", "fo", "ovf", "twos", NULL};
const char *const words_scheduler_flag[] = {
	"sh-port", "sh-fallback", "mh-port", "mh-fallback", NULL};
const char *const words_forwarding[] = {"nat", "dr", "tunnel", NULL};
const char *const words_engine[] = {"sip", NULL};
const char *const words_tunnel[] = {"ipip", "gue", "gre", NULL};
const char *const words_tunnel_checksum[] = {"none", "outer", "remote", NULL};
const char *const words_down[] = {"drain", "cut", NULL};
const char *const words_weighting[] = {"static", "latency", NULL};
const char *const words_none_healthy[] = {"fail-open", "refuse", NULL};
const char *const words_probe_type[] = {"icmp", "tcp", "http", "udp", "dns", "https", "agent",
	"exec", "all", "any", NULL};
const char *const words_query_type[] = {"A", "AAAA", "NS", "SOA", "MX", "TXT", "PTR", "CNAME", NULL};
const char *const words_rcode[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
	NULL};
const char *const words_method[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL};
const char *const words_http_version[] = {"1.1", "1.0", NULL};
const char *const words_tls[] = {"1.2", "1.3", NULL};
const char *const words_fail[] = {"unfit", NULL};

static const char *const words_facility[] = {"daemon", "user", "syslog", "local0", "local1",
	"local2", "local3", "local4", "local5", "local6", "local7", NULL};
static const char *const words_level[] = {"error", "warning", "notice", "info", "debug", NULL};

#define KEYS_OF(member, label) \
	const struct key_group keys_##member = { \
		.name = label, .keys = table_##member, .count = COUNT(table_##member)}

static const struct key table_node[] = {
	{.name = "name", .kind = KEY_NODE, .required = true},
	{.name = "address", .kind = KEY_ADDRESS, .required = true},
};
KEYS_OF(node, "nodes");

static const struct key table_link[] = {
	{.name = "name", .kind = KEY_NAME, .required = true},
	{.name = "interface", .kind = KEY_INTERFACE, .required = true},
};
const struct key_group keys_link = {
	.name = "links", .keys = table_link, .count = COUNT(table_link), .by_node = true};

static const struct key table_heartbeat[] = {
	{.name = "interval_ms", .kind = KEY_INT, .low = 10, .high = 255000, .step = 10,
		.number = 100, .unit = "milliseconds"}, /* less in each version */
	{.name = "version", .kind = KEY_INT, .low = 2, .high = 3, .number = 3},
	{.name = "checksum", .kind = KEY_WORD, .words = words_checksum, .text = "rfc5798"},
	{.name = "key_file", .kind = KEY_FILE},
	{.name = "authentication", .kind = KEY_WORD, .words = words_authentication,
		.text = "require"},
	{.name = "links", .kind = KEY_GROUPS, .group = &keys_link},
};
KEYS_OF(heartbeat, "heartbeat");

const struct key_group keys_source = {.name = "source", .by_node = true};

static const struct key table_json[] = {
	{.name = "pointer", .kind = KEY_POINTER},
	{.name = "value", .kind = KEY_TEXT},
};
KEYS_OF(json, "json");

static const struct key table_expect[] = {
	{.name = "status", .kind = KEY_STATUS, .text = "200-299"},
	{.name = "header", .kind = KEY_HEADER, .text = ""},
	{.name = "body", .kind = KEY_TEXT, .text = ""},
	{.name = "regex", .kind = KEY_REGEX, .text = ""},
	{.name = "json", .kind = KEY_GROUP, .group = &keys_json},
	{.name = "answer", .kind = KEY_BYTES, .text = ""},
	{.name = "rcode", .kind = KEY_WORD, .words = words_rcode, .text = "NOERROR"},
};
KEYS_OF(expect, "expect");

const struct key_group keys_member = {.name = "probes", .more = &keys_probe};

static const struct key table_probe[] = {
	{.name = "type", .kind = KEY_WORD, .words = words_probe_type},
	{.name = "address", .kind = KEY_PLACE},
	{.name = "port", .kind = KEY_INT, .low = 1, .high = 65535},
	{.name = "source", .kind = KEY_GROUP, .group = &keys_source},
	{.name = "mark", .kind = KEY_INT, .low = 0, .high = INT32_MAX, .number = 0},
	{.name = "path", .kind = KEY_URL_PATH, .text = "/"},
	{.name = "host", .kind = KEY_HOST, .text = ""},
	{.name = "method", .kind = KEY_WORD, .words = words_method, .text = "GET"},
	{.name = "version", .kind = KEY_WORD, .words = words_http_version, .text = "1.1"},
	{.name = "headers", .kind = KEY_HEADERS},
	{.name = "keep_alive", .kind = KEY_BOOL, .number = false},
	{.name = "body", .kind = KEY_BYTES, .text = ""},
	{.name = "expect", .kind = KEY_GROUP, .group = &keys_expect},
	{.name = "sni", .kind = KEY_HOST_NAME, .text = ""},
	{.name = "verify", .kind = KEY_BOOL, .number = 1},
	{.name = "ca_file", .kind = KEY_FILE, .text = "/etc/ssl/certs/ca-certificates.crt"},
	{.name = "tls_min", .kind = KEY_WORD, .words = words_tls, .text = "1.2"},
	{.name = "expiry_warning_days", .kind = KEY_INT, .low = 0, .high = 3650, .number = 14,
		.unit = "days"},
	{.name = "expiry_fail", .kind = KEY_BOOL},
	{.name = "interval_ms", .kind = KEY_INT, .low = 10, .high = 3600000, .number = 1000,
		.unit = "milliseconds"},
	{.name = "timeout_ms", .kind = KEY_INT, .low = 10, .high = 600000, .number = 500,
		.unit = "milliseconds"},
	{.name = "rise", .kind = KEY_INT, .low = 1, .high = 100, .number = 2},
	{.name = "fall", .kind = KEY_INT, .low = 1, .high = 100, .number = 3},
	{.name = "interval_fast_ms", .kind = KEY_INT, .low = 10, .high = 3600000,
		.unit = "milliseconds"},
	{.name = "interval_down_ms", .kind = KEY_INT, .low = 10, .high = 3600000,
		.unit = "milliseconds"},
	{.name = "spread_percent", .kind = KEY_INT, .low = 0, .high = 50, .number = 5,
		.unit = "percent"},
	{.name = "refusal_weight", .kind = KEY_INT, .low = 1, .high = 100, .number = 2},
	{.name = "flap_falls", .kind = KEY_INT, .low = 0, .high = 100, .number = 3},
	{.name = "flap_window_s", .kind = KEY_INT, .low = 1, .high = 86400, .number = 60,
		.unit = "seconds"},
	{.name = "flap_hold_s", .kind = KEY_INT, .low = 1, .high = 3600, .number = 5,
		.unit = "seconds"},
	{.name = "flap_hold_max_s", .kind = KEY_INT, .low = 1, .high = 86400, .number = 60,
		.unit = "seconds"},
	{.name = "query", .kind = KEY_DOMAIN, .text = "."},
	{.name = "query_type", .kind = KEY_WORD, .words = words_query_type, .text = "SOA"},
	{.name = "send", .kind = KEY_BYTES, .text = ""},
	{.name = "half_open", .kind = KEY_BOOL, .number = false},
	{.name = "data_path", .kind = KEY_BOOL, .number = false},
	{.name = "command", .kind = KEY_ARGUMENTS},
	{.name = "environment", .kind = KEY_ASSIGNMENTS},
	{.name = "user", .kind = KEY_USER, .text = "nobody"},
	{.name = "exit_weight", .kind = KEY_BOOL, .number = false},
	{.name = "probes", .kind = KEY_GROUPS, .group = &keys_member},
};
KEYS_OF(probe, "probe");

static const struct key table_agent[] = {
	{.name = "port", .kind = KEY_INT, .low = 1, .high = 65535},
	{.name = "address", .kind = KEY_PLACE},
	{.name = "send", .kind = KEY_BYTES, .text = ""},
	{.name = "interval_ms", .kind = KEY_INT, .low = 10, .high = 3600000, .number = 2000,
		.unit = "milliseconds"},
	{.name = "timeout_ms", .kind = KEY_INT, .low = 10, .high = 600000, .number = 1000,
		.unit = "milliseconds"},
};
KEYS_OF(agent, "agent");

/* What the loss of something tracked does. */
#define KEYS_OF_LOSS \
	{.name = "fail", .kind = KEY_WORD, .words = words_fail}, \
	{.name = "weight", .kind = KEY_INT, .low = -253, .high = 253, .number = INT32_MIN}

static const struct key table_gateway[] = {
	{.name = "address", .kind = KEY_ADDRESS, .required = true},
	{.name = "interval_ms", .kind = KEY_INT, .low = 10, .high = 3600000, .number = 200,
		.unit = "milliseconds"},
	{.name = "timeout_ms", .kind = KEY_INT, .low = 10, .high = 600000, .number = 150,
		.unit = "milliseconds"},
	{.name = "rise", .kind = KEY_INT, .low = 1, .high = 100, .number = 2},
	{.name = "fall", .kind = KEY_INT, .low = 1, .high = 100, .number = 3},
	KEYS_OF_LOSS,
};
KEYS_OF(gateway, "gateways");

static const struct key table_tracked_probe[] = {
	{.name = "name", .kind = KEY_NAME, .required = true},
	{.name = "address", .kind = KEY_TARGET, .required = true},
	{.name = "resolve_s", .kind = KEY_INT, .low = 1, .high = 86400, .number = 30,
		.unit = "seconds"},
	KEYS_OF_LOSS,
};
const struct key_group keys_tracked_probe = {.name = "probes", .keys = table_tracked_probe,
	.count = COUNT(table_tracked_probe), .more = &keys_probe};

static const struct key table_script[] = {
	{.name = "name", .kind = KEY_NAME, .required = true},
	{.name = "command", .kind = KEY_PROGRAM, .required = true},
	{.name = "interval_ms", .kind = KEY_INT, .low = 10, .high = 3600000, .number = 1000,
		.unit = "milliseconds"},
	{.name = "timeout_ms", .kind = KEY_INT, .low = 10, .high = 600000, .number = 900,
		.unit = "milliseconds"},
	{.name = "rise", .kind = KEY_INT, .low = 1, .high = 100, .number = 2},
	{.name = "fall", .kind = KEY_INT, .low = 1, .high = 100, .number = 3},
	KEYS_OF_LOSS,
};
KEYS_OF(script, "scripts");

static const struct key table_track[] = {
	{.name = "interfaces", .kind = KEY_INTERFACES},
	{.name = "gateways", .kind = KEY_GATEWAYS, .group = &keys_gateway},
	{.name = "probes", .kind = KEY_GROUPS, .group = &keys_tracked_probe},
	{.name = "scripts", .kind = KEY_GROUPS, .group = &keys_script},
};
KEYS_OF(track, "track");

static const struct key table_address[] = {
	{.name = "address", .kind = KEY_PREFIX, .required = true},
	{.name = "interface", .kind = KEY_INTERFACE},
};
KEYS_OF(address, "addresses");

static const struct key table_router[] = {
	{.name = "name", .kind = KEY_NAME, .required = true},
	{.name = "vrid", .kind = KEY_INT, .required = true, .low = 1, .high = 255},
	{.name = "interface", .kind = KEY_INTERFACE, .required = true},
	{.name = "prefer", .kind = KEY_NODE},
	{.name = "priority", .kind = KEY_PRIORITIES},
	{.name = "preempt", .kind = KEY_BOOL, .number = false},
	{.name = "preempt_delay_ms", .kind = KEY_INT, .low = 0, .high = 3600000, .number = 0,
		.unit = "milliseconds"},
	{.name = "standby", .kind = KEY_WORD, .words = words_standby, .text = "hot"},
	{.name = "lease_s", .kind = KEY_INT, .low = 2, .high = 3600, .number = 3,
		.unit = "seconds"},
	{.name = "fence", .kind = KEY_WORD, .words = words_fence, .text = "lease"},
	{.name = "fence_ms", .kind = KEY_INT, .low = 20, .high = 3600000, .unit = "milliseconds"},
	{.name = "unicast", .kind = KEY_BOOL, .number = false},
	{.name = "addresses", .kind = KEY_ADDRESSES, .required = true, .group = &keys_address},
	{.name = "blocks", .kind = KEY_NETWORKS},
	{.name = "virtual_mac", .kind = KEY_BOOL, .number = false},
	{.name = "group", .kind = KEY_NAME},
	{.name = "track", .kind = KEY_GROUP, .group = &keys_track},
	{.name = "on_active", .kind = KEY_PROGRAM},
	{.name = "on_backup", .kind = KEY_PROGRAM},
	{.name = "on_fault", .kind = KEY_PROGRAM},
};
KEYS_OF(router, "virtual_routers");

static const struct key table_real[] = {
	{.name = "name", .kind = KEY_NAME, .required = true},
	{.name = "address", .kind = KEY_SERVER, .required = true},
	{.name = "weight", .kind = KEY_INT, .low = 0, .high = 65535, .number = 1},
	{.name = "upper_threshold", .kind = KEY_INT, .low = 0, .high = INT32_MAX, .number = 0,
		.unit = "connections"},
	{.name = "lower_threshold", .kind = KEY_INT, .low = 0, .high = INT32_MAX, .number = 0,
		.unit = "connections"},
	{.name = "forwarding", .kind = KEY_WORD, .words = words_forwarding},
	{.name = "probe", .kind = KEY_GROUP, .group = &keys_probe},
	{.name = "agent", .kind = KEY_GROUP, .group = &keys_agent},
};
KEYS_OF(real, "real_servers");

static const struct key table_tunnel[] = {
	{.name = "type", .kind = KEY_WORD, .words = words_tunnel, .text = "ipip"},
	{.name = "port", .kind = KEY_INT, .low = 1, .high = 65535, .number = 6080},
	{.name = "checksum", .kind = KEY_WORD, .words = words_tunnel_checksum, .text = "none"},
};
KEYS_OF(tunnel, "tunnel");

static const struct key table_virtual[] = {
	{.name = "name", .kind = KEY_NAME, .required = true},
	{.name = "router", .kind = KEY_NAME},
	{.name = "listen", .kind = KEY_LISTEN},
	{.name = "fwmark", .kind = KEY_INT, .low = 1, .high = INT32_MAX, .number = 0},
	{.name = "protocol", .kind = KEY_WORD, .words = words_protocol, .text = "tcp"},
	{.name = "scheduler", .kind = KEY_WORD, .words = words_scheduler, .text = "wlc"},
	{.name = "scheduler_flags", .kind = KEY_WORDS, .words = words_scheduler_flag},
	{.name = "one_packet", .kind = KEY_BOOL, .number = false},
	{.name = "forwarding", .kind = KEY_WORD, .words = words_forwarding, .text = "nat"},
	{.name = "tunnel", .kind = KEY_GROUP, .group = &keys_tunnel},
	{.name = "persistence_s", .kind = KEY_INT, .low = 0, .high = 31 * 86400, .number = 0,
		.unit = "seconds"},
	{.name = "persistence_mask", .kind = KEY_MASK, .text = "255.255.255.255"},
	{.name = "persistence_engine", .kind = KEY_WORD, .words = words_engine},
	{.name = "probe", .kind = KEY_GROUP, .group = &keys_probe},
	{.name = "agent", .kind = KEY_GROUP, .group = &keys_agent},
	{.name = "real_servers", .kind = KEY_GROUPS, .required = true, .group = &keys_real},
	{.name = "resolve_s", .kind = KEY_INT, .low = 1, .high = 86400, .number = 30,
		.unit = "seconds"},
	{.name = "sorry_server", .kind = KEY_SERVER},
	{.name = "min_healthy", .kind = KEY_INT, .low = 1, .high = LIMIT_REALS, .number = 1,
		.unit = "servers"},
	{.name = "when_none_healthy", .kind = KEY_WORD, .words = words_none_healthy,
		.text = "fail-open"},
	{.name = "down", .kind = KEY_WORD, .words = words_down, .text = "drain"},
	{.name = "drain_s", .kind = KEY_INT, .low = 0, .high = 31 * 86400, .number = 300,
		.unit = "seconds"},
	{.name = "slow_start_s", .kind = KEY_INT, .low = 0, .high = 86400, .number = 0,
		.unit = "seconds"},
	{.name = "weighting", .kind = KEY_WORD, .words = words_weighting, .text = "static"},
	{.name = "black_hole", .kind = KEY_BOOL, .number = false},
	{.name = "correlated_hold_ms", .kind = KEY_INT, .low = 0, .high = 60000, .number = 2000,
		.unit = "milliseconds"},
};
KEYS_OF(virtual, "virtual_servers");

static const struct key table_sync[] = {
	{.name = "enabled", .kind = KEY_BOOL, .number = true},
	{.name = "interface", .kind = KEY_INTERFACE},
	{.name = "id", .kind = KEY_INT, .low = 1, .high = 254, .number = 1},
	/* the kernel's own defaults */
	{.name = "group", .kind = KEY_MULTICAST, .text = "224.0.0.81"},
	{.name = "port", .kind = KEY_INT, .low = 1, .high = 65535, .number = 8848},
	{.name = "ttl", .kind = KEY_INT, .low = 1, .high = 255, .number = 1},
	/*
	 * The kernel sends a message when the next connection does not fit into it any more, or after
	 * 2 to 3 seconds (IPVS_SYNC_FLUSH_TIME). As long as an MTU it holds 40, and the newest 40
	 * would be lost with the active. There is always room for one, so the least says one.
	 */
	{.name = "maxlen", .kind = KEY_INT, .low = 1, .high = 65507, .number = 1,
		.unit = "bytes"},
};
KEYS_OF(sync, "sync");

static const struct key table_control[] = {
	{.name = "group", .kind = KEY_USER_GROUP, .text = ""},
	{.name = "metrics", .kind = KEY_LATER},
};
KEYS_OF(control, "control");

static const struct key table_log[] = {
	{.name = "facility", .kind = KEY_WORD, .words = words_facility, .text = "daemon"},
	{.name = "level", .kind = KEY_WORD, .words = words_level, .text = "info"},
};
KEYS_OF(log, "log");

static const struct key table_probing[] = {
	{.name = "probers", .kind = KEY_INT, .low = 0, .high = LIMIT_PROBERS, .number = 0,
		.unit = "processes"},
};
KEYS_OF(probing, "probing");

static const struct key table_file[] = {
	{.name = "cluster", .kind = KEY_NAME, .text = "tandem"},
	{.name = "nodes", .kind = KEY_GROUPS, .required = true, .group = &keys_node},
	{.name = "heartbeat", .kind = KEY_GROUP, .group = &keys_heartbeat},
	{.name = "virtual_routers", .kind = KEY_GROUPS, .required = true, .group = &keys_router},
	{.name = "virtual_servers", .kind = KEY_GROUPS, .group = &keys_virtual},
	{.name = "sync", .kind = KEY_GROUP, .group = &keys_sync},
	{.name = "control", .kind = KEY_GROUP, .group = &keys_control},
	{.name = "probing", .kind = KEY_GROUP, .group = &keys_probing},
	{.name = "log", .kind = KEY_GROUP, .group = &keys_log},
};
KEYS_OF(file, "");

const struct key *
key_find(const struct key_group *group, const char *name)
{
	for (size_t i = 0; i < group->count; i++)
		if (strcmp(group->keys[i].name, name) == 0)
			return &group->keys[i];
	return group->more ? key_find(group->more, name) : NULL;
}

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance: letters to insert, remove or change; far when a word is too long. */
static unsigned
distance(const char *a, const char *b)
{
	enum { WORD = 32 };
	unsigned row[WORD + 1];
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);

	if (a_len > WORD || b_len > WORD)
		return WORD;
	for (unsigned j = 0; j <= b_len; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			unsigned above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1,
				diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[b_len];
}

const struct key *
key_nearest(const struct key_group *group, const char *typo)
{
	const struct key *best = NULL;
	unsigned best_distance = strlen(typo) > 5 ? 3 : 2; /* as near as that is not a guess */

	for (; group; group = group->more)
		for (size_t i = 0; i < group->count; i++) {
			unsigned d = distance(typo, group->keys[i].name);

			if (d < best_distance || (d == best_distance && !best)) {
				best = &group->keys[i];
				best_distance = d;
			}
		}
	return best;
}

int
word_index(const char *const *words, const char *word)
{
	for (int i = 0; words && words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

uint32_t
conf_scheduler_flag_bit(int place)
{
	/* the kernel's names: both schedulers use flag 1 for fallback and flag 2 for the port */
	bool is_port = strcmp(strchr(words_scheduler_flag[place], '-'), "-port") == 0;

	return is_port ? IP_VS_SVC_F_SCHED2 : IP_VS_SVC_F_SCHED1;
}

bool
conf_scheduler_flag_fits(int place, const char *scheduler)
{
	const char *word = words_scheduler_flag[place];
	size_t n = strcspn(word, "-");

	return strlen(scheduler) == n && memcmp(word, scheduler, n) == 0;
}
