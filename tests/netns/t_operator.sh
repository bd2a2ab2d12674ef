#!/bin/bash
# Preemption at once, the address owner, and a switchover with the hold that follows it: who gave
# up does not take it back, although preferred, until the other one fails.
. "$(dirname "$0")/../lib/scenario.sh"

stop_both()
{
	stop_node n1
	stop_node n2
}

# n2 is active already when n1, which is preferred, comes.
late_n1()
{
	start_tandemd n2 "$LAB/tandem.conf"
	wait_role n2 web active || fail "n2 does not become active"
	start_tandemd n1 "$LAB/tandem.conf"
}

hold_is()
{
	[ "$(ctl "$1" --json status | jq '.routers[0].hold')" = "$2" ]
}

lab_up
conf 100 'prefer = "lb1"; preempt = true;'
late_n1
within 3 "with preempt the preferred node takes over" role_is n1 web active
within 1 "and is the only holder" only_holder n1 $vip
stop_both

conf 100 'priority = { lb1 = 255; lb2 = 100; };'
late_n1
within 3 "the owner (255) takes over without preempt" role_is n1 web active
within 1 "and is the only holder" only_holder n1 $vip
stop_both

conf 100 'prefer = "lb1"; preempt = true;'
pair
sleep 0.5
expect "tandemctl switchover succeeds" ctl n1 switchover
within 1 "the address has moved" only_holder n2 $vip
expect "the client is served" client_served
within 1 "n1 shows the hold" hold_is n1 true
sleep 2
expect "n1 does not preempt back" only_holder n2 $vip
kill9_all n2
within 2 "n2 failed: n1 is active" role_is n1 web active
within 5 "n1 is the only holder" only_holder n1 $vip
start_tandemd n2 "$LAB/tandem.conf"
within 5 "n2 is backup" role_is n2 web backup
within 1 "the failure ended the hold" hold_is n1 false
expect "the client is served" client_served
