/*
 * The election process: sockets, interfaces and addresses around core/election.h. It decides
 * nothing about roles; it carries events to the core and the core's actions to the system, and it
 * never waits: what may block (RTNL) is done by the hands thread, what is slow by other processes.
 *
 *   election_main.c     start, event loop, supervisor's messages, stop
 *   election_ports.c    interfaces: link state, own address, VRRP sockets
 *   election_receive.c  packets in: decoded, judged, handed to a router
 *   election_send.c     messages out: built, signed, sent over every path
 *   election_pair.c     the keyed pair: keys, paths, who hears whom
 *   election_wire.c     questions to the service interface: who has it, who is there
 *   election_ours.c     what is virtual: is this address one of ours?
 *   election_routers.c  virtual routers: made from the configuration, changed on reload, fitness
 *   election_devices.c  devices with a virtual MAC: which there must be, made, lost
 *   election_group.c    virtual routers that move together
 *   election_track.c    tracked gateways, probes and scripts: what they do to fitness and priority
 *   election_gateways.c asks tracked gateways
 *   election_blocks.c   whole prefixes: announced by a thread, watched, left over
 *   election_fence.c    the egress fence: opened, renewed and closed with the core's actions
 *   election_stragglers.c  frames that still come after a handover: passed on to the new owner
 *   election_perform.c  the core's actions
 *   election_report.c   log lines, facts for the pool process, the handover page
 *
 * Inside of src/proc only.
 */
#ifndef TANDEM_PROC_ELECTION_PROCESS_H
#define TANDEM_PROC_ELECTION_PROCESS_H

#include "auth/heartbeat_key.h"
#include "core/contact.h"
#include "core/view.h"
#include "core/election.h"
#include "core/health.h"
#include "core/pair.h"
#include "core/settle.h"
#include "core/virtual_mac.h"
#include "core/vrrp.h"
#include "linux/announcer.h"
#include "linux/arp.h"
#include "linux/fence.h"
#include "linux/hands.h"
#include "linux/links.h"
#include "linux/relay.h"
#include "linux/vrrp_socket.h"
#include "linux/wire.h"
#include "ipc/messages.h"
#include "proc/child.h"
#include "proc/incoming.h"

#include <ev.h>

enum { PORTS_MAX = LIMIT_ROUTERS * 4, PORT_ADDRESSES = 32, ROUTER_DEVICES = 2 };

struct elector;
struct router;
struct gateways;

enum { NEIGHBOURS = 8 };

/* Who is there on a service interface, and whether they answer us. */
struct neighbourhood {
	struct ip_addr known[NEIGHBOURS]; /* gateway and neighbours, told by the pool process */
	size_t known_count;
	struct ip_addr heard[NEIGHBOURS]; /* senders of ARP, the latest first */
	size_t heard_count;
	struct ip_addr told[NEIGHBOURS];  /* by the peer, which has talked to them */
	size_t told_count;
	struct contact contact;
	enum el_contact contact_told;     /* to the elections */
};

/* The VRRP sockets of one family on an interface. */
struct voice {
	struct port *port;
	bool wanted;                      /* routers advertise here, or a link */
	bool open;
	struct vrrp_socket socket;
	ev_io watcher;
};

/* An interface that some router uses. */
struct port {
	struct elector *elector;
	char name[LIMIT_IFNAME];
	struct port *below;               /* of a device with a virtual MAC; else NULL */
	struct link_state link;           /* ifindex 0: does not exist now */
	struct ip_prefix addresses[PORT_ADDRESSES]; /* of the host itself: candidates for our source */
	size_t address_count;
	struct voice voices[2];           /* IPv4, IPv6 */
	struct router *by_vrid[256];
	uint8_t peer_mac[6];              /* of the other node, by its ARP or its advertisements */
	uint8_t owner_mac[6];             /* of who last spoke for a virtual address in our place */
	struct ip_addr peer_ip6;          /* its link-local address, from its heartbeats */
	struct neighbourhood neighbourhood;
};

/* One way to the other node: a service interface, or a link. */
struct path {
	char name[LIMIT_NAME];            /* of the interface, or of the link */
	bool is_link;
	struct port *port;
	struct ip_addr local, remote;     /* of a link */
	bool one_way_seen, one_way_told;
	mono heard;                       /* anything for one of our routers */
};

