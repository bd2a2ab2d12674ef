#!/bin/bash
# virtual_mac: the addresses have the RFC's MAC, whoever is active. The client's neighbour table does
# not change, a killed daemon's addresses run out, and the host is as before when it is over.
. "$(dirname "$0")/../lib/scenario.sh"
mac=00:00:5e:00:01:33 mac6=00:00:5e:00:02:3d
device=vrrp.51.eth0 device6=vrrp6.61.eth0 vip6=fd00:77::100
keys='prefer = "lb1"; preempt = true; lease_s = 2; virtual_mac = true;'
six='{ name = "six"; vrid = 61; interface = "eth0"; virtual_mac = true; lease_s = 2; preempt = true;
  addresses = ( "fe80::100/64", "fd00:77::100/64" ); prefer = "lb1"; }'

# The lladdr that the client has for an address.
entry_is()
{
	in_ns c ip neigh show to "$1" dev eth0 | grep -q "lladdr $2"
}

# From here on every change of the client's table is kept.
watch_client()
{
	in_ns_bg c ip monitor neigh > "$LAB/neighbours"
	watcher=$!
	sleep 0.1
}

# Has anybody ever taught the client another MAC for ADDRESS than MAC?
taught_other()
{
	grep "^$1 " "$LAB/neighbours" | grep lladdr | grep -v "lladdr $2"
}

knob_is()
{
	[ "$(in_ns "$1" cat "/proc/sys/net/$2" 2> /dev/null)" = "$3" ]
}

device_up()
{
	in_ns "$1" ip -o link show dev "$2" up 2> /dev/null | grep -q "$2"
}

no_device()
{
	not in_ns "$1" ip link show dev "$2"
}

as_before()
{
	no_device "$1" $device && no_device "$1" $device6 &&
		knob_is "$1" ipv4/conf/eth0/arp_ignore 0 && knob_is "$1" ipv4/conf/eth0/arp_announce 0
}

client_answered()
{
	in_ns c ping -c 1 -W 1 -q "$1"
}

# One echo to ADDRESS in a frame to the virtual MAC, whoever has what address.
answered_to_mac()
{
	in_ns c ip neigh replace "$1" lladdr $mac dev eth0 nud permanent
	in_ns c ping -c 1 -W 0.3 -q "$1" > /dev/null
	local rc=$?
	in_ns c ip neigh del "$1" dev eth0
	return $rc
}

lab_up reals 1
conf 100 "$keys"
sed -i "s|^virtual_routers = ( \(.*\) );\$|virtual_routers = ( \1, $(tr '\n' ' ' <<< "$six") );|" "$LAB/tandem.conf"
cp "$LAB/tandem.conf" "$LAB/on.conf"
pair
within 3 "IPv6 beside IPv4" role_is n1 six active
watch_client
expect "the client is served" client_answered $vip
expect "over IPv6 as well" client_answered $vip6
expect "by the virtual MAC" entry_is $vip $mac
expect "of each family" entry_is $vip6 $mac6
expect "which the status shows" test \
	"$(ctl n1 --json status | jq -r '.routers[0].virtual_mac + .routers[1].virtual_mac')" = $mac$mac6
expect "the node itself has its own" client_answered 10.77.0.11
expect "and no other" not entry_is 10.77.0.11 $mac
expect "V089: no interface identifier is made of it" not eval 'in_ns n1 ip -6 address | grep fe80::200:5eff'
expect "V089: by its setting" knob_is n1 ipv6/conf/$device6/addr_gen_mode 1
in_ns n1 ip neigh flush dev eth0
expect "the node asks for the client in the name of the address" in_ns n1 ping -c 1 -W 1 -q -I $vip 10.77.0.50

# V012 and V044: who is active takes frames to the virtual MAC and forwards them, and nobody else does.
in_ns c ip route add 10.88.0.0/24 via $vip
in_ns r1 ip route replace default via 10.88.0.11
expect "V044: the active forwards" client_answered 10.88.0.21
expect "V012: and takes what is for itself" answered_to_mac 10.77.0.11
in_ns sw bridge fdb replace $mac dev n2.eth0 master static sticky # what n1 sends does not move it
expect "V012: a backup discards frames to the virtual MAC" not answered_to_mac 10.77.0.12
in_ns sw bridge fdb del $mac dev n2.eth0 master

stop_node n1
within 2 "n1 stopped: n2 takes over" only_holder n2 $vip
expect "the client is served" client_answered $vip
expect "over IPv6 as well" client_answered $vip6
expect "n1 is as before" as_before n1
in_ns r1 ip route replace default via 10.88.0.12
expect "V044: the new active forwards" client_answered 10.88.0.21
expect "V012: and takes frames to the virtual MAC" answered_to_mac 10.77.0.12

