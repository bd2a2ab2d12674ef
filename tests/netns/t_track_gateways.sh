#!/bin/bash
# Tracked gateways are asked: by ARP and neighbour solicitation on the link, by echo beyond it. Who
# loses one that it needs yields, a weight moves the priority, and what both have lost moves nothing.
. "$(dirname "$0")/../lib/scenario.sh"

# The gateway g, with addresses on the link and beyond; n1 reaches it or not, the others do.
gateway_up()
{
	local n

	lab_ns g
	lab_port g eth0 br0 10.77.0.1/24 203.0.113.1/24 fd00:77::1/64
	in_ns g ip address add fe80::1/64 dev eth0
	in_ns g ip address add 10.99.0.1/32 dev lo
	in_ns g ip address add fd00:99::1/128 dev lo
	in_ns g sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for n in n1 n2; do
		in_ns $n ip address add "fd00:77::1${n#n}/64" dev eth0
		in_ns $n ip route add 10.99.0.0/24 via 10.77.0.1
		in_ns $n ip route add fd00:99::/64 via fd00:77::1
	done
	cut n1 off # ports that are isolated do not reach each other
	in_ns sw bridge link set dev g.eth0 isolated on
}

cut()
{
	in_ns sw bridge link set dev "$1.eth0" isolated "$2"
}

# gateway_is NODE ADDRESS true|false|null: for every router that tracks it
gateway_is()
{
	[ "$(ctl "$1" --json status 2> /dev/null | jq -c --arg n "$2" \
		'[.routers[].track[] | select(.kind == "gateway" and .name == $n) | .up] | unique')" = "[$3]" ]
}

detail_is()
{
	[ "$(ctl "$1" --json status 2> /dev/null | jq -c --arg n "$2" \
		'[.routers[].track[] | select(.name == $n) | .detail] | unique')" = "[\"$3\"]" ]
}

priority_is()
{
	[ "$(ctl "$1" --json status 2> /dev/null | jq -r '.routers[0].priority')" = "$2" ]
}

stop_both()
{
	kill -TERM "${LAB_DAEMON[n1]}" "${LAB_DAEMON[n2]}"
	stop_node n1
	stop_node n2
}

echoes()
{
	in_ns g awk '/^Icmp:/ { n++; if (n == 2) print $10 }' /proc/net/snmp
}

asking="interval_ms = 100; timeout_ms = 80;"

# Another configuration every few questions, as long as $LAB/restless is there.
reload_often()
{
	while [ -e "$LAB/restless" ]; do
		sed -i 's/level = "info"/level = "notice"/; t; s/level = "notice"/level = "info"/' "$LAB/tandem.conf"
		ctl "$1" reload > /dev/null
		sleep 0.05
	done
}

plain_moves()
{
	local reloading

	conf 50 "prefer = \"lb1\"; track = { gateways = ( { address = \"10.77.0.1\"; $asking } ); };" \
		'log = { level = "info"; };'
	pair
	within 2 "the gateway is well" gateway_is n1 10.77.0.1 true
	expect "asked by ARP" detail_is n1 10.77.0.1 "ARP on eth0"
	touch "$LAB/restless"
	reload_often n1 &
	reloading=$!
	cut n1 on
	within 2 "n1 has lost it, whatever is reloaded meanwhile: n2 takes over" only_holder n2 $vip
	rm "$LAB/restless"
	wait $reloading
	expect "and n1 is unfit" role_is n1 web fault
	expect "the reason is told" logged n1 event=role from=active to=fault reason=gateway-lost
	expect "and what was lost" logged n1 event=track router=web name=10.77.0.1 kind=gateway from=up to=down \
		reason=gateway-lost 'detail="ARP on eth0: silent for 80 ms"'
	expect "status has it" gateway_is n1 10.77.0.1 false
	expect "n2 still reaches it" gateway_is n2 10.77.0.1 true
	syslog_mark n1
	sed -i 's/interval_ms = 50; };$/interval_ms = 60; };/' "$LAB/tandem.conf"
	expect "a reload of something else" ctl n1 reload
	kill -KILL "$(process_pid n1 election)"
	sleep 0.6
	expect "and a crash forget nothing" role_is n1 web fault
	expect "nor is anything said" not grep -q event=track <(syslog_since n1)
	cut n1 off
	within 2 "it answers again: n1 is backup" role_is n1 web backup
	expect "that is told" logged n1 event=track name=10.77.0.1 from=down to=up reason=gateway-back
	cable_pull n1 eth0
	within 2 "without carrier it is as lost" detail_is n1 10.77.0.1 "eth0 has no carrier"
	cable_plug n1 eth0
	within 3 "and the node is fit only when it answers" role_is n1 web backup
	expect "which it does" gateway_is n1 10.77.0.1 true
	stop_both
}

