/*
 * The configuration as plain tables.
 *
 * No pointers inside a row: rows name each other by index, strings are fixed arrays. So the whole
 * configuration is a handful of arrays that can be compared with memcmp(), written into a memfd
 * by the supervisor once it has been checked, and mapped by every other process without parsing
 * anything (see conf/pack.h). Rows are zero-filled before they are set: equal means equal bytes.
 */
#ifndef TANDEM_CONF_CONFIG_H
#define TANDEM_CONF_CONFIG_H

#include "base/addr.h"
#include "base/limits.h"
#include "base/logline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONF_NO_INDEX UINT32_MAX /* "none" where a row refers to another */

enum conf_checksum { CONF_CHECKSUM_RFC5798, CONF_CHECKSUM_RFC9568 };
enum conf_standby { CONF_STANDBY_HOT, CONF_STANDBY_COLD };
enum conf_fence { CONF_FENCE_LEASE, CONF_FENCE_EGRESS };
enum conf_protocol { CONF_TCP = 6, CONF_UDP = 17, CONF_SCTP = 132 }; /* IANA numbers */
enum conf_forwarding { CONF_FORWARD_NAT, CONF_FORWARD_DR, CONF_FORWARD_TUNNEL };
enum conf_none_healthy { CONF_FAIL_OPEN, CONF_REFUSE };
enum conf_weighting { CONF_WEIGHTING_STATIC, CONF_WEIGHTING_LATENCY };
enum conf_down { CONF_DOWN_DRAIN, CONF_DOWN_CUT };
enum conf_probe_type {
	CONF_PROBE_NONE,
	CONF_PROBE_ICMP,
	CONF_PROBE_TCP,
	CONF_PROBE_HTTP,
	CONF_PROBE_UDP,
	CONF_PROBE_DNS,
	CONF_PROBE_HTTPS,
	CONF_PROBE_AGENT,
	CONF_PROBE_EXEC,
	CONF_PROBE_ALL, /* groups of the others */
	CONF_PROBE_ANY,
};
enum conf_tls { CONF_TLS_1_2, CONF_TLS_1_3 };
enum conf_authentication { CONF_AUTH_REQUIRE, CONF_AUTH_ACCEPT };
enum conf_track_kind { CONF_TRACK_GATEWAY, CONF_TRACK_PROBE, CONF_TRACK_SCRIPT };
enum conf_hook { CONF_HOOK_ACTIVE, CONF_HOOK_BACKUP, CONF_HOOK_FAULT, CONF_HOOKS };

struct conf_node {
	char name[LIMIT_NAME];
	struct ip_addr address;
};

struct conf_router {
	char name[LIMIT_NAME];
	char interface[LIMIT_IFNAME];
	uint8_t vrid;                  /* 1..255 */
	uint8_t priority[LIMIT_NODES]; /* 1..255, by index of the node; 255 = address owner */
	bool preempt;
	bool unicast;
	uint8_t standby;               /* enum conf_standby */
	uint32_t preempt_delay_ms;
	uint32_t lease_s;              /* 2..3600 */
	uint8_t fence;                 /* enum conf_fence */
	uint32_t fence_ms;             /* 20..3600000; 0 without one */
	uint32_t first_address;        /* rows of addresses[] */
	uint32_t address_count;        /* 1.. ; an advertisement carries the first ones of a family */
	/* Every interface whose loss makes the node unfit: own, of addresses, tracked. Distinct. */
	char interfaces[LIMIT_ROUTER_INTERFACES][LIMIT_IFNAME];
	uint32_t interface_count;
	/* Those of track.interfaces alone, for printing back. */
	char tracked[LIMIT_ROUTER_INTERFACES][LIMIT_IFNAME];
	uint32_t tracked_count;
	char hook[CONF_HOOKS][LIMIT_PATH]; /* absolute path of a program, "" = none */
	bool virtual_mac;              /* addresses live on a macvlan with the RFC's MAC */
	char group[LIMIT_NAME];        /* routers of one group move together; "" = none */
	uint32_t first_block, block_count; /* rows of blocks[] */
	uint32_t first_track, track_count; /* rows of tracks[] */
};

/* A key of the heartbeat, out of key_file. The first one signs, every one verifies. */
struct conf_key {
	uint8_t id;                    /* 1..255 */
	uint8_t length;                /* 32..LIMIT_KEY */
	uint8_t bytes[LIMIT_KEY];
};

/* A further path between the nodes. */
struct conf_link {
	char name[LIMIT_NAME];
	char interface[LIMIT_IFNAME];
	struct ip_addr address[LIMIT_NODES]; /* by index of the node */
};

/* A whole prefix that becomes local with the router (local route, src = a leased address). */
struct conf_block {
	struct ip_prefix prefix;       /* network address, IPv4 */
	char interface[LIMIT_IFNAME];  /* the router's */
};