start_tandemd n1 "$LAB/tandem.conf"
within 3 "n1 comes back" only_holder n1 $vip
within 3 "over IPv6 as well" role_is n1 six active
syslog_mark n1
kill -KILL "$(process_pid n1 election)"
sleep 0.4
expect "a crash of the election process changes no role" only_holder n1 $vip
expect "nor anything else" client_answered $vip
expect "of the devices" logged n1 event=link state=adopted interface=$device
kill -KILL "$(process_pid n1 election)"
within 1 "a second one makes the supervisor withdraw" no_device n1 $device
within 3 "n1 is active again" only_holder n1 $vip
expect "the client is served" client_answered $vip

in_ns n1 ip link del $device
within 2 "a device that somebody removes comes back" device_up n1 $device
in_ns n1 ip link set $device down
within 2 "and one that somebody takes down" device_up n1 $device
within 1 "with its address" client_answered $vip

kill9_all n1
within 2 "all of n1 killed: n2 takes over" has_address n2 $vip
within 4 "and the lease ends" only_holder n2 $vip
expect "the client is served" client_answered $vip
# the killed node's kernel tells the multicast routers that it has left, from the virtual MAC
within 2 "over IPv6 as well, after an advertisement" in_ns c ping -c 1 -W 0.3 -q $vip6
start_tandemd n1 "$LAB/tandem.conf"
within 3 "n1 adopts what it left" only_holder n1 $vip
within 2 "the client is served" client_answered $vip
expect "nobody ever taught the client another MAC" not taught_other $vip $mac
expect "over IPv6 neither" not taught_other $vip6 $mac6
kill $watcher

sed 's/virtual_mac = true/virtual_mac = false/g' "$LAB/on.conf" > "$LAB/tandem.conf"
syslog_mark n1
for n in n1 n2; do
	expect "turned off by a reload of $n" ctl $n reload
	within 1 "all is as before there" as_before $n
done
expect "the client is served" client_answered $vip
expect "by the node's own MAC" not entry_is $vip $mac
cp "$LAB/on.conf" "$LAB/tandem.conf"
for n in n1 n2; do
	expect "turned on by a reload of $n" ctl $n reload
done
within 1 "the device is up" device_up n1 $device
within 1 "the client is served" client_answered $vip
expect "by the virtual MAC" entry_is $vip $mac
expect "and no role has changed" test "$(role_changes n1)" = 0
kill -KILL "${LAB_DAEMON[n1]}"
wait "${LAB_DAEMON[n1]}" 2> /dev/null
unset "LAB_DAEMON[n1]"
within 2 "the supervisor of n1 killed: n1 is as before all the same" as_before n1
stop_node n2
expect "n2 is as before" as_before n2

# What is in the way is named, the node is in fault, and it goes on when that is gone.
in_ns n2 ip link add $device type bridge
start_tandemd n2 "$LAB/tandem.conf"
within 3 "a device of somebody else's: fault" role_is n2 web fault
expect "with the reason" logged n2 event=role router=web to=fault reason=virtual-mac
expect "and what to do" logged n2 event=link reason=virtual-mac "detail=\"$device is there already and not tandem's: remove or rename it\""
within 2 "the other router is active" role_is n2 six active
in_ns n2 ip link del $device
within 3 "it is gone: active" only_holder n2 $vip
stop_node n2

# Addresses of both families, and one on another interface.
conf 100 "$keys"
sed -i "s|( \"$vip/24\" )|( \"$vip/24\", \"$vip6/64\", { address = \"10.88.0.1/24\"; interface = \"eth1\"; } )|" "$LAB/tandem.conf"
start_tandemd n2 "$LAB/tandem.conf"
within 3 "both families in one router" role_is n2 web active
within 1 "IPv4 on its device" eval "in_ns n2 ip address show dev $device | grep -q $vip/24"
within 1 "IPv6 on its own" eval "in_ns n2 ip address show dev vrrp6.51.eth0 | grep -q $vip6/64"
within 1 "the other interface's where it is" eval 'in_ns n2 ip address show dev eth1 | grep -q 10.88.0.1/24'
expect "the client is served" client_answered $vip
expect "over IPv6 as well" client_answered $vip6
[ -n "${TANDEM_FULL:-}" ] || exit 0

# A daemon that hangs as a whole is as good as a dead one; when it goes on, it begins anew.
start_tandemd n1 "$LAB/tandem.conf"
within 3 "n1 preempts" only_holder n1 $vip
# shellcheck disable=SC2046
kill -STOP $(daemon_pids n1)
within 2 "all of n1 stopped: n2 takes over" has_address n2 $vip
within 4 "and the lease ends" only_holder n2 $vip
within 1 "the client is served" client_answered $vip
# shellcheck disable=SC2046
kill -CONT $(daemon_pids n1)
within 3 "n1 goes on" only_holder n1 $vip
expect "the client is served" client_answered $vip

# The interface goes and comes back, as a hot-plugged one does.
stop_node n2
in_ns n1 ip link del eth0
within 2 "the interface has gone: fault" role_is n1 web fault
lab_port n1 eth0 br0 10.77.0.11/24
within 4 "it is back: active" role_is n1 web active
within 1 "the client is served" client_answered $vip
expect "by the virtual MAC" entry_is $vip $mac
