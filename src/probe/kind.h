/*
 * The probe kinds and what the engine keeps for them. Inside of src/probe only.
 *
 *   engine.c          the loop: deadlines, starts, stalls
 *   targets.c         set and clear, definitions shared by targets
 *   finish.c          the end of a probe: health, next start, report
 *   sockets.c         TCP sockets, used again
 *   stock.c           sockets with a mark, made by others
 *   ports.c           probes that wait for a local port
 *   stream.c          connecting, for the kinds on TCP; what an errno says
 *   datagram.c        the same for the kinds on UDP
 *   answer.c          the start of an answer, and the text that it has to hold
 *   body.c            the body of an http answer as a whole: kept, matched, understood as JSON
 *   idle.c            connections kept between probes
 *   tls.c             the TLS of a probe that has it; tls_trust.c: whom it trusts
 *   path_sockets.c    what the probes through the data path send and hear with
 *   path_hop.c        where they go over IPv6, frame by frame
 *   kind_icmp.c, kind_tcp.c, kind_http.c, kind_udp.c, kind_dns.c, kind_agent.c, kind_path.c
 */
#ifndef TANDEM_PROBE_KIND_H
#define TANDEM_PROBE_KIND_H

#include "conf/pattern.h"
#include "core/cadence.h"
#include "core/dns.h"
#include "core/health.h"
#include "core/http.h"
#include "core/icmp.h"
#include "core/lag.h"
#include "linux/next_hop.h"
#include "probe/engine.h"
#include "probe/heap.h"
#include "probe/tls.h"

#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>

struct probe_run;
struct stock;
struct target;

/* One small table per kind of probe. */
struct probe_kind {
	/* Begin. May end the run at once by probe_finish(). */
	void (*start)(struct probe_run *run);
	/* The run's descriptor is ready. May end the run. */
	void (*ready)(struct probe_run *run, int events);
	/* The deadline came: what does the silence say? */
	enum reason (*silence)(const struct probe_run *run);
	/* What the server sent, printable; may be NULL. */
	void (*evidence)(const struct probe_run *run, char out[HTTP_EVIDENCE]);
	bool shows_good;        /* evidence of good answers, too */
	bool connects;          /* it is on TCP */
	/* On TCP: what the answer says; REASON_NONE: not enough of it yet. NULL: none is read. */
	enum reason (*judge)(const struct probe_run *run);
	/* Free what the run holds besides its descriptor; may be NULL. */
	void (*release)(struct probe_run *run);
	bool shares_socket;     /* a run has no descriptor; one that its place keeps is left alone */
};

extern const struct probe_kind kind_icmp, kind_tcp, kind_http, kind_https, kind_udp, kind_dns,
	kind_agent, kind_path;

/* A way to probe, shared by every target that is probed so. */
struct definition {
	LIST_ENTRY(definition) link;
	uint32_t users;
	const struct probe_kind *kind;
	struct conf_probe probe;
	struct cadence_pace pace;
	struct http_expect expect;
	struct pattern *pattern; /* http: expect.regex; NULL: none */
	struct dns_question question; /* but for the id */
	struct dns_expect dns_expect;
	struct tls_trust *trust; /* NULL: none */
	SSL_CTX *tls;            /* https; NULL: none */
};

enum { ANSWER_MAX = 1024 }; /* bytes of an answer that are looked at */

struct answer {
	uint16_t length;
	uint8_t bytes[ANSWER_MAX];
};

struct tcp_run {
	bool connected;
	bool reset;             /* the server reset the connection while it was written to */
	uint16_t sent;
	struct answer answer;
};

struct dns_run {
	uint16_t id;
	uint16_t strays;        /* datagrams that answer something else */
	char seen[DNS_SEEN];
};

struct udp_run {
	struct answer answer;
};

enum http_phase { PHASE_CONNECT, PHASE_HANDSHAKE, PHASE_REQUEST, PHASE_ANSWER };