/* Something besides interfaces that a router needs to be fit. */
struct conf_track {
	uint8_t kind;                  /* enum conf_track_kind */
	/* 0: lost = unfit; else added to the priority, a negative one when lost, a positive when well */
	int16_t weight;
	char name[LIMIT_NAME];         /* of a gateway: its address */
	struct ip_addr gateway;
	struct endpoint target;        /* of a probe */
	uint32_t host;                 /* 1 + row of hosts[], as of a real server; 0: none */
	uint32_t resolve_s;            /* 1..86400; 0 without a host */
	uint32_t probe;                /* row of probes[], of a probe */
	char script[LIMIT_PATH];       /* absolute path of a program */
	uint32_t interval_ms, timeout_ms; /* of a gateway or script */
	uint8_t rise, fall;
};

struct conf_address {
	struct ip_prefix prefix;
	char interface[LIMIT_IFNAME];
};

struct conf_status_range {
	uint16_t low, high; /* inclusive, 100..599 */
};

struct conf_bytes {
	uint16_t length;          /* 0: none */
	uint8_t bytes[LIMIT_PROBE_BYTES]; /* zeros behind them */
};

/* Texts one behind the other, each with its NUL. */
struct conf_words {
	uint16_t count;
	char text[LIMIT_WORDS];   /* zeros behind them */
};

/* One way to probe; shared by every real server that is probed so. */
struct conf_probe {
	uint8_t type;             /* enum conf_probe_type */
	uint8_t rise;             /* 1..100 successes in a row */
	uint8_t fall;             /* 1..100 failures in a row */
	uint8_t spread_percent;   /* 0..50 of the interval, by which a start is put off at random */
	uint8_t refusal_weight;   /* 1..100 failures that a refusal counts as; 0: 1 */
	uint8_t flap_falls;       /* 0..100, as core/flap.h; 0: no flapper is held back */
	bool half_open;           /* tcp: reset instead of the handshake's last packet */
	bool data_path;           /* tcp: `through`, asked at the real server as IPVS would */
	bool tunnelled;           /* with data_path: wrapped into IPIP, as forwarding tunnel does */
	struct ip_addr through;   /* with data_path: an address of the virtual server; no family: none */
	uint16_t port;            /* 0: the real server's own port */
	struct ip_addr address;   /* no family: the real server's own address, or that of `address_host` */
	uint32_t address_host;    /* 1 + row of hosts[], as of a real server; 0: none */
	struct ip_addr source[LIMIT_NODES]; /* by index of the node; no family: the kernel's choice */
	uint32_t mark;            /* SO_MARK of what is sent; 0: none */
	uint32_t interval_ms;     /* 10..3600000; of a group the longest, as timeout_ms */
	uint32_t interval_fast_ms; /* between two verdicts; 0, of an agent: interval_ms, 250 at most */
	uint32_t interval_down_ms; /* while down; 0, of an agent: interval_ms */
	uint32_t flap_window_s;   /* 1..86400; of a flapper, as the next two */
	uint32_t flap_hold_s;     /* 1..3600 */
	uint32_t flap_hold_max_s; /* 1..86400, >= flap_hold_s */
	uint32_t timeout_ms;      /* 10..600000, one absolute deadline a probe */
	/* of http and https */
	char path[LIMIT_PATH];
	char host[LIMIT_PATH];    /* Host header; "" = the server's address and port */
	struct conf_status_range status[LIMIT_STATUS_RANGES];
	uint32_t status_count;
	char body[LIMIT_EXPECT_BODY]; /* must be in the answer; "" = any body */
	uint8_t method;           /* place in words_method[] */
	uint8_t http_version;     /* place in words_http_version[] */
	bool keep_alive;          /* a connection serves several probes */
	char headers[LIMIT_PROBE_HEADERS]; /* of the request: lines "Name: value", each with a '\n' */
	char header[LIMIT_EXPECT_BODY]; /* "Name: text" that the answer must have; "" = none */
	char regex[LIMIT_REGEX];  /* must match in the body; "" = none */
	bool has_json;            /* the body is JSON, and at json_pointer is json_value */
	char json_pointer[LIMIT_EXPECT_BODY];
	char json_value[LIMIT_EXPECT_BODY];
	struct conf_bytes send;   /* tcp, udp, agent; of http and https the body of the request */
	struct conf_bytes answer; /* tcp, udp: must be in what comes back; dns: a record's text */
	char query[LIMIT_PATH];   /* dns: the name asked for */
	uint8_t query_type;       /* dns: place in words_query_type[] */
	uint8_t rcode;            /* dns: 0..5 */
	/* of exec */
	struct conf_words command, environment; /* arguments, the program first; NAME=VALUE */
	char user[LIMIT_NAME];
	bool exit_weight;         /* exit statuses from 2 on are weights from 0 on */
	/* of all and any */
	uint8_t member_count;
	uint32_t members[LIMIT_MEMBERS]; /* rows of probes[], none of them a group */
	/* of https */
	char sni[LIMIT_PATH];     /* asked for and checked; "" = host, or the server's address */
	bool verify;
	char ca_file[LIMIT_PATH]; /* row of cas[] by its path; "" without verify */
	uint8_t tls_min;          /* enum conf_tls */
	uint16_t expiry_warning_days; /* 0..3650; 0: no warning */
	bool expiry_fail;         /* fail for what is warned of */
};

