#!/bin/bash
# The disk of the state directory hangs, and then has no room: verdicts go on, an operator is told what is
# stored and what is not, and what was stored before stays whole.
. "$(dirname "$0")/../lib/servers.sh"

# disk_does WHAT-STRACE-INJECTS: every write to the state directory of n1 meets that
disk_does()
{
	local calls=fsync,rename,renameat,renameat2

	strace -f -qq -p "$pool" -o /dev/null -e "trace=$calls" -e "inject=$calls:$1" &
	tracer=$!
	LAB_PIDS+=($!)
	within 5 "(traced)" traced
}

traced()
{
	grep -q '^TracerPid:.*[1-9]' "/proc/$pool/status"
}

disk_is_well()
{
	kill -INT $tracer
	wait $tracer 2> /dev/null
	within 15 "(not traced)" not traced
}

since()
{
	syslog_since "$1" | grep -E -- "$2"
}

answered()
{
	[ -e "$LAB/answered" ]
}

stored()
{
	grep -q "$1" "$LAB/n1.lib/overrides"
}

command -v strace > /dev/null || fail "strace is missing"
servers_up
pool=$(process_pid n1 pool)
expect "an operator's word is stored before it is answered" eval 'ctl n1 drain r1 && stored r1'

syslog_mark n1
disk_does delay_enter=10000000
# shellcheck disable=SC2086
set -- $server_pids
{ ctl n1 drain r2 > "$LAB/answer"; echo $? > "$LAB/answered"; } &
within 2 "the disk hangs: what was asked for is in force" since n1 'server=r2 .*from=up to=drained'
kill "$3"
within 3 "verdicts go on" since n1 'server=r3 .*from=up to=down'
within 1 "and so does the control socket" healthy_is n1 2
expect "what is not stored is not answered" not answered
within 7 "but for so long only" answered
expect "with a word about it" grep -q 'warning: .*not stored yet' "$LAB/answer"
within 5 "which the log has as well" since n1 'event=pool reason=system .*state directory'
disk_is_well
within 20 "the disk is back: it is stored" stored r2

cp "$LAB/n1.lib/overrides" "$LAB/before"
disk_does error=ENOSPC
expect "no room: it is in force" eval 'ctl n1 disable r1 > "$LAB/answer"'
expect "and the operator is told what that means" grep -q 'warning: .*No space left on device.*restart' "$LAB/answer"
expect "what was stored is whole" cmp "$LAB/n1.lib/overrides" "$LAB/before"
expect "and nothing lies beside it" not test -e "$LAB/n1.lib/overrides.new"
disk_is_well
expect "room again" eval 'ctl n1 disable r2 > "$LAB/answer" && ! grep -q stored "$LAB/answer"'
expect "all of it is stored" [ "$(jq -c '[.[] | .state]' "$LAB/n1.lib/overrides")" = '["disabled","disabled"]' ]