struct http_run {
	enum http_phase phase;
	bool reset;             /* the server reset the connection while it was written to */
	bool reused;            /* the connection is of an earlier probe */
	struct tls tls;         /* https */
	uint8_t *body;          /* lent to the parser; NULL: none */
	char said[HTTP_EVIDENCE]; /* of a body that is not what is expected, or "" */
	uint32_t request_length, request_sent;
	struct http_parser parser;
	char request[HTTP_REQUEST_MAX];
};

struct icmp_run {
	struct icmp_echo echo;
};

struct path_run {
	bool waiting;           /* for the next hop; nothing was sent */
	bool open;              /* the server may have an entry of it */
	bool repeated;
	struct ip_addr from;    /* ours */
};

/* A question through the data path, for as long as its answer may still come. */
struct path_trace {
	LIST_ENTRY(path_trace) link;
	struct target *target;  /* NULL: not used yet */
	struct ip_addr from;
	uint32_t sequence;
};

/* Of one target: the latest question and the one before, and where they go. */
struct path {
	struct target *target;
	struct path_trace traces[2];
	uint32_t count;
	LIST_ENTRY(path) hop_link;
	uint32_t hop_turn;      /* of path_hops, in which it was looked up; 0: it was not */
	struct next_hop hop;
};

LIST_HEAD(path_traces, path_trace);
LIST_HEAD(paths, path);

enum { PATH_BUCKETS = 1024 };

/* Of one family (path_sockets.c). */
struct path_sockets {
	uint8_t family;
	int raw, packet, listener; /* -1: none, see `error` */
	int error;              /* errno of why they could not be opened */
	uint16_t port;          /* 0: nobody asks */
	uint32_t users;         /* targets */
	ev_io io;
};

/* The neighbours that frames go to (path_hop.c). */
struct path_hops {
	int ask, news;          /* -1: none */
	uint32_t turn;          /* what was looked up in an earlier one is not known any more */
	ev_io io;
	struct paths at[PATH_BUCKETS]; /* by the neighbour's address */
};

/* What the probes through the data path share. */
struct path_shared {
	struct path_sockets v4, v6;
	struct path_hops hops;
	struct path_traces traces[PATH_BUCKETS]; /* by sequence */
};

/* A probe in flight. Runs are kept and used again. */
struct probe_run {
	TAILQ_ENTRY(probe_run) free_link;
	struct engine *engine;
	struct target *target;
	uint32_t slot;          /* of engine.runs */
	int fd;                 /* -1: none; between two probes one that is kept */
	int family;             /* of a TCP socket; 0: fd is none */
	bool marked;            /* it is of the stock */
	struct ip_addr source;  /* that the socket is bound to */
	int waits, told;        /* EV_READ, EV_WRITE: for what; of what it was told since it last looked */
	int syn_repeats;        /* as set on the socket; 0: as the system has it */
	int waits_to_acknowledge; /* as set on the socket (stream.c); -1: nobody knows */
	bool broken;            /* an error or the end was told */
	ev_io io;               /* for datagrams */
	mono started;
	int64_t held_up_ns;     /* of the engine when it started */
	int64_t lag_ns;         /* by how much more when it ended */
	int64_t connect_ns, answer_ns; /* -1: not yet */
	int64_t expires_s;      /* INT64_MAX: no certificate seen */
	union {
		struct http_run http;
		struct tcp_run tcp;
		struct udp_run udp;
		struct dns_run dns;
		struct icmp_run icmp;
		struct path_run path;
	};
};

/* A connection that waits for its target's next probe. */
struct idle {
	bool open;
	int fd;
	SSL *ssl; /* NULL: no TLS */
};

/* Has the receiver to hear? News at once; that nothing changed when there is more of the kind. */
enum target_report { REPORT_NONE, REPORT_SAME, REPORT_NEWS };

