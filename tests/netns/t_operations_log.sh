#!/bin/bash
# What operators do to servers, in the log: from what a server was, in the words of the status, to what it is, so that
# the lines of one server follow each other whoever caused them.
. "$(dirname "$0")/../lib/scenario.sh"
pool='virtual_servers = ( { name = "echo"; router = "web"; listen = "10.77.0.100:7000";
  probe = { type = "tcp"; interval_ms = 200; timeout_ms = 150; rise = 1; fall = 1; flap_falls = 0; };
  real_servers = ( { name = "r1"; address = "10.88.0.21:7000"; }, { name = "r2"; address = "10.88.0.22:7000"; } ); },
  { name = "plain"; router = "web"; listen = "10.77.0.100:7001";
  real_servers = ( { name = "r3"; address = "10.88.0.21:7001"; } ); } );'

server_is() # NAME HEALTH
{
	[ "$(ctl n1 --json status | jq -r --arg n "$1" \
		'.virtual_servers[].real_servers[] | select(.name == $n) | .health')" = "$2" ]
}

told() # SERVER FROM TO REASON
{
	within 3 "$1 from $2 to $3, $4" logged n1 event=server "server=$1" "from=$2" "to=$3" "reason=$4"
}

does() # COMMAND ARG...: and everything that is told from here on is of that
{
	ctl n1 "$@" > /dev/null || fail "tandemctl $*"
}

lab_up inside reals 2
in_ns_bg r1 "$(lab_tool tcpecho)" r1 7000 > /dev/null
conf 100 'standby = "hot";' "$pool"
start_tandemd n1 "$LAB/tandem.conf"
within 5 "one is up" server_is r1 up
within 5 "and one down" server_is r2 down
does drain r1
told r1 up drained operator
does disable r1
told r1 drained disabled operator
expect "in the words of the status" server_is r1 disabled
does enable r1
told r1 disabled unknown operator
within 5 "asked again" server_is r1 up
told r1 unknown up ok
does disable r1 --for 1s
told r1 up disabled operator
told r1 disabled unknown override-ended
within 3 "it is up" server_is r1 up
does drain r2
told r2 down drained operator
does enable r2
told r2 drained down operator
does drain r3
told r3 up drained operator
does enable r3
told r3 drained up operator
does weight r1 5
told r1 1 5 operator
does weight r1 7
told r1 5 7 operator
does remove r2
told r2 down removed operator
does add echo r2 10.88.0.22:7000
told r2 removed added operator
does add echo r9 10.88.0.29:7000
told r9 none added operator
expect "no line says that a server was enabled" not logged n1 event=server from=enabled
expect "or came to be so" not logged n1 event=server to=enabled
expect "the lines follow each other" awk -v RS='\n' '
	/event=server server=r1 .*reason=(operator|override-ended|ok|tcp-)/ && !/from=[0-9]/ {
		match($0, / from=[a-z]+/); from = substr($0, RSTART + 6, RLENGTH - 6)
		match($0, / to=[a-z]+/)
		if (last != "" && from != last) { print; bad = 1 }
		last = substr($0, RSTART + 4, RLENGTH - 4)
	}
	END { exit bad }' "$LAB/n1.syslog"
