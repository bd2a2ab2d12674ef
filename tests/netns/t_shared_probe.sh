#!/bin/bash
# Two virtual servers with the same server, probed the same way: one connection an interval, and both get
# the verdict. A reload that touches one of them neither ends nor doubles the probe.
. "$(dirname "$0")/../lib/scenario.sh"
probe='probe = { type = "tcp"; interval_ms = 200; timeout_ms = 150; fall = 2; rise = 1; spread_percent = 0; };'

# Whatever is behind the virtual servers, `more` with its own weight.
pool()
{
	echo "virtual_servers = ( { name = \"echo\"; router = \"web\"; listen = \"10.77.0.100:7000\"; $probe
	  real_servers = ( { name = \"r1\"; address = \"10.88.0.21:7000\"; } ); },
	  { name = \"more\"; router = \"web\"; listen = \"10.77.0.100:7001\"; $probe
	  real_servers = ( { name = \"r1\"; address = \"10.88.0.21:7000\"; weight = $1; } ); } );"
}

healthy_are()
{
	[ "$(ctl n1 --json status | jq -c '[.virtual_servers[].healthy]')" = "$1" ]
}

accepts()
{
	in_ns r1 nstat -asz TcpPassiveOpens | awk '/TcpPassiveOpens/ {print $2}'
}

# Connections in 4 s, at 5 a second.
counted()
{
	local before

	before=$(accepts)
	sleep 4
	echo $(($(accepts) - before))
}

lab_up inside reals 1
in_ns_bg r1 "$(lab_tool tcpecho)" r1 7000 > /dev/null
echo_pid=$!
conf 100 'standby = "hot";' "$(pool 1)"
start_tandemd n1 "$LAB/tandem.conf"
within 5 "both are up" healthy_are '[1,1]'
n=$(counted)
expect "one connection an interval ($n in 4 s)" eval '[ $n -ge 17 ] && [ $n -le 22 ]'
conf 100 'standby = "hot";' "$(pool 5)"
ctl n1 reload > /dev/null
n=$(counted)
expect "after a reload too ($n in 4 s)" eval '[ $n -ge 17 ] && [ $n -le 22 ]'
kill -USR1 "${LAB_DAEMON[n1]}"
within 2 "the state of each is told, with a reason" eval "logged n1 event=state virtual=echo 'reason=(no-ip-vs|enough-healthy) healthy=1 total=1' &&
	logged n1 event=state virtual=more 'reason=(no-ip-vs|enough-healthy) healthy=1 total=1'"
kill $echo_pid
within 3 "a server that is gone is down for both" healthy_are '[0,0]'
