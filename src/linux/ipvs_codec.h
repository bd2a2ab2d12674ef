/*
 * Virtual services, real servers and sync daemons as attributes of the IPVS family
 * (include/uapi/linux/ip_vs.h). No socket here: the tests build a message and read it back.
 */
#ifndef TANDEM_LINUX_IPVS_CODEC_H
#define TANDEM_LINUX_IPVS_CODEC_H

#include "core/table.h"

struct nl_msg;
struct nlattr;

/* One of the two sync daemons. */
struct ipvs_daemon {
	uint32_t role; /* IP_VS_STATE_MASTER or IP_VS_STATE_BACKUP */
	uint8_t id;
	char interface[16];
	struct ip_addr group; /* IP_NONE: the kernel's own, 224.0.0.81 */
	uint16_t port;        /* 0: the kernel's own, 8848 */
	uint16_t maxlen;      /* of a message in bytes; 0: what the interface's MTU allows */
	uint8_t ttl;          /* 0: the kernel's own, 1 */
};

/* Append the nested attribute. `whole`: all of it, or only what identifies it. 0 or -errno. */
int ipvs_put_service(struct nl_msg *msg, const struct vs_service *service, bool whole);
int ipvs_put_real(struct nl_msg *msg, const struct vs_real *real, bool whole);
int ipvs_put_daemon(struct nl_msg *msg, const struct ipvs_daemon *daemon, bool whole);

/* Read the nested attribute; false when it is not complete or of an unknown address family. */
bool ipvs_get_service(struct nlattr *nested, struct vs_service *out);
/* `service`: the one it belongs to (its family is the default). */
bool ipvs_get_real(struct nlattr *nested, const struct vs_service *service, struct vs_real *out);
bool ipvs_get_daemon(struct nlattr *nested, struct ipvs_daemon *out);

#endif
