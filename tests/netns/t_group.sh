#!/bin/bash
# A group in a keyed pair: fault of one member, switchover of one, a crash, preemption, and a group
# that a reload makes of two routers on two nodes. Both are on one node.
. "$(dirname "$0")/../lib/group.sh"

lab_up inside cross
group_files
group_conf "$keyed" 'prefer = "lb1";'
start keyed
ping_start $vip
cable_pull n1 eth1
within 2 "keyed, the inside cable pulled: both on n2" both n2
sleep 0.2
lost_at_most 15 "keyed, the inside cable pulled"
expect "n1 says why" logged n1 event=role router=in to=fault reason=carrier-lost
expect "and of the other member too" logged n1 event=role router=out to=fault reason=group
within 2 "n1 ran on_fault for each" eval '[ "$(ran n1 fault in carrier-lost)$(ran n1 fault out group)" = 11 ]'
within 2 "n2 ran on_active for each" eval '[ "$(ran n2 active in "peer-.*")$(ran n2 active out "peer-.*")" = 11 ]'
cable_plug n1 eth1
within 5 "n1 is fit again with both" roles n1 backup
expect "status names the group" eval '[ "$(ctl n1 --json status | jq -c "[.routers[].group]")" = "[\"nat\",\"nat\"]" ]'

sleep 0.3
ping_start $vip
expect "keyed: switchover of one member" ctl n2 switchover in
within 2 "moves both" both n1
sleep 0.2
lost_at_most 0 "keyed, switchover"
expect "by an offer each" eval '[ "$(syslog_has n1 event=role to=active reason=switchover | wc -l)" = 2 ]'

syslog_mark n1; syslog_mark n2
kill -KILL "$(process_pid n1 election)"
within 2 "keyed, election process killed: its successor goes on with both" eval \
	'[ "$(syslog_since n1 | grep -c reason=resumed)" = 2 ]'
expect "n1 has both" both n1
expect "and n2 did not move" test "$(role_changes n2)" = 0
stop_both

# Preemption of the group as one, made before it is broken.
group_conf "$keyed" 'prefer = "lb1"; preempt = true;'
start_tandemd n2 "$LAB/tandem.conf"
within 10 "keyed, preempt: n2 is active with both" both n2
sleep 0.4
ping_start $vip
start_tandemd n1 "$LAB/tandem.conf"
within 5 "keyed, preempt: n1 takes both" both n1
sleep 0.2
lost_at_most 0 "keyed, preempt"

# Divided by the operator's new configuration: the group comes together on the preferred node.
group_conf "$keyed" 'prefer = "lb1";' '' ''
kill -HUP "${LAB_DAEMON[n1]}" "${LAB_DAEMON[n2]}"
sleep 0.3
expect "keyed, no group: switchover of one" ctl n1 switchover in
within 2 "moves that one" only_holder n2 $gateway
expect "and not the other" only_holder n1 $vip
group_conf "$keyed" 'prefer = "lb1";'
kill -HUP "${LAB_DAEMON[n1]}" "${LAB_DAEMON[n2]}"
within 3 "keyed, a group again: n1, which is preferred, has both" both n1
syslog_mark n1; syslog_mark n2
sleep 0.6
expect "and it stays so" test "$(($(role_changes n1) + $(role_changes n2)))" = 0
stop_both
