#!/bin/bash
# The commonest use: a proxy on both boxes behind the address, here nginx, tracked as etc/local-proxy.conf
# says. Its death, or its silence, moves the address, and what both have lost does not; a weight only
# moves the priority.
. "$(dirname "$0")/../lib/scenario.sh"
. "$(dirname "$0")/../lib/nginx.sh"

# As in the example, with the bed's key, link and gateway.
example_conf()
{
	(umask 077; openssl rand -hex 32 > "$LAB/key")
	sed -e "s,/etc/tandem/heartbeat.key,$LAB/key," -e 's/name = "proxy"; vrid/name = "web"; vrid/' \
		-e 's/"10.77.0.1"; interval/"10.77.0.50"; interval/' \
		-e 's,^  key_file = .*,& links = ( { name = "cross"; interface = "eth2"; lb1 = "192.168.255.1"; lb2 = "192.168.255.2"; } );,' \
		"$LAB_TOP/etc/local-proxy.conf" > "$LAB/tandem.conf"
	grep -q cross "$LAB/tandem.conf" && grep -q "$LAB/key" "$LAB/tandem.conf"
}

track_is()
{
	[ "$(ctl "$1" --json status 2> /dev/null |
		jq -r --arg n "$2" '.routers[0].track[] | select(.name == $n) | .up')" = "$3" ]
}

priority_is()
{
	[ "$(ctl "$1" --json status 2> /dev/null | jq -r '.routers[0].priority')" = "$2" ]
}

# What a client gets, by a new connection each time.
served_by()
{
	[ "$(in_ns c curl -s -m 1 "http://$vip:8080/who")" = "$1" ]
}

# moves FROM TO WHAT HOW...: the pings lost are left in $lost.
moves()
{
	local from=$1 to=$2 what=$3

	shift 3
	ping_start $vip
	"$@"
	within 2 "$what: $to takes over" only_holder "$to" $vip
	sleep 0.2
	lost=$(ping_stop | jq .lost)
	within 1 "$what: its proxy serves" served_by "$to"
	expect "$what: $from is impaired, and backup" role_is "$from" web backup
}

listening()
{
	in_ns "$1" ss -Hltn "sport = :$2" | grep -q .
}

lab_up cross
expect "the example" example_conf
nginx_start n1
nginx_start n2
in_ns_bg n1 "$(lab_tool tcpecho)" cache 11211 > /dev/null 2>&1
cache=$!
in_ns_bg n2 "$(lab_tool tcpecho)" cache 11211 > /dev/null 2>&1
wait_for 2 listening n1 11211
wait_for 2 listening n2 11211
pair
within 3 "they hear each other" peer_is n1 up
for n in n1 n2; do
	for what in proxy cache 10.77.0.50; do
		within 2 "$n: $what is well" track_is $n $what true
	done
done
expect "the client is served" served_by n1
moves n1 n2 "killed" nginx_kill n1
expect "killed: the reason is told" logged n1 event=role from=active to=backup
expect "killed: and what was lost" logged n1 event=track name=proxy kind=probe to=down reason=tcp-refused
figures="$lost"
expect "killed: not a ping is lost" test "$lost" = 0
nginx_start n1
within 2 "restarted: fit again" track_is n1 proxy true
sleep 0.3
expect "restarted: and nothing moves" only_holder n2 $vip
moves n2 n1 "stopped, accepts but says nothing" nginx_stop n2
figures="$figures $lost"
expect "stopped: that is seen" logged n2 event=track name=proxy kind=probe to=down reason=http-timeout
nginx_go n2
within 2 "goes on: fit again" track_is n2 proxy true
worst=$(printf '%s\n' $figures | sort -n | tail -n 1)
echo "figure keyed, local proxy killed: pings lost $figures"
expect "at most 3 pings are lost when it moves ($worst)" test "$worst" -le 3
disown $cache # its end is no news
kill -KILL $cache
within 2 "what has a weight is lost: 20 less" priority_is n1 130
sleep 0.3
expect "and nothing moves" only_holder n1 $vip

# The last one serves on, lost or not, until somebody is fitter.
nginx_kill n2
within 2 "both: the standby has lost its proxy" track_is n2 proxy false
nginx_kill n1
within 2 "both: so has the active" track_is n1 proxy false
sleep 0.3
expect "both: n1 keeps the address" only_holder n1 $vip
nginx_start n2
within 2 "both: n2 is the fitter one" only_holder n2 $vip
