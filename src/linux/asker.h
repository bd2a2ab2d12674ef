/*
 * Questions to one host, "are you there?", and what it answers: ARP and neighbour solicitation on a
 * link, ICMP echo beyond.
 *
 * Three sockets that hear answers alone. Filters in the kernel leave out what this host sent, what
 * came over the loopback interface (an address of this host answers itself there) and everybody
 * else's traffic, so that a storm of broadcasts never stands before an answer. Nothing blocks;
 * translates only: who was asked what is the caller's business.
 */
#ifndef TANDEM_LINUX_ASKER_H
#define TANDEM_LINUX_ASKER_H

#include "base/addr.h"
#include "core/icmp.h"

enum { ASKER_ARP, ASKER_ICMP4, ASKER_ICMP6, ASKER_SOCKETS };

struct asker {
	int fd[ASKER_SOCKETS]; /* -1: not open; IPv6 may be missing on a host */
};

struct asker_answer {
	bool echo;             /* a reply to asker_echo(), else to a question on the link */
	int ifindex;           /* on which it came; 0 of an echo reply */
	struct ip_addr host;   /* who is there */
	struct ip_addr asker;  /* who had asked, as the answer says: 0.0.0.0 of an ARP probe; on the link */
	struct icmp_echo reply; /* of an echo */
};

/* `id`: identifier of our echoes. 0 or negative errno. Needs CAP_NET_RAW, using it does not. */
int asker_open(struct asker *a, uint16_t id);
/* May be called on one that is zeroed and was never opened. */
void asker_close(struct asker *a);
/*
 * Asks on the link who has `target`, from the hardware address `mac`. `own` is our address there;
 * over IPv4 one of family IP_NONE makes it a probe (RFC 5227 2.1.1). 0 or negative errno.
 */
int asker_link(struct asker *a, int ifindex, const uint8_t mac[6], const struct ip_addr *own,
	const struct ip_addr *target);
/* Sends an echo request where the routes lead. 0 or negative errno. */
int asker_echo(struct asker *a, const struct ip_addr *target, const struct icmp_echo *echo);
/* The next answer of that socket; false when none waits. */
bool asker_read(struct asker *a, unsigned which, struct asker_answer *out);

#endif
