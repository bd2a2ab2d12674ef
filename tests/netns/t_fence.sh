#!/bin/bash
# The egress fence: a node whose daemon sleeps is silent on the wire within fence_ms although its
# kernel still has the address; the standby takes over without waiting for the lease. Nothing of it
# is left after stop, crash and reload, nobody else's table is touched, and where the kernel refuses
# the lease alone is in force and that is said.
. "$(dirname "$0")/../lib/scenario.sh"
fence_ms=300
slack_ms=50

# Where the machine's own kernel has no egress hook, the real thing is a virtual machine.
egress='table netdev t { chain c { type filter hook egress device lo priority 0; }; }'
if [ -z "${TANDEM_IN_VM:-}" ] && ! unshare -n nft -f - <<< "$egress" 2> /dev/null; then
	echo "bed: this kernel has no egress hook; the test runs in QEMU"
	TANDEM_BED=vm exec "$(dirname "$0")/../vm/run" "$0"
fi
[ -z "${TANDEM_IN_VM:-}" ] || slack_ms=1000 # emulation: what is measured is whether, not how fast

fence_is()
{
	[ "$(ctl "$1" --json status 2> /dev/null | jq -r '.routers[0].fence')" = "$2" ]
}

tables()
{
	in_ns "$1" nft list tables | grep -c 'netdev tandem-'
}

no_table()
{
	[ "$(tables "$1")" = 0 ]
}

one_table()
{
	[ "$(tables "$1")" = 1 ]
}

strangers()
{
	in_ns n1 nft list table netdev strange | md5sum
}

everybody()
{
	# shellcheck disable=SC2046
	kill "-$1" $(daemon_pids n1)
}

# Who answers for the address on the wire, by MAC.
answerers()
{
	in_ns c arping -c 2 -w 1 -I eth0 $vip | grep -oE '\[[0-9A-Fa-f:]{17}\]' | sort -u | wc -l
}

# Sleep of all processes: for how long did the address still answer? In $audible, ms.
fall_asleep()
{
	local from to

	ping_start $vip 5
	sleep 0.2
	from=$(date +%s%N)
	everybody STOP
	sleep 0.7
	to=$(date +%s%N)
	has_address n1 $vip || fail "the kernel has lost the address already"
	ping_stop > "$LAB/report"
	audible=$(((to - from) / 1000000 - $(jq '.longest_gap_ms | floor' "$LAB/report")))
	echo "silent $audible ms after the processes fell asleep: $(cat "$LAB/report")"
}

lab_up cross
in_ns n1 nft -f - <<- END
	table netdev strange {
		chain out { type filter hook egress device "eth0" priority 5; ip saddr 10.77.0.99 drop; }
	}
END
before=$(strangers)

# Alone: the fence by itself.
keyed_conf 100 'prefer = "lb1"; fence = "egress";'
cp "$LAB/tandem.conf" "$LAB/fenced.conf"
keyed_conf 100 'prefer = "lb1";'
cp "$LAB/tandem.conf" "$LAB/plain.conf"
cp "$LAB/fenced.conf" "$LAB/tandem.conf"
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || fail "n1 does not become active"
expect "the fence is in force" fence_is n1 egress
expect "and is told" logged n1 event=fence reason=fence-set fence=egress
fall_asleep
expect "silent within fence_ms and a little" test $audible -le $((fence_ms + slack_ms))
expect "but not before the last interval's end" test $audible -ge $((fence_ms - 100 - slack_ms))
expect "nobody answers ARP" test "$(answerers)" = 0
expect "the kernel still has the address" has_address n1 $vip
everybody CONT
within 2 "who wakes withdraws first" logged n1 event=role from=active to=backup "reason=(woke-late|lease-lapsed)"
wait_role n1 web active || fail "n1 does not become active again"
within 2 "and is heard again" client_reaches $vip

