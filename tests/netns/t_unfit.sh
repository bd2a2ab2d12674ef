#!/bin/bash
# An address on a second interface makes that interface needed, without any track: its cable
# pulled, the other node takes over; plugged in again, the node is backup.
. "$(dirname "$0")/../lib/scenario.sh"

lab_up inside
cat > "$LAB/tandem.conf" <<-END
nodes = ( { name = "lb1"; address = "10.77.0.11"; }, { name = "lb2"; address = "10.77.0.12"; } );
heartbeat = { interval_ms = 100; };
virtual_routers = ( { name = "web"; vrid = 51; interface = "eth0"; prefer = "lb1"; preempt = true;
  addresses = ( "$vip/24", { address = "10.88.0.1/24"; interface = "eth1"; } ); } );
END
pair
within 1 "n1 holds the inside address" only_holder n1 10.88.0.1
sleep 0.3
cable_pull n1 eth1
within 2 "the peer takes over" only_holder n2 $vip
within 1 "with the inside address" only_holder n2 10.88.0.1
expect "the client is served" client_served
within 2 "the reason is told" logged n1 event=role from=active to=fault reason=carrier-lost
sleep 1
expect "an unfit node does not preempt, although preferred" only_holder n2 $vip
cable_plug n1 eth1
within 5 "plugged in again, the preferred node preempts" role_is n1 web active
within 1 "n1 is the only holder" only_holder n1 $vip
within 1 "of both" only_holder n1 10.88.0.1
expect "it was backup before" logged n1 event=role from=fault to=backup
expect "the client is served" client_served
in_ns n1 ip address del 10.77.0.11/24 dev eth0
within 3 "without an address of its own a node does not advertise" logged n1 event=role to=fault reason=no-source-address
within 3 "and the peer takes over" only_holder n2 $vip
in_ns n1 ip address add 10.77.0.11/24 dev eth0
within 5 "with it, it is back" role_is n1 web active
stop_node n2
stop_node n1

# Unicast comes from the configured address or not at all: the peer takes no other.
conf 100 'unicast = true; prefer = "lb1"; preempt = true;'
in_ns n1 ip address add 10.77.0.111/24 dev eth0
pair
syslog_mark n1
in_ns n1 ip address del 10.77.0.11/24 dev eth0
in_ns n1 ip address replace 10.77.0.111/24 dev eth0 # was a secondary
within 3 "unicast: another address is none" eval 'syslog_since n1 | grep -q "to=fault reason=no-source-address"'
within 3 "the peer takes over" only_holder n2 $vip
expect "and has refused nothing" not logged n2 event=packet reason=bad-source
in_ns n1 ip address add 10.77.0.11/24 dev eth0
within 5 "with its own it is back" role_is n1 web active

# A fault whose cause changes says so.
syslog_mark n1
in_ns n1 ip link set eth0 down
within 2 "an interface that is down: fault" role_is n1 web fault
in_ns n1 ip address flush dev eth0 scope global
expect "nothing is said of an address yet" not eval 'syslog_since n1 | grep no-source-address'
in_ns n1 ip link set eth0 up
within 3 "it is up, and has no address: that is told" eval \
	'syslog_since n1 | grep -q "event=link reason=no-source-address interface=eth0"'
expect "once" test "$(syslog_since n1 | grep -c no-source-address)" = 1