/* What is known of row i of config.tracks. */
struct tracked {
	enum health_verdict verdict;      /* HEALTH_UNKNOWN counts as well */
	enum reason reason;
	char detail[IPC_TRACK_DETAIL];
	mono since;
	bool told;                        /* the pool process knows */
};

/* What the announcer thread does for a router, apart from each other. */
enum router_round { ROUND_ADDRESSES, ROUND_BLOCKS, ROUNDS };

/* A wish of the operator that waits for offers to be taken. */
struct wish {
	uint64_t id;                      /* 0: none */
	unsigned waiting, done;
	enum reason refusal;
};

struct router {
	struct elector *elector;
	uint32_t id;                      /* never used twice: names hands jobs */
	struct conf_router conf;
	struct conf_address *addresses;   /* owned; on the interface where they really are */
	struct conf_block *blocks;        /* owned */
	struct announcer_round *rounds[ROUNDS]; /* the latest ones while they are under way */
	bool relays;                      /* what still comes for it, once the kernel has let go */
	bool addresses_told;              /* that all are announced, since it is active */
	mono round_hurried;               /* when one last began that is as fast as may be */
	struct virtual_device devices[ROUTER_DEVICES];
	size_t device_count;              /* 0: no virtual MAC */
	int device_error;                 /* errno: one of them cannot be made */
	struct port *port;
	bool has_pool;                    /* virtual servers hang on it */
	uint8_t servers;                  /* what the pool process said of them; 0: nothing */
	bool was_behind;                  /* in the last second: for the log */
	bool leaving;                     /* gone from the configuration: freed when quiet */
	bool told;                        /* the pool process has the current facts */
	bool offering;                    /* as it was told */
	bool takeover_untold;             /* role line and hook wait for the announcement */
	struct election election;
	ev_timer timer;
	mono armed;                       /* when the timer fires */
	mono backup_since;
	enum el_role takeover_from;
	struct handover_router *page;
	uint64_t adverts_sent, adverts_received;
	uint32_t tag;                     /* trailer_tag() of its name */
	enum ip_family family;            /* of its advertisements */
	bool wished;                      /* its offer is the operator's wish */
	bool mute_told;
	struct group_seat seat;           /* in its group */
	struct log_limit conflict_limit, interval_limit;
	struct view view;                 /* of the servers, by both nodes */
	uint16_t own_view, told_view, peer_view;
	mono peer_view_at;                /* MONO_NEVER: the peer never told */
	bool fence_open;                  /* has been opened, and not closed since */
	bool fence_due;                   /* renew it with this turn of the loop */
	struct hands_job *claim;          /* waits until the fence is open; NULL: none */
};

/* The egress fence of all routers that want one. */
struct fencing {
	char name[FENCE_NAME];
	struct fence *thread;             /* NULL: not needed yet */
	struct fence_plan *plan;          /* what was asked for last */
	bool in_force;                    /* and the kernel has it */
	bool refused;                     /* or it does not want it: until the next reload */
	bool keeping;                     /* a renewal is under way */
	size_t due;
	struct log_limit limit;
	ev_io watcher;
	ev_prepare turn;
};

struct elector {
	struct child *child;
	struct ev_loop *loop;
	struct incoming incoming;         /* messages of the other processes */
	struct config config;
	uint64_t generation;
	struct links *links;
	struct hands *hands;
	struct announcer *announcer;
	struct relay *relay;
	ev_io relay_watcher;
	int block_fd;                     /* tells when a block's route was removed */
	ev_io announcer_watcher, block_watcher;
	struct arp_sender arp;
	struct wire wire;
	ev_io wire_watchers[WIRE_SOCKETS];
	struct ip_addr *our_addresses;    /* of all routers, in order */
	size_t our_address_count;
	struct ip_prefix *our_blocks;     /* in order */
	size_t our_block_count;
	ev_timer wire_timer;              /* keyed: looks whether a service path is quiet */
	struct port *ports[PORTS_MAX];
	size_t port_count;
	struct router *routers[LIMIT_ROUTERS * 2]; /* leaving ones included */
	size_t router_count;
	uint32_t last_id;
	bool has_devices;                 /* some router has, or had, a device with a virtual MAC */
	bool starting;                    /* initial listing: leftovers are noted */
	struct conf_address *leftovers;   /* until the roles are known and judge them */
	size_t leftover_count;
	bool stopping;
	bool orphaned;                    /* the supervisor is gone: nobody cleans up after us */
	mono stop_deadline;
	int pool_fd;                      /* -1: no pool process now */
	ev_io supervisor_watcher, pool_watcher, links_watcher, carrier_watcher, hands_watcher;
	ev_timer alive_timer, second_timer;
	mono alive_due;
	uint64_t seconds;
	uint64_t refused[REASON_COUNT];
	struct log_limit packet_limit, send_limit;
	int64_t lateness_max_ns, lateness_last_ns;
	mono peer_heard;

