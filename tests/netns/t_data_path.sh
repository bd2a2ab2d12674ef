#!/bin/bash
# Probes through the data path of dr, from the active node and from the standby: a server that is right, one
# without the virtual address, one without a listener on it. Verdicts follow what is put right and
# wrong, and both roles; nothing is left behind on the servers, the nodes' own kernels stay out of it.
. "$(dirname "$0")/../lib/scenario.sh"
probe='data_path = true; interval_ms = 200; timeout_ms = 150; fall = 2; rise = 1; spread_percent = 0; refusal_weight = 1;'

# pool DATA-PATH
pool()
{
	echo "virtual_servers = (
	  { name = \"echo\"; router = \"web\"; listen = \"$vip:7000\"; forwarding = \"dr\"; probe = { ${probe/true/$1} flap_falls = 0; };
	    real_servers = ( { name = \"r1\"; address = \"10.77.0.21\"; }, { name = \"r2\"; address = \"10.77.0.22\"; },
	                     { name = \"r3\"; address = \"10.77.0.23\"; } ); },
	  { name = \"both\"; router = \"web\"; listen = \"$vip:7001\"; forwarding = \"dr\"; probe = { type = \"all\"; flap_falls = 0;
	      probes = ( { type = \"tcp\"; interval_ms = 200; timeout_ms = 150; fall = 2; rise = 1; }, { port = 7000; $probe } ); };
	    real_servers = ( { name = \"r2\"; address = \"10.77.0.22\"; } ); } );"
}

# health_is NODE HEALTH...: of the servers of echo in order
health_is()
{
	local node=$1

	shift
	[ "$(ctl "$node" --json status | jq -r '.virtual_servers[0].real_servers | map(.health) | join(" ")')" = "$*" ]
}

both_say()
{
	local what=$1 n

	shift
	for n in n1 n2; do
		within 5 "$what: $n" health_is $n "$@"
	done
}

# count NS COUNTER...: their sum since the namespace began
count()
{
	local ns=$1

	shift
	in_ns "$ns" nstat -asz "$@" | awk '!/^#/ {n += $2} END {print n + 0}'
}

listens()
{
	in_ns "$1" ss -Htln | grep -c .
}

half_open()
{
	in_ns "$1" ss -Htn state syn-recv | grep -c .
}

# Resets that the kernel sends by itself to the virtual address; a prober's live for one hop.
watch_resets()
{
	in_ns "$1" nft "add table ip t; add chain ip t out { type filter hook output priority 0; };
		add rule ip t out ip daddr $vip tcp flags & rst == rst ip ttl > 1 counter"
}

counted()
{
	in_ns "$1" nft -j list chain ip t "$2" | jq '[.. | .counter? | objects | .packets] | add'
}

lab_up
for i in 1 2 3; do
	lab_ns r$i
	in_ns r$i sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 net.ipv4.ip_forward=1
	lab_port r$i eth0 br0 10.77.0.2$i/24
	[ $i = 2 ] || ip -n "$(ns r$i)" address add $vip/32 dev lo
	for port in 7000 7001; do
		[ $i = 3 ] || in_ns_bg r$i "$(lab_tool tcpecho)" r$i $port > /dev/null
	done
done
echo_pid=$!
conf 100 'prefer = "lb1"; standby = "hot";' "$(pool true)"
watch_resets n1
watch_resets n2
pair
both_say "one is right, one lacks the address and forwards, one lacks the listener" up down down
for n in n1 n2; do
	expect "$n tells which address was asked for in vain" logged $n event=server server=r2 virtual=echo \
		to=down reason=data-path-silent address=10.77.0.22 data_path=$vip
	expect "$n tells that nobody listens" logged $n event=server server=r3 reason=data-path-refused data_path=$vip
	expect "$n: a server's own address answers, but not the data path" logged $n event=server server=r2 virtual=both \
		to=down reason=data-path-silent member=2 data_path=$vip
done

before=$(count r1 TcpInSegs) answers=$(count r1 TcpOutSegs)
sleep 4
got=$(($(count r1 TcpInSegs) - before)) said=$(($(count r1 TcpOutSegs) - answers))
# 5 probes a second of each node: an opening and a reset, and one answer
expect "two packets a probe to the server, one back ($got, $said in 4 s)" eval \
	'[ $got -ge 68 ] && [ $got -le 92 ] && [ $said -ge 34 ] && [ $said -le 46 ]'
expect "no answer was sent twice" [ "$(count r1 TcpRetransSegs)" = 0 ]
expect "the application was never told" [ "$(count r1 TcpPassiveOpens)" = 0 ]
for n in n1 n2; do
	expect "the kernel of $n took no part" [ "$(counted $n out)" = 0 ]
	expect "one port, where nobody is answered" [ "$(listens $n)" = 1 ]
done

ip -n "$(ns r2)" address add $vip/32 dev lo
both_say "with the virtual address the second one is right" up up down
ip -n "$(ns r1)" address del $vip/32 dev lo
both_say "without it the first one is not" down up down
ctl n1 switchover > /dev/null
within 5 "the roles change" role_is n2 web active
both_say "the verdicts do not" down up down
ip -n "$(ns r1)" address add $vip/32 dev lo
both_say "right again" up up down
in_ns_bg r3 "$(lab_tool tcpecho)" r3 7000 > /dev/null
both_say "somebody listens" up up up
kill $!
both_say "nobody does" up up down
for i in 1 2; do
	wait_for 2 eval "[ \$(half_open r$i) = 0 ]" || fail "half-open connections stay on r$i"
done
echo "ok: no half-open connections stay"

# Every third reset is lost: its entry meets the next opening.
fails_before=$(ctl n1 --json status | jq '[.virtual_servers[0].real_servers[] | select(.name == "r1") | .failures] | add')
in_ns r1 nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; add rule ip t in tcp dport 7000 tcp flags & rst == rst numgen inc mod 3 == 0 counter drop'
sleep 5
expect "resets are lost" eval '[ "$(counted r1 in)" -gt 10 ]'
fails=$(ctl n1 --json status | jq '[.virtual_servers[0].real_servers[] | select(.name == "r1") | .failures] | add')
expect "and no probe for that ($fails_before, then $fails failures)" [ "$fails" -le $((fails_before + 1)) ]
in_ns r1 nft delete table ip t
wait_for 5 eval '[ $(half_open r1) = 0 ]' || fail "half-open connections stay on r1"
in_ns r1 nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; add rule ip t in tcp dport 7000 drop'
both_say "a server that drops them is down" down up down
in_ns r1 nft delete table ip t
both_say "and up again" up up down

conf 100 'prefer = "lb1"; standby = "hot";' "$(pool false | sed 's/, { port = 7000; .*} ); };/ ); };/')"
ctl n1 reload > /dev/null
within 5 "without the key a server is asked at its own address" health_is n1 up up down
expect "and the port is given back" [ "$(listens n1)" = 0 ]
expect "no role moved but by the switchover" [ "$(roles_logged)" -le 6 ]