/* A file of certificates that probes trust, as it was when the configuration was read. */
struct conf_ca {
	char path[LIMIT_PATH];
	uint32_t first, length;   /* of ca_bytes[] */
};

struct conf_byte {
	uint8_t value;
};

struct conf_virtual {
	char name[LIMIT_NAME];
	uint32_t router;              /* row of routers[] */
	uint32_t first_listen, listen_count; /* rows of listens[]; none with a fwmark */
	uint32_t fwmark;              /* 0: none */
	uint8_t family;               /* enum ip_family of a service by fwmark */
	uint8_t protocol;             /* enum conf_protocol */
	uint8_t forwarding;           /* enum conf_forwarding */
	uint8_t tunnel;               /* enum vs_tunnel of core/table.h, as the next two */
	uint8_t tunnel_checksum;
	uint16_t tunnel_port;
	bool one_packet;              /* every datagram of UDP is scheduled by itself */
	char engine[16];              /* of persistence: "sip", or "" */
	uint8_t when_none_healthy;    /* enum conf_none_healthy */
	uint8_t down;                 /* enum conf_down */
	uint8_t weighting;            /* enum conf_weighting */
	bool black_hole;              /* look at the kernel's counters for servers that answer nothing */
	uint32_t correlated_hold_ms;  /* most of the servers silent at once: not believed so long */
	uint32_t slow_start_s;        /* from a tenth of the weight to all of it; 0: at once */
	uint32_t drain_s;             /* how long a drain lets connections go on; 0: for ever */
	char scheduler[16];           /* the kernel's name */
	uint32_t scheduler_flags;     /* IP_VS_SVC_F_SCHED* of linux/ip_vs.h */
	uint32_t persistence_s;       /* 0: none */
	struct ip_addr persistence_mask;
	uint32_t probe;               /* row of probes[] (CONF_PROBE_NONE type: always healthy) */
	uint32_t agent;               /* row of probes[] (CONF_PROBE_NONE type: none) */
	uint32_t first_real, real_count;
	uint32_t resolve_s;           /* of names of its real servers */
	uint32_t min_healthy;         /* fewer healthy than this counts as none */
	bool has_sorry;
	struct endpoint sorry;        /* port 0: the one that the client used */
	uint32_t sorry_host;          /* 1 + row of hosts[], as of a real server; 0: none */
	uint32_t sorry_probe;         /* row of probes[]: whether it is there, in the times of `probe` */
};

/* Addresses and ports of a virtual server: every pair is a service of the kernel (conf/listen.h). */
struct conf_listen {
	struct ip_addr first, last;   /* in order, of one family */
	uint16_t port_low, port_high; /* both 0: every port, of a persistent service */
};

/* Connection sync of hot standby (ip_vs_sync.c). */
struct conf_sync {
	bool enabled;
	char interface[LIMIT_IFNAME]; /* "": no hot router has virtual servers */
	uint8_t id;                   /* of the first node; the second one's is one more */
	uint8_t ttl;
	uint16_t port, maxlen;
	struct ip_addr group;
};

/* A name that stands where an address could, and the family that is wanted of it. */
struct conf_host {
	char name[LIMIT_HOST];
	uint8_t family;               /* enum ip_family */
	bool loopback;                /* addresses of this node itself will do: a probe asks there */
	uint32_t resolve_s;           /* 1..86400: asked again; the shortest of those that use it */
};

struct conf_real {
	char name[LIMIT_NAME];
	struct endpoint address;      /* port 0: the one that the client used */
	uint32_t host;                /* 1 + row of hosts[], of `address` only the port counts; 0: none */
	uint32_t weight;              /* 0..65535, as configured */
	uint32_t upper_threshold, lower_threshold; /* connections; 0: none */
	uint8_t forwarding;           /* enum conf_forwarding: the virtual server's or its own */
	uint32_t probe;               /* row of probes[]: the virtual server's or an override */
	bool probe_overridden;        /* for printing back */
	uint32_t agent;               /* row of probes[]: the virtual server's or an override */
	bool agent_overridden;        /* for printing back */
};

