#!/bin/bash
# Probes through the data path over IPv6, in frames of the prober's own: the verdicts follow what is
# right on the servers, on the active node and on the standby; the kernels of the nodes stay out of it, and find out where a server is that came back as another machine.
. "$(dirname "$0")/../lib/scenario.sh"
vip6=fd00:77::100
probe='probe = { data_path = true; interval_ms = 200; timeout_ms = 150; fall = 2; rise = 1; spread_percent = 0; flap_falls = 0; };'
pool="virtual_servers = (
  { name = \"dr\"; router = \"web\"; listen = \"[$vip6]:7000\"; forwarding = \"dr\"; $probe
    real_servers = ( { name = \"r1\"; address = \"fd00:77::21\"; }, { name = \"r2\"; address = \"fd00:77::22\"; },
                     { name = \"r3\"; address = \"fd00:77::23\"; } ); },
  { name = \"old\"; router = \"web\"; listen = \"$vip:7000\"; forwarding = \"dr\"; $probe
    real_servers = ( { name = \"r1\"; address = \"10.77.0.21\"; } ); } );"

# health_is NODE HEALTH...: of all servers in order
health_is()
{
	local node=$1

	shift
	[ "$(ctl "$node" --json status | jq -r '[.virtual_servers[].real_servers[].health] | join(" ")')" = "$*" ]
}

# both_say SECONDS WHAT HEALTH...
both_say()
{
	local seconds=$1 what=$2 n

	shift 2
	for n in n1 n2; do
		within "$seconds" "$what: $n" health_is $n "$@"
	done
}

half_open()
{
	in_ns "$1" ss -Htn state syn-recv | grep -c .
}

# Resets that the kernel sends by itself to the virtual address; a prober's live for one hop.
watch_resets()
{
	in_ns "$1" nft "add table ip6 t; add chain ip6 t out { type filter hook output priority 0; };
		add rule ip6 t out ip6 daddr $vip6 tcp flags & rst == rst ip6 hoplimit > 1 counter"
}

counted()
{
	in_ns "$1" nft -j list chain ip6 t "$2" | jq '[.. | .counter? | objects | .packets] | add'
}

# The kernel believes what it knows of a neighbour for 1.5 to 4.5 s, and not for half a minute.
hurry_neighbours()
{
	local family

	for family in ipv4 ipv6; do
		in_ns "$1" sysctl -qw net.$family.neigh.eth0.base_reachable_time_ms=3000 \
			net.$family.neigh.eth0.delay_first_probe_time=1 net.$family.neigh.eth0.retrans_time_ms=200
	done
}

# entry NODE TEXT: is it in what the kernel has of the first server?
entry()
{
	ip -n "$(ns "$1")" neighbour show to fd00:77::21 dev eth0 | grep -q "$2"
}

lab_up
for i in 1 2 3; do
	lab_ns r$i
	lab_port r$i eth0 br0 10.77.0.2$i/24 fd00:77::2$i/64
	in_ns r$i sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 net.ipv6.conf.all.forwarding=1
	[ $i = 2 ] || ip -n "$(ns r$i)" address add $vip6/128 dev lo
	[ $i = 3 ] || in_ns_bg r$i "$(lab_tool tcpecho)" r$i 7000 6 > /dev/null
done
in_ns_bg r1 "$(lab_tool tcpecho)" r1 7000 > /dev/null
ip -n "$(ns r1)" address add $vip/32 dev lo
for n in n1 n2; do
	ip -n "$(ns $n)" address add fd00:77::1${n#n}/64 dev eth0
	hurry_neighbours $n
	watch_resets $n
done
conf 100 'prefer = "lb1"; standby = "hot";' "$pool"
sed -i "s|\"$vip/24\"|\"$vip/24\", \"$vip6/64\"|" "$LAB/tandem.conf"
pair
both_say 10 "one is right, one lacks the address and forwards, one lacks the listener" up down down up
for n in n1 n2; do
	expect "$n tells which address was asked for in vain" logged $n event=server server=r2 virtual=dr \
		to=down reason=data-path-silent data_path=$vip6
	expect "$n tells that nobody listens" logged $n event=server server=r3 reason=data-path-refused data_path=$vip6
	expect "$n was right about the first one from its first probe on" not logged $n event=server server=r1 to=down
	expect "one port for each family: $n" [ "$(in_ns $n ss -Htln | grep -c .)" = 2 ]
done
answers=$(in_ns r1 nstat -asz TcpRetransSegs TcpPassiveOpens | awk '!/^#/ {n += $2} END {print n + 0}')
expect "no answer was sent twice, the application was never told" [ "$answers" = 0 ]

ip -n "$(ns r2)" address add $vip6/128 dev lo
both_say 5 "with the virtual address the second one is right" up up down up
ip -n "$(ns r1)" address del $vip6/128 dev lo
both_say 5 "without it the first one is not" down up down up
ctl n1 switchover > /dev/null
within 5 "the roles change" role_is n2 web active
both_say 5 "the verdicts do not" down up down up
ip -n "$(ns r1)" address add $vip6/128 dev lo
both_say 5 "right again" up up down up

# Nothing but probes goes to the server: by itself the kernel's entry would stay stale.
sleep 6
for n in n1 n2; do
	expect "the kernel of $n took no part" [ "$(counted $n out)" = 0 ]
	within 4 "but is kept asking where the server is" entry $n REACHABLE
done

# another_machine MAC: takes the first server's place.
another_machine()
{
	ip -n "$(ns r1)" link set eth0 down
	both_say 5 "a server without a cable" down up down down
	ip -n "$(ns r1)" link set eth0 address "$1"
	ip -n "$(ns r1)" address add fd00:77::21/64 dev eth0 nodad
	ip -n "$(ns r1)" link set eth0 up
}

another_machine 02:00:00:00:77:21
both_say 20 "it comes back with another link-layer address, and tells nobody" up up down up
for n in n1 n2; do
	expect "which the kernel of $n has found" entry $n 02:00:00:00:77:21
done
another_machine 02:00:00:00:78:21
for n in n1 n2; do
	for to in 10.77.0.1${n#n} fd00:77::1${n#n}; do
		within 5 "now it looks for $to" in_ns r1 ping -c 1 -W 1 -q $to
	done
	expect "whose kernel has that" entry $n 02:00:00:00:78:21
done
both_say 2 "and the probes with it" up up down up

# More news than there is room for, while the prober of n1 looks away, and one of them its server's.
dropped()
{
	in_ns n1 awk 'NR > 1 {n += $9} END {print n + 0}' /proc/net/netlink
}

for i in $(seq 9000); do
	printf 'neighbour replace fd00:77::dead lladdr 02:00:00:01:%02x:%02x dev eth0 nud permanent\n' $((i / 256)) $((i % 256))
done > "$LAB/news"
for n in n1 n2; do # the kernel does not bring it up again by itself
	in_ns $n sysctl -qw net.ipv6.neigh.eth0.base_reachable_time_ms=300000 net.ipv6.neigh.eth0.delay_first_probe_time=300
done
prober=$(sed -n 's/.*name=prober pid=\([0-9]*\).*/\1/p' "$LAB/n1.syslog" | tail -n 1)
before=$(dropped)
kill -STOP "$prober"
in_ns n1 ip -batch "$LAB/news"
ip -n "$(ns r1)" link set eth0 address 02:00:00:00:79:21
ip -n "$(ns r1)" neighbour flush dev eth0
for to in 10.77.0.11 10.77.0.12 fd00:77::11 fd00:77::12; do
	in_ns r1 ping -c 1 -W 1 -q $to > /dev/null
done
kill -CONT "$prober"
expect "news were lost ($(($(dropped) - before)))" [ "$(dropped)" -gt "$before" ]
sleep 2
both_say 2 "and what they said was looked up" up up down up
expect "by the same prober" kill -0 "$prober"
for i in 1 2; do
	wait_for 5 eval "[ \$(half_open r$i) = 0 ]" || fail "half-open connections stay on r$i"
done

conf 100 'prefer = "lb1"; standby = "hot";' "${pool//data_path = true;/data_path = false;}"
sed -i "s|\"$vip/24\"|\"$vip/24\", \"$vip6/64\"|" "$LAB/tandem.conf"
ctl n1 reload > /dev/null
within 5 "without the key nobody listens" eval '[ "$(in_ns n1 ss -Htln | grep -c .)" = 0 ]'
expect "no role moved but by the switchover" [ "$(roles_logged)" -le 6 ]