	struct auth_ring *ring;           /* NULL: plain VRRP */
	struct pair pair;
	struct path paths[PAIR_PATHS];    /* in the order of pair.paths */
	size_t path_count;
	ev_timer pair_timer;
	bool digest_told;                 /* the difference of the configurations */
	struct wish wish;
	struct group_turn group_turn;
	struct fencing fencing;

	struct tracked *tracked;          /* as many as config.tracks; NULL: no memory */
	struct gateways *gateways;        /* election_gateways.c */
};

/* election_main.c */
/* An offer that the operator wished for has ended. */
void wish_ended(struct router *r, bool ok, enum reason why);

/* election_ports.c */
struct port *port_get(struct elector *x, const char *name);
const struct port *port_find(const struct elector *x, const char *name);
const struct port *port_by_index(const struct elector *x, int ifindex);
void ports_on_link(void *elector, const struct link_state *state);
void ports_on_address(void *elector, const struct link_address *address);
/* This node's address on the interface: source of adverts. Family IP_NONE when it has none. */
struct ip_addr port_source(const struct port *p, enum ip_family family);
struct voice *port_voice(struct port *p, enum ip_family family);
struct port *port_writable(struct elector *x, const struct port *p);
bool port_has(const struct port *p, const struct ip_addr *addr);
/* Virtual addresses found at start: kept where a router goes on as active, else removed. */
void ports_judge_leftovers(struct elector *x);
void ports_watch(struct elector *x);
void ports_close(struct elector *x);

/* election_receive.c */
void voice_drain(struct voice *v);
/* Everything that any interface or link has received. */
void ports_drain(struct elector *x);

/* election_send.c */
void send_advert(struct router *r, mono now, uint8_t priority);
void send_hello(struct router *r, mono now);

/* election_devices.c */
/* Where an address of the row really is: on the router's device when it has a virtual MAC. */
struct conf_address device_place(const struct conf_router *row, const struct conf_address *a);
/* The devices that r->addresses needs, and their ports. */
void router_set_devices(struct router *r);
/* At start, waiting: makes or adopts what is wanted, removes what is not. */
void devices_start(struct elector *x);
/* At start: those of routers that are not active are taken down. */
void devices_rest(struct elector *x);
/* After a reload, by the hands. */
void devices_configure(struct elector *x);
/* Once more: an interface has appeared, or the last try failed. */
void router_prepare_devices(struct router *r);
void devices_second(struct elector *x);
/* Removes every device, in place of a supervisor that is gone. Waits. */
void devices_remove(struct elector *x);
/* What the hands found out; r may be NULL. */
void devices_done(struct elector *x, struct router *r, const struct hands_job *job);
/* A device's state has changed. */
void device_changed(struct port *p);

/* election_wire.c */
/* Hears what the virtual routers of the configuration need to hear, from now on. */
void wire_listen(struct elector *x);
void wire_ask_for(struct router *r);
void wire_drain(struct elector *x);
void wire_know_neighbours(struct elector *x, const struct ipc_neighbours *list);
/* Whom the peer of the router may ask, as the trailer has room for; how many. */
size_t wire_neighbours(const struct router *r, struct ip_addr out[TRAILER_NEIGHBOURS]);
/* The peer speaks on the router's own interface, from there. */
void wire_met_peer(struct router *r, const struct ip_addr *source);
void wire_told_neighbours(struct router *r, const struct trailer *t);
void wire_look(struct elector *x, mono now);