enum target_state { TARGET_WAITING, TARGET_QUEUED, TARGET_PORTLESS, TARGET_RUNNING };

struct target {
	struct heap_node deadline; /* of the next start, or of the probe in flight */
	LIST_ENTRY(target) link;
	TAILQ_ENTRY(target) queue_link;
	TAILQ_ENTRY(target) report_link;
	TAILQ_ENTRY(target) idle_link;
	struct idle idle;
	struct path *path;      /* of a probe through the data path; NULL: another, or no memory */
	uint32_t id, generation;
	struct endpoint address;
	struct ip_addr source;  /* no family: the kernel's choice */
	struct definition *definition;
	enum target_state state;
	enum target_report report;
	bool reported;          /* it heard at least once */
	uint8_t voids;          /* in a row */
	struct health health;
	mono due;               /* of the latest start, on the rhythm */
	mono start;             /* the same with its random share */
	int64_t phase_ns;       /* of the ordinary interval */
	int64_t step_ns;        /* what the rhythm is now */
	mono portless_since;    /* its probe waits for a port, or did; MONO_NEVER: it did not */
	struct probe_run *run;  /* while one is in flight */
	mono reported_at;
	enum reason reported_reason;
	struct agent_state agent, reported_agent; /* what an agent said until now */
	struct ipc_probe_result last;
};

LIST_HEAD(target_list, target);
LIST_HEAD(definition_list, definition);
TAILQ_HEAD(target_queue, target);
TAILQ_HEAD(run_list, probe_run);

enum { PORTS_REFUSED = 4 };

/* For what a port is wanted: a connection; or datagrams, of this family, to anybody. */
struct port_want {
	struct endpoint to;
	struct ip_addr from;
};

/* Probes that wait for a local port (ports.c). */
struct ports {
	struct target_queue waiting;
	struct port_want refused[PORTS_REFUSED]; /* when they were tried last, by `again` */
	uint32_t refused_count;
	mono again;             /* they are tried */
};

enum {
	TARGET_BUCKETS = 16384,
	DEFINITION_BUCKETS = 1024,
	READ_BYTES = 16384,
};

struct engine {
	struct engine_options options;
	struct ev_loop *loop;
	ev_prepare before_wait;
	ev_check after_wait;
	ev_timer timer;
	mono wake_by;           /* what the timer waits for: awake later is a stall */
	mono awake;             /* since when it is */
	mono rests_until;       /* what is due before is served together then */
	struct heap deadlines;
	struct target_queue queue; /* due, but there is no place */
	struct ports ports;
	struct target_queue reports[REPORT_NEWS + 1];
	uint32_t same_count;    /* of reports[REPORT_SAME] */
	mono same_since;
	struct ipc_probe_results batch; /* to hand over; nothing between two turns */
	struct target_queue idle; /* with a connection kept, the longest first */
	uint32_t idle_count;
	bool blocked;           /* the receiver takes nothing now */
	struct probe_run **runs; /* by slot */
	uint32_t run_count;
	struct run_list free_runs; /* those that kept a socket first */
	int sockets_fd;         /* the epoll set of TCP sockets */
	ev_io sockets_io;
	uint32_t sockets_kept;  /* without a probe */
	LIST_HEAD(, stock) stocks; /* of sockets with a mark */
	int icmp4, icmp6;       /* -1: none */
	ev_io icmp4_io, icmp6_io;
	uint16_t icmp_id;
	struct path_shared path;
	size_t body_bytes;      /* of all runs */
	uint64_t cookie, dns_ids, spreads; /* states of random_next() */
	struct engine_stats stats;
	struct target_list targets[TARGET_BUCKETS];
	struct definition_list definitions[DEFINITION_BUCKETS];
	uint8_t read_buffer[READ_BYTES];
};

/* finish.c */
/*
 * The probe ends. It is judged, or void when this process was held up meanwhile (core/lag.h). The run
 * is gone afterwards.
 */
