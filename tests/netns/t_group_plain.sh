#!/bin/bash
# A group of plain VRRP routers: a LAN that falls silent, a pulled cable, switchover of one, a dead node.
. "$(dirname "$0")/../lib/group.sh"

lab_up inside
group_files
group_conf '' 'prefer = "lb1";'
start plain
syslog_mark n1; syslog_mark n2
silent_loss n1 eth1
sleep 1
expect "plain, one LAN silent: nobody moves while the other LAN has its active" \
	test "$(($(role_changes n1) + $(role_changes n2)))" = 0
silent_heal n1 eth1
sleep 0.3
cable_pull n1 eth1
within 3 "plain, the inside cable pulled: both on n2" both n2
cable_plug n1 eth1
within 5 "plain: n1 is fit again with both" roles n1 backup
sleep 0.4
expect "plain: switchover of one member" ctl n2 switchover out
within 2 "moves both" both n1
expect "n2 holds off with both" eval '[ "$(ctl n2 --json status | jq -c "[.routers[].hold]")" = "[true,true]" ]'
kill9_all n1
within 2 "plain, n1 killed: n2 is active with both" roles n2 active
stop_both
