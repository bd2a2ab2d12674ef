#!/bin/bash
# Two virtual routers in no group that prefer different nodes: each node is active with one and backup
# with the other. When a node dies the other one has both; back again, it takes its own, and no echo
# is lost by that.
. "$(dirname "$0")/../lib/scenario.sh"
second=10.77.0.101

split()
{
	only_holder n1 $vip && only_holder n2 $second
}

lab_up cross
keyed_conf 100 'prefer = "lb1"; preempt = true;'
sed -i "s/virtual_routers = (/& { name = \"db\"; vrid = 52; interface = \"eth0\"; addresses = ( \"$second\/24\" ); prefer = \"lb2\"; preempt = true; },/" "$LAB/tandem.conf"
start_tandemd n1 "$LAB/tandem.conf"
within 10 "alone, n1 has both" eval 'only_holder n1 $vip && only_holder n1 $second'
start_tandemd n2 "$LAB/tandem.conf"
within 5 "each node has one" split
for back in n1 n2; do
	[ $back = n1 ] && stays=n2 || stays=n1
	sleep 0.4
	kill9_all $back
	within 10 "$back killed: $stays has both" eval "only_holder $stays $vip && only_holder $stays $second"
	[ $back = n1 ] && moving=$vip || moving=$second
	ping_start $moving
	start_tandemd $back "$LAB/tandem.conf"
	within 5 "$back again: one each" split
	sleep 0.2
	ping_stop > "$LAB/lost.json"
	expect "no echo was lost by the preemption" test "$(jq .lost "$LAB/lost.json")" = 0
	expect "it was by offer" eval 'syslog_has $stays event=role from=active to=backup reason=higher-priority'
done
