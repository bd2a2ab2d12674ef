#!/bin/bash
# Heartbeats that a firewall's rule on the node itself keeps from leaving: said with the error, and
# counted; nobody is told an interface failed. When the rule is gone all is as before.
. "$(dirname "$0")/../lib/scenario.sh"

counted()
{
	[ "$(ctl n1 --json status | jq '.election.refused["send-refused"] // 0')" -gt 0 ]
}

rule()
{
	in_ns n1 nft "$1 table inet wall"
}

lab_up cross
keyed_conf 100
pair
within 2 "both see each other" peer_is n2 up
rule add
in_ns n1 nft 'add chain inet wall out { type filter hook output priority 0; }; add rule inet wall out ip protocol 112 drop'
within 2 "the refusal is told with interface and error" logged n1 event=packet reason=send-refused interface=eth 'error="Operation not permitted"'
within 3 "and counted" counted
expect "not once a packet" [ "$(grep -c reason=send-refused "$LAB/n1.syslog")" -le 4 ]
rule delete
within 8 "the rule is gone: one holder" eval '[ "$(holders $vip | wc -w)" = 1 ]'
within 3 "the client is served" client_served
within 2 "both see each other" peer_is n2 up