/* Where the tables of an unpacked configuration lie. Within one thread. */
struct conf_map {
	void *at;
	size_t bytes;
	uint32_t users;
};

struct config {
	char cluster[LIMIT_NAME];
	uint32_t interval_ms;         /* 10..40950, multiple of 10; version 2: whole s to 255000 */
	uint8_t version;              /* 3 or 2 */
	uint8_t authentication;       /* enum conf_authentication; only with keys */
	char key_file[LIMIT_PATH];    /* "" = plain VRRP */
	uint8_t checksum;             /* enum conf_checksum: what is sent; either is accepted */
	char control_group[LIMIT_NAME]; /* "" = root only */
	int facility;                 /* syslog facility, shifted */
	char facility_name[16];
	uint8_t log_level;            /* enum log_level */
	uint32_t probers;             /* 0: as many as it takes */
	struct conf_sync sync;
	uint8_t probe_members;        /* of the largest group of probes: rows of targets are set aside */
	bool has_agents;              /* of `agent`: rows of targets are set aside for them */

	struct conf_node *nodes;
	uint32_t node_count;
	struct conf_router *routers;
	uint32_t router_count;
	struct conf_address *addresses;
	uint32_t address_count;
	struct conf_virtual *virtuals;
	uint32_t virtual_count;
	struct conf_listen *listens;
	uint32_t listen_count;
	struct conf_real *reals;
	uint32_t real_count;
	struct conf_host *hosts;
	uint32_t host_count;
	struct conf_probe *probes;
	uint32_t probe_count;
	struct conf_ca *cas;
	uint32_t ca_count;
	struct conf_byte *ca_bytes;
	uint32_t ca_byte_count;
	struct conf_key *keys;        /* read by the supervisor; never printed */
	uint32_t key_count;
	struct conf_link *links;
	uint32_t link_count;
	struct conf_block *blocks;
	uint32_t block_count;
	struct conf_track *tracks;
	uint32_t track_count;

	struct conf_map *map;         /* all tables lie there, read-only; NULL: each is allocated */
};

/* Frees the tables (not the struct). A zeroed config is empty and may be freed. */
void config_free(struct config *c);

/* Index of the router of that name, or CONF_NO_INDEX. */
uint32_t config_find_router(const struct config *c, const char *name);
uint32_t config_find_node(const struct config *c, const char *name);
/* The file of that path, or NULL. */
const struct conf_ca *config_find_ca(const struct config *c, const char *path);
/*
 * Do both rows ask the same way, trusting the same certificates? Of names the names count and not
 * what they stand for just now.
 */
bool config_same_probe(const struct config *a, uint32_t row_a, const struct config *b, uint32_t row_b);
/* "tcp", "udp", "sctp" */
const char *conf_protocol_name(uint8_t protocol);
/* "nat", "dr", "tunnel" */
const char *conf_forwarding_name(uint8_t forwarding);
/* The row of such a number, or NULL for 0. */
const struct conf_host *conf_host(const struct config *c, uint32_t number);
/* Do both mean the same question? */
bool conf_host_same(const struct conf_host *a, const struct conf_host *b);
/* The name that it has instead of an address, or NULL. */
const struct conf_host *conf_real_host(const struct config *c, const struct conf_real *real);
/* Where a probe of that real server goes when the probe names no port; 0: nowhere. */
uint16_t conf_real_port(const struct config *c, const struct conf_virtual *v,
	const struct conf_real *real);
static inline bool
conf_probe_is_group(const struct conf_probe *p)
{
	return p->type == CONF_PROBE_ALL || p->type == CONF_PROBE_ANY;
}

/* The i-th of them, or NULL. */
const char *conf_word(const struct conf_words *words, unsigned i);
/* Behind the others; false: there is no room. */
bool conf_words_add(struct conf_words *words, const char *text);
/* The number (enum dns_type of core/dns.h) of a query_type. */
uint16_t conf_query_type(uint8_t place);
/* "gateway", "probe", "script" */
const char *conf_track_kind_name(enum conf_track_kind kind);
/* Row of tracks[] of that router, or CONF_NO_INDEX. */
uint32_t config_find_track(const struct config *c, const char *router, enum conf_track_kind kind,
	const char *name);
/*
 * The row of before->tracks[] that asks the same, for the router of that name, as row `row` of
 * now->tracks[]: everything but the weight and resolve_s is equal, and of a name what it stands for.
 * CONF_NO_INDEX: none does.
 */
uint32_t config_track_before(const struct config *now, const char *router, uint32_t row,
	const struct config *before);

/*
 * A number over everything that the two nodes must agree on: the same file gives the same number
 * on both. Not the keys (they are rotated one node after the other), log and control.
 */
uint32_t config_digest(const struct config *c);

#endif