# A pair: nobody waits for the lease, and never do two answer.
start_tandemd n2 "$LAB/tandem.conf"
wait_role n2 web backup || fail "n2 does not become backup"
within 2 "both see each other" peer_is n1 up
syslog_mark n2
everybody STOP
within 1 "the standby does not wait for the lease" role_is n2 web active
expect "because nobody answered" not eval 'syslog_since n2 | grep -q address-answered'
expect "the sleeper's kernel has the address too" has_address n1 $vip
expect "one node answers" test "$(answerers)" = 1
everybody CONT
within 2 "the sleeper gives it up" only_holder n2 $vip
expect "one node answers, still" test "$(answerers)" = 1
expect "switchover back" ctl n2 switchover
wait_role n1 web active || fail "n1 does not take over"
stop_node n2
expect "stopped: no table" no_table n2

# Crash of the election process, somebody else's flush, reloads.
ping_start $vip
kill -KILL "$(process_pid n1 election)"
within 2 "a successor goes on" logged n1 event=role from=init to=active reason=resumed
within 2 "with a fence" fence_is n1 egress
expect "that was left over" logged n1 event=fence reason=leftover
expect "and is one" one_table n1
rules=$(in_ns n1 nft list table netdev strange)
in_ns n1 nft flush ruleset
within 1 "a table that somebody removed is put back" one_table n1
within 1 "and that is told" logged n1 event=fence router=web reason=fence-removed
in_ns n1 nft -f - <<< "$rules"
syslog_mark n1
cp "$LAB/plain.conf" "$LAB/tandem.conf"
expect "reload: off" ctl n1 reload
within 1 "the lease alone" fence_is n1 lease
within 1 "no table" no_table n1
cp "$LAB/fenced.conf" "$LAB/tandem.conf"
expect "reload: on" ctl n1 reload
within 1 "the fence again" fence_is n1 egress
expect "no role has changed" test "$(role_changes n1)" = 0
ping_stop > "$LAB/report"
report=$(cat "$LAB/report")
expect "no ping lost in all that: $report" test "$(jq .lost <<< "$report")" -le 20
kill9_all n1
sleep 0.4
expect "killed altogether: silent" test "$(answerers)" = 0
expect "with the table" one_table n1
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || fail "n1 does not become active"
within 2 "started again: heard" client_reaches $vip
expect "with one table" one_table n1
name=$(in_ns n1 nft list tables | awk '/tandem-/ {print $3}')
stop_node n1
expect "stopped: no table" no_table n1

# Refused: by a table of that name that is somebody else's, and by a kernel without netfilter.
mkfifo "$LAB/commands"
exec 8<> "$LAB/commands"
in_ns n1 nft -i < "$LAB/commands" > /dev/null &
owner=$!
LAB_PIDS+=($owner)
echo "add table netdev $name { flags owner; }" >&8
within 2 "somebody owns the name" one_table n1
refused()
{
	wait_role n1 web active || fail "n1 does not become active"
	expect "$1: that is told" logged n1 event=fence reason=fence-refused fence=lease "detail=.*$2"
	expect "$1: the lease is in force" fence_is n1 lease
	expect "$1: the address is heard" client_reaches $vip
	expect "$1: once" test "$(grep -c fence-refused "$LAB/n1.syslog")" = 1
	stop_node n1
	: > "$LAB/n1.syslog"
}
start_tandemd n1 "$LAB/tandem.conf"
refused "owned" "not permitted"
echo quit >&8
wait $owner
daemon=$TANDEM_BUILD/tandemd
mkdir "$LAB/bin"
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$(lab_tool nonetfilter)" "$daemon" > "$LAB/bin/tandemd"
chmod +x "$LAB/bin/tandemd"
TANDEM_BUILD=$LAB/bin start_tandemd n1 "$LAB/tandem.conf"
refused "no netfilter" "no nf_tables"
expect "nobody's table is left" no_table n1
expect "the strange one is as it was" test "$(strangers)" = "$before"