/* election_ours.c */
/* For x->config, once the wire is open. False: no memory; nothing has changed. */
bool ours_set_up(struct elector *x);
/* Is it a virtual address of any router? The second one: or in a block? */
bool ours_has_address(const struct elector *x, const struct ip_addr *address);
bool ours_has(const struct elector *x, const struct ip_addr *address);
void ours_free(struct elector *x);

/* election_pair.c */
/* Keys and paths of the configuration. False: no memory, or OpenSSL refused. */
bool pair_set_up(struct elector *x);
void pair_start_timer(struct elector *x);
bool elector_is_keyed(const struct elector *x);
/* The path on which such a packet came, or -1. */
int path_of(const struct elector *x, const struct port *p, const struct vrrp_envelope *envelope);
/* Verifies and judges a signed message; REASON_NONE: believed. */
enum reason pair_judge(struct elector *x, mono now, int path, const uint8_t *message,
	size_t length, const struct trailer *t, int64_t interval_ns);
void pair_port_changed(struct elector *x, const struct port *p);
void pair_second(struct elector *x, mono now);
void pair_close(struct elector *x);

/* election_routers.c */
void routers_configure(struct elector *x, const struct config *fresh);
void routers_start(struct elector *x);
/* Where its adverts come from on its own interface; family IP_NONE: nowhere now. */
struct ip_addr router_source(const struct router *r);
/* Judged with its group. */
void router_check_fitness(struct router *r, mono now);
/* Of itself, whatever the others of its group are. *priority: 1..255. */
enum el_fitness router_own_fitness(const struct router *r, enum reason *why, uint8_t *priority);
void router_set_fitness(struct router *r, mono now, enum el_fitness fitness, enum reason why,
	uint8_t priority);
/* Nothing keeps it from going on where a crashed predecessor stopped. */
bool router_may_resume(const struct router *r, mono now);
void routers_port_changed(struct elector *x, const struct port *p);
struct router *router_by_id(struct elector *x, uint32_t id);
struct router *router_by_name(struct elector *x, const char *name);
/* Does the router hold that address on that interface? */
bool router_has_address(const struct router *r, const struct ip_prefix *prefix, const char *interface);
bool routers_any_active(const struct elector *x);
/* Free those that have left and are quiet. */
void routers_sweep(struct elector *x);
void routers_free(struct elector *x);

/* election_group.c */
bool group_has(const struct router *r, const struct router *other);
/* The lowest of the members' own priorities; its own without a group. */
uint8_t group_priority(struct router *r);
/* Fitness of all members, and whatever they have to do for each other. */
void group_settle(struct router *r, mono now);
/* The router's election has done these things: are they the group's business? */
void group_follow(struct router *r, mono now, const struct el_acts *acts);
/* Several routers are about to be changed; groups_settle() looks at all groups, and goes on. */
void groups_pause(struct elector *x);
void groups_settle(struct elector *x, mono now);
/* Could the peer of a keyed pair take over every member that is active here? */
bool group_peer_is_ready(struct router *r, mono now);
/* Every member may go on where a predecessor stopped, or none does. */
bool group_may_resume(const struct router *r, mono now);

/* election_track.c */
/* A table for x->config; verdicts on what is still asked in the same way are kept. */
void track_configure(struct elector *x, const struct config *before);
/*
 * REASON_NONE, or why the node is impaired for the router: the first lost item that it needs.
 * *priority_delta is what the others do to the configured priority, within 1..254.
 */
enum reason track_judge(const struct router *r, int *priority_delta);
/* The verdict on a gateway, after rise and fall; `name`: its address. */
void track_gateway(struct elector *x, const char *router, const char *name, bool up,
	const char *detail);
/* The same, as another process tells it. */
void track_take(struct elector *x, const struct ipc_track *fact);
/* To the pool process: what it has not been told yet. */
void track_report(struct elector *x);
void track_untell(struct elector *x); /* a new pool process knows nothing */

