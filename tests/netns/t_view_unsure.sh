#!/bin/bash
# A standby that cannot know better than the active is no reason to hand over: a server is down for both,
# and on the standby an operator disables it, or removes it; or the standby has just started and has not
# heard from it yet.
. "$(dirname "$0")/../lib/servers.sh"

# Nobody moves, for longer than a difference has to last.
nobody_moves()
{
	sleep 3
	expect "$1: nobody moves" test "$(($(role_changes n1) + $(role_changes n2)))" = 0
	expect "$1: nor wants to" not eval 'cat "$LAB"/n?.syslog | grep reason=peer-sees-more'
}

servers_up
silent_loss r1 eth1
within 6 "a server that died is down for the active" healthy_is n1 2
within 6 "and for the standby" healthy_is n2 2
sleep 1
syslog_mark n1
syslog_mark n2
expect "the standby's operator disables it" ctl n2 disable r1
nobody_moves disabled
expect "enables it" ctl n2 enable r1
within 6 "which shows that it is down" healthy_is n2 2
expect "and removes it" ctl n2 remove r1
nobody_moves removed
expect "it is back" ctl n2 add echo r1 10.88.0.21:7000
within 3 "and not known to be well" healthy_is n2 2

sed -i 's/interval_ms = 200; timeout_ms = 150/interval_ms = 1900; timeout_ms = 1800/' "$LAB/tandem.conf"
expect "probes are slow" ctl n1 reload
stop_node n2
sleep 3
start_tandemd n2 "$LAB/tandem.conf"
wait_role n2 web backup || fail "n2 does not become backup"
syslog_mark n1
syslog_mark n2
sleep 3
nobody_moves "just started"
expect "although they compare" healthy_is n2 2
