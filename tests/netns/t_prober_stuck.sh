#!/bin/bash
# A prober that is stopped tells nothing: the pool process says so, of the server by its name, has the
# prober replaced, and blames no server for it.
. "$(dirname "$0")/../lib/scenario.sh"
pool='virtual_servers = ( { name = "echo"; router = "web"; listen = "10.77.0.100:7000";
  probe = { type = "tcp"; interval_ms = 200; timeout_ms = 150; fall = 1; rise = 1; };
  real_servers = ( { name = "r1"; address = "10.88.0.21:7000"; } ); } );'

healthy_is()
{
	[ "$(ctl n1 --json status | jq '.virtual_servers[0].healthy')" = "$1" ]
}

replaced()
{
	local now

	now=$(process_pid n1 prober) && [ -n "$now" ] && [ "$now" != "$before" ]
}

probes()
{
	ctl n1 --json status | jq '.virtual_servers[0].real_servers[0].probes'
}

lab_up inside reals 1
in_ns_bg r1 "$(lab_tool tcpecho)" r1 7000 > /dev/null
conf 100 'standby = "hot";' "$pool"
start_tandemd n1 "$LAB/tandem.conf"
within 5 "the server is up" healthy_is 1
before=$(process_pid n1 prober) || fail "no prober process"
kill -STOP "$before"
within 4 "it is said that there is no result" logged n1 event=probe server=r1 reason=no-result
expect "and counted" [ "$(ctl n1 --json status | jq .probing.no_results)" = 1 ]
within 6 "the prober has to go" logged n1 event=process name=prober reason=no-result
within 3 "a successor runs" replaced
sleep 2
expect "which probes" [ "$(probes)" -gt 2 ]
expect "the server was up all the time" not logged n1 event=server server=r1 to=down
expect "and is" healthy_is 1
