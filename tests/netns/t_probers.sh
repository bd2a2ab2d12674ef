#!/bin/bash
# Several probers: servers are spread over them; one that is killed is replaced; a reload makes more or fewer
# of them. Nobody's verdict changes by any of it, and a server that really goes is noticed by whoever has it.
LAB_NODES=n1
. "$(dirname "$0")/../lib/scenario.sh"
count=40

probers_conf() # PROBERS
{
	conf 100 '' "probing = { probers = $1; };
	virtual_servers = ( { name = \"many\"; router = \"web\"; listen = \"$vip:80\"; correlated_hold_ms = 0;
	  probe = { type = \"tcp\"; interval_ms = 200; timeout_ms = 150; };
	  real_servers = ( $(for ((i = 1; i <= count; i++)); do
		printf '{ name = "r%d"; address = "10.64.0.%d:8000"; }%s ' $i $i "$([ $i = $count ] || echo ,)"
	  done) ); } );"
}

# Of the status: so many probers, all at work, and between them every server.
probers_are()
{
	ctl n1 --json status | jq -e --argjson n "$1" --argjson all $count '(.probers | length) == $n and
		([.probers[] | select(.pid != null and .targets > 0 and .started > 0)] | length) == $n and
		([.probers[].targets] | add) == $all'
}

all_up()
{
	ctl n1 --json status | jq -e --argjson n $count '.virtual_servers[0].healthy == $n'
}

quiet()
{
	! syslog_since n1 | grep 'event=server'
}

verdicts_stay()
{
	sleep 1.5
	all_up && quiet
}

reload_to()
{
	probers_conf "$1"
	kill -HUP "${LAB_DAEMON[n1]}"
	wait_for 5 probers_are "$1"
}

pid_of_first()
{
	ctl n1 --json status | jq '.probers[0].pid'
}

replaced()
{
	local now

	now=$(pid_of_first)
	[ "$now" != null ] && [ "$now" != "$killed" ]
}

lab_up
ip -n "$(ns n1)" route add local 10.64.0.0/16 dev lo
in_ns_bg n1 "$(lab_tool manyserver)" 8000
server=$!
probers_conf 2
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || fail "n1 does not become active"
within 5 "every server is up" all_up
within 5 "two probers share the servers" probers_are 2
syslog_mark n1
killed=$(pid_of_first)
kill -KILL "$killed"
within 5 "a killed prober is replaced" replaced
within 5 "its successor has its servers" probers_are 2
expect "no verdict changed" verdicts_stay
expect "a reload makes it three" reload_to 3
expect "no verdict changed" verdicts_stay
expect "a reload makes it one" reload_to 1
expect "no verdict changed" verdicts_stay
expect "nobody crashed in it" [ "$(syslog_since n1 | grep -c 'reason=crashed')" = 1 ]
kill -KILL $server
within 5 "servers that go are noticed" eval 'ctl n1 --json status | jq -e ".virtual_servers[0].healthy == 0"'
