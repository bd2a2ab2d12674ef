#!/bin/bash
# Preemption, switchover and its hold, fitness by a second interface, addresses put back, leftovers.
. "$(dirname "$0")/../lib/scenario.sh"

both_stop()
{
	stop_node n1
	stop_node n2
	rm -f "$LAB"/n?.syslog.old
}

lab_up inside
conf 50 'prefer = "lb2";'
pair
sleep 1
expect "without preempt a healthy active stays active" only_holder n1 $vip
both_stop
conf 50 'prefer = "lb2"; preempt = true; preempt_delay_ms = 1500;'
pair
sleep 0.7
expect "preempt_delay_ms is waited for" only_holder n1 $vip
within 4 "then the preferred node preempts" only_holder n2 $vip
ctl n2 switchover > /dev/null
within 2 "a switchover moves the address" only_holder n1 $vip
sleep 2.5
expect "and holds preemption off" only_holder n1 $vip
expect "status shows the hold" eval "ctl n2 --json status | jq -e .routers[0].hold"
kill9_all n1
within 3 "until the next failure" role_is n2 web active
both_stop
conf 50 'prefer = "lb1"; track = { interfaces = [ "eth1" ]; };'
pair
cable_pull n1 eth1
within 3 "a tracked interface without carrier: the other node takes over" only_holder n2 $vip
expect "with the reason" logged n1 event=role to=fault reason=carrier-lost
cable_plug n1 eth1
within 3 "back to backup when it is back" role_is n1 web backup
both_stop
conf 50
pair
in_ns n1 ip address del $vip/24 dev eth0
within 1 "an address removed by somebody comes back" has_address n1 $vip
expect "and that is logged" logged n1 event=address reason=address-removed
for i in 1 2 3 4 5 6 7 8; do
	in_ns n1 ip address del $vip/24 dev eth0 2> /dev/null
	sleep 0.1
done
within 3 "after repeats the node resigns and says why" logged n1 event=role to=fault reason=address-removed
within 3 "and the other one has it" only_holder n2 $vip
both_stop
in_ns n1 ip address add $vip/24 dev eth0 valid_lft 100 preferred_lft 100
start_tandemd n2 "$LAB/tandem.conf"
wait_role n2 web active || fail "n2 does not become active"
start_tandemd n1 "$LAB/tandem.conf"
within 3 "a leftover address is removed at start" only_holder n2 $vip
expect "and that is logged" logged n1 event=address reason=leftover
