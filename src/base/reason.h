/*
 * Every verdict and every change of role carries a reason out of this closed list. The log, the
 * command line, the metrics and the tests speak in these tags and never parse prose.
 *
 * To add one, add a row: TAG_ENUM, "tag-in-the-log", "sentence for people".
 */
#ifndef TANDEM_BASE_REASON_H
#define TANDEM_BASE_REASON_H

#define REASON_TABLE(ROW)                                                                          \
	ROW(NONE, "none", "nothing has happened yet")                                              \
	/* roles of a virtual router */                                                            \
	ROW(STARTED, "started", "the daemon has started")                                          \
	ROW(OWNER, "address-owner", "priority 255: this node owns the address")                    \
	ROW(PEER_SILENT, "peer-silent", "no advertisement from the active node in time")           \
	ROW(PEER_RESIGNED, "peer-resigned", "the active node resigned with priority 0")            \
	ROW(PREEMPTED_PEER, "preempted-peer", "this node is preferred and took over")              \
	ROW(HIGHER_PRIORITY, "higher-priority", "a node with a higher priority is active")         \
	ROW(HIGHER_ADDRESS, "higher-address", "equal priority, the other node's address is higher")\
	ROW(SWITCHOVER, "switchover", "the operator asked for it")                                 \
	ROW(STOPPED, "stopped", "the daemon is stopping")                                          \
	ROW(RESUMED, "resumed", "a restarted election process went on where the last one died")    \
	ROW(WOKE_LATE, "woke-late", "this process was held up beyond the peer's patience")         \
	ROW(LEASE_LAPSED, "lease-lapsed", "the addresses could not be renewed in time")            \
	ROW(ADDRESS_REFUSED, "address-refused", "the kernel refused an address")                   \
	ROW(ADDRESS_REMOVED, "address-removed", "somebody keeps removing the addresses")           \
	ROW(INTERFACE_DOWN, "interface-down", "an interface of this router is down")               \
	ROW(INTERFACE_MISSING, "interface-missing", "an interface of this router does not exist")  \
	ROW(CARRIER_LOST, "carrier-lost", "an interface of this router has no carrier")            \
	ROW(NO_SOURCE_ADDRESS, "no-source-address", "this node's address is not on the interface") \
	ROW(VIRTUAL_MAC, "virtual-mac", "the device with the virtual MAC address cannot be made")  \
	ROW(FIT_AGAIN, "fit-again", "everything this router needs is back")                        \
	ROW(RECONFIGURED, "reconfigured", "the configuration changed")                             \
	ROW(ISOLATED, "isolated", "nobody answers this node on the service interface")             \
	ROW(GATEWAY_LOST, "gateway-lost", "a tracked gateway does not answer")                     \
	ROW(GATEWAY_BACK, "gateway-back", "a tracked gateway answers")                             \
	ROW(PROBE_FAILED, "probe-failed", "a tracked probe fails")                                 \
	ROW(SCRIPT_FAILED, "script-failed", "a tracked script fails")                              \
	ROW(GROUP, "group", "another virtual router of the same group moved")                      \
	ROW(PEER_UNFIT, "peer-unfit", "the active node is not fit any more and this one is")       \
	ROW(PEER_FIT, "peer-fit", "this node is not fit, and the other one is")                    \
	ROW(PEER_NOT_ACTIVE, "peer-not-active", "the peer says that it is not active")             \
	ROW(CATCHING_UP, "catching-up", "the standby has not learnt all connections yet")           \
	ROW(CAUGHT_UP, "caught-up", "the standby has learnt the connections")                      \
	ROW(PEER_LOST, "peer-lost", "the peer is not heard on any path: no redundancy")            \
	ROW(RIVAL, "rival", "another node is active too, and has to give way")                     \
	ROW(INTERVAL_DIFFERS, "interval-differs", "the active node's interval is another one; it is used") \
	ROW(PEER_RETURNED, "peer-returned", "the peer is heard again")                             \
	ROW(PATH_QUIET, "path-quiet", "the peer is not heard on this path any more")               \
	ROW(PATH_ONE_WAY, "path-one-way", "only one of the two nodes hears the other on this path") \
	ROW(PATH_HEALED, "path-healed", "the peer is heard on this path again")                    \
	ROW(DIGEST_DIFFERS, "digest-differs", "the configurations of the two nodes differ")        \
	ROW(DIGEST_EQUAL, "digest-equal", "the configurations of the two nodes are the same again") \
	ROW(ADDRESS_ANSWERED, "address-answered", "the silent peer still answers for the address") \
	ROW(PEER_DISBELIEVED, "peer-disbelieved",                                                  \
		"the active cannot be believed: do the key files differ? It keeps the addresses")  \
	ROW(BLOCK_MUTE, "block-mute", "policy routing rules keep this host from answering in its blocks") \
	ROW(STRANGER, "stranger", "another machine uses one of our addresses")                     \
	ROW(NOT_ACTIVE, "not-active", "this node is not the active one")                           \
	ROW(PEER_ABSENT, "peer-absent", "there is no fit standby to take over")                    \
	ROW(OFFER_EXPIRED, "offer-expired", "the peer did not take over; this node stays active")  \
	ROW(FENCE_SET, "fence-set", "the kernel silences the addresses when nobody renews them") \
	ROW(SEND_REFUSED, "send-refused", "the kernel did not send it: a firewall, a full queue")   \
	ROW(FENCE_REFUSED, "fence-refused", "the kernel refused the egress fence; the lease is in force") \
	ROW(FENCE_LATE, "fence-late", "the fence was renewed late; the addresses were silent a while") \
	ROW(FENCE_REMOVED, "fence-removed", "somebody removed the fence's nftables table; it is back") \
	/* probes of real servers */                                                               \
	ROW(PROBE_OK, "ok", "the server answered as expected")                                     \
	ROW(TCP_TIMEOUT, "tcp-timeout", "no connection in time")                                   \
	ROW(TCP_REFUSED, "tcp-refused", "connection refused")                                      \
	ROW(TCP_RESET, "tcp-reset", "the connection was reset")                                    \
	ROW(DATA_PATH_SILENT, "data-path-silent", "no answer for the virtual address in time") \
	ROW(DATA_PATH_REFUSED, "data-path-refused", "nobody listens on the virtual address") \
	ROW(UNREACHABLE, "unreachable", "the network says the host is unreachable")                \
	ROW(ICMP_TIMEOUT, "icmp-timeout", "no echo reply in time")                                 \
	ROW(HTTP_TIMEOUT, "http-timeout", "connected, but no whole answer in time")                \
	ROW(HTTP_STATUS, "http-status", "the status is not an expected one")                       \
	ROW(HTTP_HEADER, "http-header", "the answer lacks the expected header")                    \
	ROW(HTTP_BODY, "http-body", "the body is not what is expected")                            \
	ROW(HTTP_INVALID, "http-invalid", "the answer is not HTTP")                                \
	ROW(HTTP_TOO_LARGE, "http-too-large", "the header of the answer is too large")             \
	ROW(HTTP_CLOSED, "http-closed", "the server closed before the answer was whole")           \
	ROW(ANSWER_TIMEOUT, "answer-timeout", "asked, but no expected answer in time")             \
	ROW(ANSWER_WRONG, "answer-wrong", "the answer does not hold the expected text")            \
	ROW(ANSWER_CLOSED, "answer-closed", "the server closed before the expected answer")        \
	ROW(UDP_REFUSED, "udp-refused", "nobody receives datagrams at that port")                  \
	ROW(DNS_RCODE, "dns-rcode", "the response code is not the expected one")                   \
	ROW(DNS_ANSWER, "dns-answer", "no record of the answer is the expected one")               \
	ROW(DNS_INVALID, "dns-invalid", "the answer is not DNS, or not to our question")           \
	ROW(TLS_TIMEOUT, "tls-timeout", "connected, but the TLS handshake did not end in time")     \
	ROW(TLS_FAILED, "tls-failed", "the TLS handshake failed")                                  \
	ROW(TLS_EXPIRED, "tls-expired", "the certificate has expired")                             \
	ROW(TLS_EXPIRES, "tls-expires", "the certificate is about to expire")                      \
	ROW(TLS_NAME, "tls-name", "the certificate is not for the name that was asked for")        \
	ROW(TLS_ISSUER, "tls-issuer", "nobody that ca_file knows has signed the certificate")      \
	ROW(TLS_CERTIFICATE, "tls-certificate", "the certificate is not valid")                    \
	ROW(AGENT_DOWN, "agent-down", "the server's agent says that it is down, or under maintenance") \
	ROW(AGENT_DRAIN, "agent-drain", "the server's agent wants it drained")                     \
	ROW(AGENT_UP, "agent-up", "the server's agent lets it serve again")                        \
	ROW(AGENT_WEIGHT, "agent-weight", "the server's agent changed its weight")                 \
	ROW(RESOLVED, "resolved", "its name stands for this address now")                          \
	ROW(UNRESOLVED, "unresolved", "its name stands for no address that is known")              \
	ROW(ADDRESS_TAKEN, "address-taken", "the address of its name is another server's already")  \
	ROW(EXEC_FAILED, "exec-failed", "the probe's program says that the server is down")         \
	ROW(EXEC_TIMEOUT, "exec-timeout", "the probe's program did not end in time")                \
	ROW(PROBE_WEIGHT, "probe-weight", "the server's probe changed its weight")                  \
	ROW(LOCAL_ERROR, "local-error", "this node could not run the probe")                       \
	ROW(NO_PLACE, "no-place", "programs of probes wait for others to end, and start late")      \
	/* packets refused */                                                                      \
	ROW(BAD_TTL, "bad-ttl", "TTL is not 255")                                                  \
	ROW(BAD_LENGTH, "bad-length", "the packet is truncated or too long")                       \
	ROW(BAD_VERSION, "bad-version", "another VRRP version")                                    \
	ROW(BAD_TYPE, "bad-type", "not an advertisement")                                          \
	ROW(BAD_VRID, "bad-vrid", "not a VRID of this node")                                       \
	ROW(BAD_COUNT, "bad-count", "no address in the advertisement")                             \
	ROW(BAD_INTERVAL, "bad-interval", "advertisement interval 0")                              \
	ROW(BAD_CHECKSUM, "bad-checksum", "wrong checksum")                                        \
	ROW(BAD_DESTINATION, "bad-destination", "sent to another address")                         \
	ROW(BAD_SOURCE, "bad-source", "not from a configured node")                                \
	ROW(BAD_TRAILER, "bad-trailer", "the trailer is not one of ours")                          \
	ROW(NO_TRAILER, "no-trailer", "not signed, and a key is required")                         \
	ROW(BAD_KEY, "bad-key", "signed with a key that this node does not have")                  \
	ROW(BAD_MAC, "bad-mac", "the signature is wrong")                                          \
	ROW(REPLAYED, "replayed", "this message was heard before, or is of an earlier life")       \
	ROW(NOT_BELIEVED, "not-believed", "a new life of the peer has not answered our challenge yet") \
	ROW(BAD_ROUTER, "bad-router", "signed for another virtual router of this node")            \
	ROW(BAD_AUTH, "bad-auth", "another authentication type")                                   \
	ROW(BAD_ADDRESSES, "bad-addresses", "the list of addresses is not ours")                   \
	ROW(NOT_LINK_LOCAL, "not-link-local", "the first IPv6 address is not link-local")          \
	ROW(OWN_PACKET, "own-packet", "carries this node's own source address")                    \
	/* configuration, pool, processes */                                                       \
	ROW(LOADED, "loaded", "the configuration was loaded")                                      \
	ROW(REFUSED, "refused", "the new configuration has errors; nothing changed")               \
	ROW(OPERATOR, "operator", "the operator asked for it")                                     \
	ROW(DRIFT, "drift", "somebody else changed the kernel's table")                            \
	ROW(TAKEOVER, "takeover", "the router became active")                                      \
	ROW(RELEASE, "release", "the router is no longer active")                                  \
	ROW(PEER_SEES_MORE, "peer-sees-more", "the other node sees clearly more healthy servers")  \
	ROW(HEALTH, "health", "the health of a real server changed")                               \
	ROW(TOO_FEW_HEALTHY, "too-few-healthy", "fewer real servers than min_healthy are healthy") \
	ROW(ENOUGH_HEALTHY, "enough-healthy", "enough real servers are healthy again")             \
	ROW(CORRELATED_HOLD, "correlated-hold", "most of a pool fell silent at once: is it them, or me?") \
	ROW(HELD, "held", "silent together with most of its pool; serves while that is asked")     \
	ROW(BLACK_HOLE, "black-hole", "connections go to the server and nothing comes back")       \
	ROW(ANSWERS_AGAIN, "answers-again", "the server answers connections again")                \
	ROW(LATENCY, "latency", "weights follow the response times of the probes")                 \
	ROW(SLOW_START, "slow-start", "a server that came back gets its weight step by step")      \
	ROW(NO_RESULT, "no-result", "a probe told nothing in two of its periods: a fault of tandem") \
	ROW(FLAPPING, "flapping", "it falls again and again, and has to be well for longer")       \
	ROW(DRAINED, "drained", "no connection is left")                                           \
	ROW(DRAIN_DEADLINE, "drain-deadline", "the time for connections to end is over")           \
	ROW(OVERRIDE_ENDED, "override-ended", "the time that the operator gave is over")           \
	ROW(LEFTOVER, "leftover", "left by an earlier life of the daemon")                         \
	ROW(NO_STANDBY, "no-standby", "only one node is configured")                               \
	ROW(COLD_STANDBY, "cold-standby", "a cold standby does not know the connections")          \
	ROW(NO_IP_VS, "no-ip-vs", "this kernel has no ip_vs")                                      \
	ROW(ONE_PACKET, "one-packet", "of one_packet nothing is remembered")                       \
	ROW(SYNC_OFF, "sync-off", "connections are not synchronised (sync.enabled)")               \
	ROW(SYNC_REFUSED, "sync-refused", "the kernel refused the connection sync daemons")        \
	ROW(SYSCTL_REFUSED, "sysctl-refused", "the kernel refused a setting under net.ipv4.vs")    \
	ROW(SERVERS_DIFFER, "servers-differ", "the nodes do not choose from the same real servers") \
	ROW(SERVERS_UNTOLD, "servers-untold", "the peer does not tell which real servers it has")  \
	ROW(CRASHED, "crashed", "a process died")                                                  \
	ROW(FORBIDDEN_CALL, "forbidden-call", "a process made a system call that it may not make") \
	ROW(BAD_MESSAGE, "bad-message", "a process said what no process of tandem says")           \
	ROW(HUNG, "hung", "a process made no progress")                                            \
	ROW(SYSTEM, "system", "the system refused something")                                      \
	ROW(LOG_DROPPED, "log-dropped", "log lines were lost because the log did not take them")   \
	ROW(HOOK, "hook", "a hook script failed")                                                  \
	ROW(PREPARE_LATE, "prepare-late", "the pool was not ready in time; claimed without it")    \
	ROW(BAD_REQUEST, "bad-request", "a control client sent something that is no request")      \
	ROW(SLOW_CLIENT, "slow-client", "a control client that is idle, does not read, or is one too many")

enum reason {
#define REASON_ENUM(name, tag, sentence) REASON_##name,
	REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
	REASON_COUNT
};

/* The tag as it stands in the log ("peer-silent"); "invalid" for a number out of range. */
const char *reason_tag(enum reason r);
/* The sentence for people. */
const char *reason_sentence(enum reason r);

#endif