void probe_finish(struct probe_run *run, enum reason reason, int32_t detail);
/* There is no run: a fault of our own kept it from beginning. */
void probe_impossible(struct engine *e, struct target *t, int error);
/* It has not begun after all, and its target has no run until it is started another time. */
void probe_put_off(struct probe_run *run);
/* Not judged and not to be: close and free the run. */
void probe_drop(struct probe_run *run);
void report_pending(struct engine *e);
/* It has nothing more to say. */
void report_forget(struct engine *e, struct target *t);

/* engine.c */
/* Starts the target's probe, which may be over then; false when there is no place. */
bool target_start(struct engine *e, struct target *t);
int64_t run_age_ns(const struct probe_run *run);
/* For how long this process was held up until now, in its life. */
int64_t engine_held_up_ns(const struct engine *e, mono now);

/* targets.c */
void targets_init(struct engine *e);

/* sockets.c */
/* A TCP socket that fits the run's target: the one that it kept, or a new one. -1 with errno. */
int sockets_take(struct probe_run *run);
/* The probe is over. `well`: the socket may be kept. */
void sockets_give_back(struct probe_run *run, bool well);
/* The run begins without a socket. */
void sockets_forget(struct probe_run *run);
/* What the run waits for, EV_READ and EV_WRITE. */
void stream_wait(struct probe_run *run, int events);
/* Takes the connected socket from the run, and gives it to the next one: 0, or -1 with errno. */
int sockets_detach(struct probe_run *run);
int sockets_attach(struct probe_run *run, int fd);
/* It stopped reading before there was nothing left. */
void sockets_look_again(struct probe_run *run);
/* Whatever is ready. Runs may end; none begins. */
void sockets_serve(struct engine *e);
int sockets_open(struct engine *e);
void sockets_close(struct engine *e);

/* stream.c */
/*
 * Socket and connect towards the target. 1: connected. 0: under way, the run's watcher waits.
 * -1: the run is finished.
 */
int stream_connect(struct probe_run *run);
/* After the first writability: 0, or the errno of the attempt. */
int stream_connected(struct probe_run *run);
/*
 * What an errno says of the server; `local`: it came at once from our own kernel. What a router or
 * a silent neighbour says comes later, also when the kernel knows it from the probe before: the
 * neighbour is looked for anew. So what connect() says, or the first datagram, is of our own routes.
 */
enum reason stream_reason(int error, bool local);

/* Gives the socket the target's source address, if it has one. False with errno. */
bool source_bind(const struct target *t, int fd);
/* Had this node that address once, and not any more? */
bool source_is_gone(const struct target *t);

socklen_t sockaddr_of(const struct endpoint *to, struct sockaddr_storage *out);

/* datagram.c */
/* A socket of its own, on a random port, that hears of this server alone. -1: finished. */
int datagram_connect(struct probe_run *run);
/* Sends what is asked. False: finished. */
bool datagram_send(struct probe_run *run, const void *bytes, size_t length);
/* The next datagram into the engine's read_buffer. -1: none now, or finished (then *done). */
ssize_t datagram_receive(struct probe_run *run, bool *done);

/* answer.c */
/* Keeps as much as there is room for. */
void answer_add(struct answer *a, const void *bytes, size_t length);
bool answer_holds(const struct answer *a, const struct conf_bytes *text);
/* Its start with every byte that is not printable ASCII as '.'. */
void answer_show(const struct answer *a, char out[HTTP_EVIDENCE]);

/* body.c */
/* The pattern of an http probe. False: it cannot be made. */
bool body_define(struct definition *d);
/* Room for what these bytes may bring. False: there is none left for all probes together. */
bool body_reserve(struct probe_run *run, size_t length);
/* The body is there: is it what is expected? False: run->http.said tells. */
bool body_expected(struct probe_run *run);
void body_release(struct probe_run *run);