/* election_gateways.c */
/* Nothing is asked yet. False: no memory. */
bool gateways_new(struct elector *x);
/* The sockets: 0 or negative errno. Needs CAP_NET_RAW. */
int gateways_open(struct elector *x);
/* For x->config, after track_configure(); what is asked in the same way goes on as it was. */
void gateways_configure(struct elector *x, const struct config *before);
/* Once the virtual routers are those of the configuration. */
void gateways_start(struct elector *x);
void gateways_free(struct elector *x);

/* election_fence.c */
/* Before the first role: what an earlier life left goes, what is wanted is asked for. */
void fencing_start(struct elector *x);
/* The routers or the interfaces are others; `again`: even if the kernel refused the same before. */
void fencing_follow(struct elector *x, bool again);
/* True: the claim is the fence's now and goes to the hands when the fence is open. */
bool fencing_takes_claim(struct router *r, struct hands_job *claim);
/* Silence, and no claim waits any more. */
void fencing_release(struct router *r);
/* An advertisement of an active router goes out: so may its addresses, for a while. */
void fencing_advert(struct router *r);
/* Is the egress fence in force for the router, beside the lease? */
bool router_is_fenced(const struct router *r);
void fencing_stop(struct elector *x);

/* election_perform.c */
void router_perform(struct router *r, mono now, const struct el_acts *acts);
void router_arm(struct router *r);
void router_on_timer(struct ev_loop *loop, ev_timer *w, int events);
void elector_take_jobs(struct elector *x);
/* Remove addresses and blocks outside of the election (leftovers, gone from the configuration). */
void elector_remove(struct elector *x, const struct conf_address *addresses, size_t address_count,
	const struct conf_block *blocks, size_t block_count);
/* The gate of IPVS as the roles make it. */
void elector_set_gate(struct elector *x);

/* election_blocks.c */
/* The address whose lease carries the router's blocks; family IP_NONE: it has none. */
struct ip_addr router_anchor(const struct router *r);
/*
 * The announcer's part of the copy that is due: the blocks, and the IPv4 addresses but for the first
 * `after`.
 */
void rounds_begin(struct router *r, uint32_t after);
/* Nothing of the router is announced by the announcer from here on. */
void rounds_end(struct router *r);
void rounds_prolong(struct router *r); /* with the lease */
void rounds_take(struct elector *x);   /* those that are over */
/* The kernel lets nothing on this host answer from the router's blocks: said once. */
void blocks_mute(struct router *r);
/* Somebody removed routes. */
void blocks_drain(struct elector *x);
/* At start: routes left by an earlier life go, unless a router goes on as active. Waits. */
void blocks_judge_leftovers(struct elector *x);

/* election_stragglers.c */
/* The relay: 0 or a negative errno. */
int stragglers_start(struct elector *x);
/* The kernel holds the router's addresses no more. */
void stragglers_released(struct router *r, mono now);
/* It will hold them again, or the router is no more. */
void stragglers_end(struct router *r);

/* election_report.c */
void report_takeover(struct router *r, mono announced);
void report_role(struct router *r, const struct el_act *act);
void report_rival(struct router *r, mono now, const struct el_act *act);
/* Somebody's kernel answers for the addresses, and this node waits. */
void report_still_answered(struct router *r, enum reason why);
void report_refused(struct elector *x, mono now, enum reason why, const struct ip_addr *source,
	const char *interface);
/* Of a heartbeat: 0, or the negative errno with which the kernel did not take it. */
void report_send(struct elector *x, const char *interface, int error);
void report_interval(struct router *r, mono now, const struct el_advert *advert);
void report_state(struct elector *x);
void report_router(struct router *r);   /* to the pool, now or with the next second */
void report_peer(struct elector *x);    /* to the pool: the other node, and the paths to it */
void report_all(struct elector *x);
void report_page(struct router *r);
void report_text(struct elector *x, enum log_level level, const char *event, enum reason why,
	const char *key, const char *value);

/* election_view.c */
void view_init_router(struct router *r);
void view_configure(struct router *r, const struct config *c);
void view_take_own(struct elector *x, const struct ipc_view *told);
void view_take_peer(struct router *r, mono now, uint16_t told);
uint16_t view_of_peer(const struct router *r, mono now); /* VIEW_UNKNOWN: not told lately */
void view_second(struct elector *x, mono now);

#endif