# Each way of asking, with a weight of its own: both nodes lose the same, and nothing moves. The other
# router shares a question with the first; on its own subnet no node has an address but the active.
weights_move()
{
	local before

	conf 50 "prefer = \"lb1\"; track = { gateways = (
	  { address = \"fd00:77::1\"; $asking weight = -10; }, { address = \"fe80::1\"; $asking weight = -20; },
	  { address = \"10.99.0.1\"; $asking weight = -30; }, { address = \"fd00:99::1\"; $asking weight = 5; } ); }; },
	  { name = \"spare\"; vrid = 52; interface = \"eth0\"; addresses = ( \"203.0.113.100/24\" ); prefer = \"lb1\";
	    track = { gateways = ( { address = \"203.0.113.1\"; $asking }, { address = \"10.99.0.1\"; $asking weight = -1; } ); };"
	pair
	within 2 "weights: all are well" priority_is n1 155
	expect "weights: asked by neighbour solicitation" detail_is n1 fd00:77::1 "neighbour solicitation on eth0"
	expect "weights: link-local" detail_is n1 fe80::1 "neighbour solicitation on eth0"
	expect "weights: asked by echo" detail_is n1 10.99.0.1 "ICMP echo"
	expect "weights: over IPv6" detail_is n1 fd00:99::1 "ICMP echo"
	expect "weights: a backup without an address there asks, too" gateway_is n2 203.0.113.1 true
	expect "weights: on the link" detail_is n2 203.0.113.1 "ARP on eth0"
	before=$(echoes)
	sleep 1
	before=$(($(echoes) - before))
	expect "weights: not asked more often than was said ($before by two nodes in 1 s)" test $before -ge 12 -a $before -le 23
	in_ns g ip address del fd00:77::1/64 dev eth0
	within 2 "weights: an IPv6 gateway and the route over it" priority_is n1 140
	in_ns g ip address del fe80::1/64 dev eth0
	within 2 "weights: one of the link" priority_is n1 120
	in_ns n1 ip route del 10.99.0.0/24
	within 2 "weights: without a route" priority_is n1 90
	expect "weights: for each router" gateway_is n1 10.99.0.1 false
	expect "weights: which is said" detail_is n1 10.99.0.1 "Network is unreachable"
	in_ns n1 ip route add 10.99.0.0/24 via 10.77.0.1
	within 2 "weights: there again" priority_is n1 120
	expect "weights: the lost ones cost the same on both, and nothing has moved" role_is n1 web active
	in_ns g ip address add fd00:77::1/64 dev eth0 nodad
	in_ns g ip address add fe80::1/64 dev eth0 nodad
	within 2 "weights: all are back" priority_is n1 155
	stop_both
}

keyed_moves()
{
	local roles

	keyed_conf 50 "prefer = \"lb1\"; track = { gateways = ( { address = \"10.77.0.1\"; $asking } ); };"
	pair
	within 3 "keyed: they hear each other" peer_is n1 up
	within 2 "keyed: the gateway is well" gateway_is n1 10.77.0.1 true
	within 2 "keyed: on both" gateway_is n2 10.77.0.1 true
	ping_start $vip
	cut n1 on
	within 2 "keyed: n1 has lost it: n2 takes over" only_holder n2 $vip
	sleep 0.2
	expect "keyed: not a ping is lost" jq -e '.lost == 0' <(ping_stop)
	expect "keyed: n1 is impaired, and backup" role_is n1 web backup
	roles=$(roles_logged)
	ip -n "$(ns g)" link set eth0 down
	within 2 "keyed: both have lost it" gateway_is n2 10.77.0.1 false
	sleep 0.3
	expect "keyed: n2 serves on" only_holder n2 $vip
	expect "keyed: nobody moves" test "$(roles_logged)" = "$roles"
}

lab_up cross
gateway_up
plain_moves
weights_move
keyed_moves