/* kind_tcp.c, for kinds that send a text and read what comes back */
void tcp_start(struct probe_run *run);
void tcp_ready(struct probe_run *run, int events);
enum reason tcp_silence(const struct probe_run *run);

/* kind_agent.c */
/* The line that a good probe read is taken in. */
void agent_take(struct target *t, const struct probe_run *run);

/* idle.c */
/* The connection that an earlier probe left, if it may be used. */
bool idle_take(struct probe_run *run);
/* Leaves the run's connection to the next probe; not when descriptors are short. */
void idle_put(struct probe_run *run);
void idle_close(struct engine *e, struct target *t);
/* For a run that has just begun. */
void idle_make_room(struct engine *e);

/* kind_dns.c */
bool dns_makes_sense(const struct conf_probe *p);
void dns_define(struct definition *d);

/* stock.c */
enum { STOCK_MAX = 64 };
/* Has the target what it needs to begin? Else it is asked for. True as well after too long a while. */
bool stock_ready(struct engine *e, const struct target *t, mono now);
/* A socket with the target's mark, for one probe: or to look at, shared. -1 with errno: none is there. */
int stock_take(struct engine *e, const struct target *t);
int stock_look(struct engine *e, const struct target *t);
/* It is as new. False: there are enough. */
bool stock_put_back(struct engine *e, const struct target *t, int fd);
/* A definition with that mark is gone. */
void stock_forget(struct engine *e, uint32_t mark);

/* ports.c */
/* connect() said no at once. The run is gone: judged, or the probe waits for a port. */
void connect_failed(struct probe_run *run, int error);
/* There is no port; the run is gone. */
void ports_wait(struct probe_run *run);
/* Would it find none, as another one did just now? Then it waits with the others. */
bool ports_lack(const struct engine *e, const struct target *t, mono now);
void ports_queue(struct engine *e, struct target *t, mono now);
/* Tries those that wait, so many at most; how many are left of these. */
unsigned ports_serve(struct engine *e, unsigned budget);

/* kind_path.c */
void path_init(struct engine *e);
/* The target is asked through the data path; it is not any more, or never was. */
void path_join(struct engine *e, struct target *t);
void path_leave(struct engine *e, struct target *t);
/* There is something to read. */
void path_read(struct engine *e, struct path_sockets *s);
/* What the run waited for is known. */
void path_go_on(struct probe_run *run);

/* path_sockets.c */
/* As long as there are privileges. Without its sockets a family's probes are local errors. */
void path_open(struct engine *e);
void path_close(struct engine *e);
struct path_sockets *path_sockets_of(struct engine *e, const struct target *t);
/* Ready to ask? The error if not. */
int path_wake(struct engine *e, struct path_sockets *s);
/* Nobody asks any more: the host's traffic is not looked at. */
void path_rest(struct engine *e, struct path_sockets *s);

/* path_hop.c */
/* False with errno. */
bool hop_open(struct engine *e);
void hop_close(struct engine *e);
void hop_listen(struct engine *e, bool on);
/* Has the target's path its next hop? 0 or an errno; EAGAIN: it is on its way, path_go_on(). */
int hop_find(struct engine *e, struct target *t);
/* A packet as it is, in a frame to there. False with errno. */
bool hop_send(const struct engine *e, const struct path *p, const void *packet, size_t length);
void hop_forget(struct path *p);

/* kind_icmp.c */
enum { SOURCE_CONTROL = CMSG_SPACE(sizeof(struct in6_pktinfo)) };
/* The source address goes with the packet, where a socket is shared; `m` has room for it. */
void source_say(const struct ip_addr *source, struct msghdr *m);
/* Has the kernel send the target something, whatever comes back. */
void icmp_provoke(struct engine *e, const struct target *t);
/* A counter from a random start through a mixer that loses nothing. */
uint64_t random_next(uint64_t *state);
int icmp_open(struct engine *e);
void icmp_close(struct engine *e);

#endif
