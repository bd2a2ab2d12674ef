/*
 * Where a probe through the data path goes over IPv6, with dr: to the link-layer address of the real
 * server, or of the gateway to it, in a frame by the packet socket. So the packet passes none of the
 * hooks of what this host sends, and IPVS does not see it; over IPv4 it would let it pass.
 *
 * The address is the kernel's, as that is what IPVS sends to. It is looked up once, and followed by
 * the kernel's news, since to look may wait for somebody who holds RTNL. But the kernel asks who has
 * an address only when it has something to send there itself, and our frames are none of that:
 * where it knows nothing, or something old, it gets an echo to send. A run that begins without an
 * address waits for the news, within its deadline.
 */
#include "probe/kind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NEWS_A_TURN = 256 };

static struct paths *
bucket(struct engine *e, const struct ip_addr *neighbour)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < sizeof(neighbour->bytes); i++)
		h = (h ^ neighbour->bytes[i]) * 16777619u;
	return &e->path.hops.at[(h ^ h >> 16) % PATH_BUCKETS];
}

static bool
is_same(const struct next_hop *a, const struct next_hop *b)
{
	return a->ifindex == b->ifindex && a->local == b->local && ip_addr_equal(&a->addr, &b->addr);
}

void
hop_forget(struct path *p)
{
	if (p->hop_turn != 0)
		LIST_REMOVE(p, hop_link);
	p->hop_turn = 0;
}

static void
look_up(struct engine *e, struct path *p, const struct next_hop *hop)
{
	hop_forget(p);
	p->hop = *hop;
	p->hop_turn = e->path.hops.turn;
	LIST_INSERT_HEAD(bucket(e, &p->hop.addr), p, hop_link);
	next_hop_look(e->path.hops.ask, &p->hop);
}

int
hop_find(struct engine *e, struct target *t)
{
	struct path *p = t->path;
	struct next_hop hop;
	int error = next_hop_route(e->path.hops.ask, &t->address.addr, &t->source, &hop);
	bool other;

	if (error != 0)
		return error;
	other = p->hop_turn != e->path.hops.turn || !is_same(&hop, &p->hop);
	if (other)
		look_up(e, p, &hop);
	if (next_hop_wants_traffic(&p->hop)) {
		icmp_provoke(e, t);
		next_hop_had_traffic(&p->hop);
		if (other) /* where nobody has to be asked it is there now, and no news */
			next_hop_look(e->path.hops.ask, &p->hop);
	}
	return next_hop_is_known(&p->hop) ? 0 : EAGAIN;
}

bool
hop_send(const struct engine *e, const struct path *p, const void *packet, size_t length)
{
	union {
		struct sockaddr_ll ll;
		uint8_t bytes[offsetof(struct sockaddr_ll, sll_addr) + NEXT_HOP_LINK];
	} at = {.ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6),
			.sll_ifindex = (int)p->hop.ifindex, .sll_halen = p->hop.length}};

	memcpy(at.bytes + offsetof(struct sockaddr_ll, sll_addr), p->hop.link, p->hop.length);
	return sendto(e->path.v6.packet, packet, length, 0, (const struct sockaddr *)&at,
		sizeof(at)) != -1;
}

/* A run may end, and none begins: the others stay in the list. */
static void
take_news(struct engine *e, const struct next_hop *news)
{
	struct path *p;

	LIST_FOREACH(p, bucket(e, &news->addr), hop_link) {
		struct probe_run *run = p->target->run;

		if (!is_same(news, &p->hop))
			continue;
		p->hop = *news;
		if (run != NULL && run->path.waiting && next_hop_is_known(news))
			path_go_on(run);
	}
}

/* Whatever was known may be otherwise. */
static void
next_turn(struct path_hops *h)
{
	if (++h->turn == 0)
		h->turn = 1;
}

/* What was waited for may be there. */
static void
take_loss(struct engine *e)
{
	next_turn(&e->path.hops);
	for (uint32_t i = 0; i < e->run_count; i++) {
		struct probe_run *run = e->runs[i];

		if (run->target != NULL && run->target->definition->kind == &kind_path &&
		    run->path.waiting && hop_find(e, run->target) == 0)
			path_go_on(run);
	}
}

static void
on_news(struct ev_loop *loop, ev_io *w, int events)
{
	struct engine *e = w->data;
	enum next_hop_news what = NEXT_HOP_CHANGED;
	struct next_hop hop;

	(void)loop;
	(void)events;
	for (int i = 0; i < NEWS_A_TURN && what != NEXT_HOP_QUIET; i++) {
		what = next_hop_news_read(w->fd, &hop);
		if (what == NEXT_HOP_CHANGED)
			take_news(e, &hop);
		else if (what == NEXT_HOP_LOST)
			take_loss(e);
	}
}

/* What was known when nobody listened is not known any more. */
void
hop_listen(struct engine *e, bool on)
{
	struct path_hops *h = &e->path.hops;

	ev_io_stop(e->loop, &h->io);
	next_hop_news_listen(h->news, on);
	if (!on)
		return;
	next_turn(h);
	ev_io_start(e->loop, &h->io);
}

bool
hop_open(struct engine *e)
{
	struct path_hops *h = &e->path.hops;

	h->ask = next_hop_open();
	h->news = h->ask != -1 ? next_hop_news_open() : -1;
	ev_io_init(&h->io, on_news, h->news, EV_READ);
	h->io.data = e;
	return h->news != -1;
}

void
hop_close(struct engine *e)
{
	const int all[] = {e->path.hops.ask, e->path.hops.news};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] != -1)
			close(all[i]);
}
