/*
 * Every bound of tandem, in one place. A table that is full is an error with a name, never an
 * overrun; the configuration checks these before anything runs.
 */
#ifndef TANDEM_BASE_LIMITS_H
#define TANDEM_BASE_LIMITS_H

enum {
	LIMIT_NODES = 2,          /* the pair */
	LIMIT_NAME = 64,          /* bytes of an object name, NUL included */
	LIMIT_IFNAME = 16,        /* IFNAMSIZ of linux/if.h */
	LIMIT_PATH = 256,         /* bytes of a file or URL path, NUL included */
	LIMIT_ROUTERS = 1024,
	LIMIT_ROUTER_INTERFACES = 16, /* interfaces one router depends on */
	LIMIT_ADVERT_ADDRESSES = 255, /* RFC 9568 5.2.5: count is one byte */
	LIMIT_ADDRESSES = 65536,      /* over all routers */
	LIMIT_BLOCKS = 1024,          /* whole prefixes, over all routers */
	LIMIT_KEYS = 8,               /* heartbeat keys valid at once */
	LIMIT_KEY = 64,               /* bytes of a heartbeat key that are used */
	LIMIT_LINKS = 8,              /* heartbeat links */
	LIMIT_PATHS = 16,             /* ways between the nodes: service interfaces and links */
	LIMIT_TRACKS = 1024,          /* tracked gateways, probes and scripts, over all routers */
	LIMIT_VIRTUALS = 4096,
	LIMIT_LISTENS = 16384,    /* addresses and ports of virtual servers, ranges counted out */
	LIMIT_REALS = 65536,
	LIMIT_HOST = 254,         /* bytes of a host's name, NUL included */
	LIMIT_HOSTS = 4096,       /* distinct ones of real servers */
	LIMIT_PROBES = 8192,      /* distinct probe definitions */
	LIMIT_CAS = 64,           /* distinct ca_file */
	LIMIT_CA_FILE = 1048576,  /* bytes of one */
	LIMIT_CA_BYTES = 8388608, /* of all together */
	LIMIT_PROBERS = 16,       /* prober processes */
	LIMIT_STATUS_RANGES = 8,  /* ranges in an HTTP status list */
	LIMIT_EXPECT_BODY = 128,  /* bytes of an expected body substring, NUL included */
	LIMIT_PROBE_HEADERS = 1024, /* bytes of an HTTP request's own header lines, NUL included */
	LIMIT_REGEX = 256,        /* bytes of an expected pattern, NUL included */
	LIMIT_PROBE_BYTES = 256,  /* bytes that a probe sends, or expects in an answer */
	LIMIT_MEMBERS = 8,        /* probes in a group of probes */
	LIMIT_WORDS = 512,        /* bytes of a command or environment of a probe, NULs included */
	LIMIT_LOG_LINE = 1024,    /* bytes of one log line */
	LIMIT_EVENTS = 512,       /* lines the event ring remembers */
};

#endif
