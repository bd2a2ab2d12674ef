#!/bin/bash
# Nodes, links and virtual routers of different families: an IPv4 router (with an IPv6 address besides) of
# nodes that are known by IPv6 addresses, plain, and as a keyed pair with an IPv6 link.
. "$(dirname "$0")/../lib/scenario.sh"
vip6=fd00:77::100

# mixed_conf HEARTBEAT-KEYS
mixed_conf()
{
	cat > "$LAB/tandem.conf" <<-END
	nodes = ( { name = "lb1"; address = "fd00:77::11"; }, { name = "lb2"; address = "fd00:77::12"; } );
	heartbeat = { interval_ms = 100; $1 };
	virtual_routers = ( { name = "web"; vrid = 51; interface = "eth0"; prefer = "lb1";
	  addresses = ( "$vip/24", "$vip6/64" ); } );
	END
}

# A cable that is pulled may refuse what is just being sent; that is another matter.
nothing_refused()
{
	not eval 'cat "$LAB"/n?.syslog | grep -E "event=packet reason=(not-|bad-)|Address family"'
}

lab_up cross
for n in 1 2; do
	ip -n "$(ns n$n)" address add fd00:77::1$n/64 dev eth0 nodad
	ip -n "$(ns n$n)" address add fd00:99::$n/64 dev eth2 nodad
done
mixed_conf ''
pair
sleep 0.5
expect "plain: one holder" only_holder n1 $vip
expect "switchover" ctl n1 switchover
within 1 "moves it" only_holder n2 $vip
within 1 "and the IPv6 address" only_holder n2 $vip6
expect "plain: nothing is refused" nothing_refused
stop_node n1
stop_node n2

(umask 077; openssl rand -hex 32 > "$LAB/key")
mixed_conf "key_file = \"$LAB/key\"; links = ( { name = \"cross\"; interface = \"eth2\"; lb1 = \"fd00:99::1\"; lb2 = \"fd00:99::2\"; } );"
pair
within 2 "keyed: the service path" path_is n1 eth0 up true
within 2 "and the IPv6 link" path_is n1 cross up true
within 2 "in both directions" path_is n2 cross up true
cable_pull n1 eth0
within 1 "cable pulled: over that link the standby has it at once" only_holder n2 $vip
expect "by a resignation" logged n2 event=role to=active reason=peer-resigned
expect "keyed: nothing is refused" nothing_refused
