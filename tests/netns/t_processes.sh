#!/bin/bash
# Each process killed by SIGKILL: repaired, and only the election's death may be felt at all.
. "$(dirname "$0")/../lib/scenario.sh"

answers()
{
	ctl n1 status > /dev/null
}

replaced()
{
	local now

	now=$(process_pid n1 "$1") && [ -n "$now" ] && [ "$now" != "$2" ]
}

lab_up
conf 100
pair
sleep 1
for p in prober pool election; do
	before=$(process_pid n1 $p) || fail "no $p process"
	roles=$(roles_logged)
	kill -KILL "$before"
	within 3 "$p: a successor runs" replaced $p "$before"
	sleep 1
	within 3 "$p: status answers" answers
	expect "$p: exactly one holder" [ "$(holders $vip | wc -w)" = 1 ]
	expect "$p: the client is served" client_served
	[ $p = election ] || expect "$p: no change of role" [ "$(roles_logged)" = "$roles" ]
done
kill -KILL "$(process_pid n1 election)"
sleep 0.3
kill -KILL "$(process_pid n1 election)" 2> /dev/null
within 3 "the election killed twice: exactly one holder" eval '[ "$(holders $vip | wc -w)" = 1 ]'
sleep 1
wait_for 5 answers
holder=$(holders $vip | tr -d ' ')
supervisor=${LAB_DAEMON[$holder]}
kill -KILL "$supervisor"
within 3 "the supervisor killed: its node gave the address up" not has_address "$holder" $vip
within 3 "and the other node has it" eval '[ "$(holders $vip | wc -w)" = 1 ]'
expect "the client is served" client_served
within 2 "no process of that node outlives its supervisor" eval '[ -z "$(daemon_pids $holder)" ]'
