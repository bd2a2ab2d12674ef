#!/bin/bash
# The wire is asked over IPv6, on a network that has nothing else: a silent peer whose kernel still
# answers, who of two is cut off, a stranger.
. "$(dirname "$0")/../lib/scenario.sh"

freeze()
{
	# shellcheck disable=SC2046
	kill -STOP $(daemon_pids n1)
}

lab_up cross
vip=fd00:77::100
for i in 1 2; do
	in_ns n$i ip -4 address flush dev eth0
	in_ns n$i ip address add fd00:77::1$i/64 dev eth0
done
keyed_conf 100
sed -i 's|10\.77\.0\.1\([12]\)"|fd00:77::1\1"|g; s|addresses = ([^)]*)|addresses = ( "fe80::100/64", "fd00:77::100/64" )|' "$LAB/tandem.conf"
pair
within 2 "both see each other" peer_is n1 up
client_served > /dev/null || fail "the client is not served"
freeze
within 2 "the silent node's kernel still answers: that is said" logged n2 event=conflict reason=address-answered
expect "and waited for" only_holder n1 $vip
within 6 "the address moves when its lease has lapsed" only_holder n2 $vip
expect "so long was the silence" logged n2 event=role to=active reason=peer-silent 'silence_ms=[2-4][0-9][0-9][0-9]'
kill9_all n1
stop_node n2

pair
within 2 "both see each other" peer_is n1 up
client_served > /dev/null || fail "the client is not served"
silent_loss n1 eth0
within 2 "an active that is cut off silently yields over the link" only_holder n2 $vip
expect "and says why" logged n1 event=role from=active to=fault reason=isolated
within 3 "the client is served" client_served
silent_heal n1 eth0
within 3 "healed: it is a standby" role_is n1 web backup
expect "and moves nothing" only_holder n2 $vip
expect "no node was taken for a stranger" not logged n1 event=conflict reason=stranger

in_ns c sysctl -qw net.ipv6.conf.eth0.ndisc_notify=1
in_ns c ip address add $vip/128 dev eth0
in_ns c ip link set eth0 address 02:00:00:00:00:77
within 2 "a stranger with our address is reported with its MAC" logged n2 event=conflict reason=stranger mac=02:00:00:00:00:77
expect "the address stays where it is" only_holder n2 $vip
