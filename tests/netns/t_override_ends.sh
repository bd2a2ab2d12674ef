#!/bin/bash
# What operators change for a time ends when that time is over, whatever the wall clock is set to: while
# the daemon runs, over a restart, and no later after a boot.
. "$(dirname "$0")/../lib/servers.sh"
. "$(dirname "$0")/../lib/clock.sh"

# state_is SERVER STATE, an operator's; null: none
state_is()
{
	[ "$(ctl n1 --json status | jq -r --arg r "$1" \
		'.virtual_servers[0].real_servers[] | select(.name == $r) | .override.state')" = "$2" ]
}

# Seconds that are left by what is shown.
left()
{
	ctl n1 --json status | jq --argjson now "$(with_clock n1 date +%s)" \
		'.virtual_servers[0].real_servers[] | select(.name == "r1") | .override.until_s - $now'
}

is_left()
{
	local s

	s=$(left)
	[ "$s" -gt $(($1 - 60)) ] && [ "$s" -le $(($1 + 1)) ]
}

starts()
{
	with_clock n1 start_tandemd n1 "$LAB/tandem.conf"
	wait_role n1 web active || fail "n1 does not become active"
	has_own_clock n1 pool || fail "and has no wall clock of its own"
}

stored()
{
	[ "$(jq -r ".[0].$1" "$LAB/n1.lib/overrides")" = "$2" ]
}

lab_up cross inside
keyed_conf 100 'prefer = "lb1"; standby = "hot";' '' "$pool"
ahead n1 0
starts
expect "a drain for an hour" ctl n1 drain r1 --for 1h
expect "and one that will end" ctl n1 disable r2 --for 6s
ahead n1 -$ten_years
within 9 "the clock is set back: an end comes when it should" state_is r2 null
expect "the other one has not come" state_is r1 drained
expect "what is left of it is shown" is_left 3600
ahead n1 $ten_years
sleep 2.2 # ends are looked for each second
expect "the clock is set forward: nothing ends" state_is r1 drained
expect "what is left is the same" is_left 3600
stop_node n1
ahead n1 0
starts
expect "a restart by another clock: nothing ends" state_is r1 drained
expect "and nothing is longer" is_left 3600

stop_node n1
jq '.[0].boot = "00000000-0000-0000-0000-000000000000"' "$LAB/n1.lib/overrides" > "$LAB/edited"
cat "$LAB/edited" > "$LAB/n1.lib/overrides"
ahead n1 -$ten_years
starts
expect "a boot by a clock that is behind: no longer than it was" is_left 3600
within 3 "it is stored as of this boot" stored boot "$(cat /proc/sys/kernel/random/boot_id)"
stop_node n1
jq '[.[0] | del(.boot, .since_ns, .until_ns, .left_s)]' "$LAB/n1.lib/overrides" > "$LAB/edited"
cat "$LAB/edited" > "$LAB/n1.lib/overrides"
starts
expect "a file of old is read" is_left 3600
ahead n1 0
within 3 "the clock is set: it is stored by that one" eval '[ "$(jq ".[0].until_s" "$LAB/n1.lib/overrides")" -gt "$(date +%s)" ]'
expect "an operator undoes it" ctl n1 enable r1
expect "it is undone" state_is r1 null
