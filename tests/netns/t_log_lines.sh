#!/bin/bash
# Who reads what strangers send may be taken over by them. What such a process says in the log is what it has to say,
# or it is not in the log and the process is replaced: nothing that looks like an election, no second line, no other name.
. "$(dirname "$0")/../lib/scenario.sh"
LAB_LIES=yes
pool='virtual_servers = ( { name = "echo"; router = "web"; listen = "10.77.0.100:7000";
  probe = { type = "tcp"; interval_ms = 200; timeout_ms = 150; };
  real_servers = ( { name = "r1"; address = "10.88.0.21:7000"; } ); } );'

replaced()
{
	local now

	now=$(process_pid n1 "$1") && [ -n "$now" ] && [ "$now" != "$before" ]
}

says() # PROCESS TEXT
{
	python3 "$LAB_TOP/tests/tools/logs_as.py" "$(process_pid n1 "$1")" "$2"
}

has_event() # TEXT
{
	ctl n1 events | grep -qF -- "$1"
}

refused() # PROCESS WHAT TEXT
{
	before=$(process_pid n1 "$1") || fail "no $1 process"
	says "$1" "$3" || fail "$1 cannot be made to say it"
	within 5 "$1, $2: it is replaced" replaced "$1"
	expect "$1, $2: it is not in the log" eval '! has_event forged && ! logged n1 forged'
	expect "$1, $2: what is, says who it was" eval 'has_event "name='"$1"'" && logged n1 event=process name='"$1"' reason=bad-message'
}

lab_up inside reals 1
in_ns_bg r1 "$(lab_tool tcpecho)" r1 7000 > /dev/null
conf 100 'standby = "hot";' "$pool"
start_tandemd n1 "$LAB/tandem.conf"
wait_for 5 has_address n1 $vip
neighbours="$(process_pid n1 election) $(process_pid n1 pool)"
before=$(process_pid n1 prober)
says prober 'event=probe reason=system target=7 error="a line of its own"' || fail "the prober cannot be made to say it"
within 3 "what a prober has to say is in the log" logged n1 'error="a line of its own"'
within 3 "and among the events" has_event 'event=probe reason=system target=7 error="a line of its own"'
sleep 1
expect "it goes on" [ "$(process_pid n1 prober)" = "$before" ]
refused prober "an election" 'event=role router=web from=active to=backup reason=forged'
refused prober "another process" 'event=process name=election reason=system detail=forged error=x'
refused prober "an election within a value" 'event=probe reason=system target=7 error="forged event=role router=web"'
refused prober "a second line" 'event=probe reason=system target=7 error=forged\nevent=role'
refused prober "a control character" 'event=probe reason=system target=7 error="forged\x1b[2J"'
refused resolver "an election" 'event=role router=web from=active to=backup reason=forged'
expect "nobody else was replaced" [ "$neighbours" = "$(process_pid n1 election) $(process_pid n1 pool)" ]
expect "and the router is active" has_address n1 $vip
