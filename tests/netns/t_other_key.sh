#!/bin/bash
# One of the two nodes has another key, or none yet: neither believes the other, both are alive. Who
# has the address keeps it, however long that lasts, and the operator is told what to look at; who
# stops or dies is followed as ever.
. "$(dirname "$0")/../lib/scenario.sh"

conf_of()
{
	sed "s|key_file = \"[^\"]*\"|key_file = \"$LAB/key.$1\"|" "$LAB/tandem.conf" > "$LAB/$1.conf"
}

# Longer than a lease and its slack: until then a standby would have waited anyway.
one_holder_for_long()
{
	local end=$((SECONDS + 7))

	while [ $SECONDS -lt $end ]; do
		only_holder "$1" $vip || return 1
		sleep 0.05
	done
}

lab_up cross
keyed_conf 100
cp "$LAB/key" "$LAB/key.n1"
cp "$LAB/key" "$LAB/key.n2"
conf_of n1
conf_of n2
start_tandemd n1 "$LAB/n1.conf"
wait_role n1 web active || fail "n1 does not become active"
start_tandemd n2 "$LAB/n2.conf"
wait_role n2 web backup || fail "n2 does not become backup"
within 2 "both see each other" peer_is n1 up
syslog_mark n1
syslog_mark n2
ping_start $vip
(umask 077; openssl rand -hex 32 > "$LAB/key.n2")
expect "the standby is given another key" ctl n2 reload
within 3 "its own side says why it waits" logged n2 event=conflict reason=peer-disbelieved router=web 'detail=.*key files'
expect "nobody takes over" one_holder_for_long n1
expect "no role has changed" test "$(($(role_changes n1) + $(role_changes n2)))" = 0
within 1 "the active misses its standby" logged n1 event=peer reason=peer-lost
ping_stop > "$LAB/lost.json"
expect "no ping lost: $(cat "$LAB/lost.json")" test "$(jq .lost "$LAB/lost.json")" = 0

# Started with it, too.
stop_node n2
start_tandemd n2 "$LAB/n2.conf"
wait_role n2 web backup || fail "n2 does not become backup again"
expect "started beside it: nobody takes over" one_holder_for_long n1

# The disbelieved one dies, and comes back as the one that would rather be active.
kill9_all n1
within 7 "killed: followed when its lease has ended" only_holder n2 $vip
start_tandemd n1 "$LAB/n1.conf"
wait_role n1 web backup || fail "n1 does not become backup"
expect "preferred, and waits all the same" one_holder_for_long n2
cp "$LAB/key.n1" "$LAB/key.n2"
expect "the key is put right" ctl n2 reload
within 3 "they know each other" peer_is n1 up
expect "and nothing moves" only_holder n2 $vip

# A standby without a key hears the active; one that requires a key and hears none waits.
stop_node n1
sed 's/key_file = "[^"]*";//; s/links = ([^)]*);//' "$LAB/n2.conf" > "$LAB/plain.conf"
cp "$LAB/plain.conf" "$LAB/n2.conf"
expect "the active loses its key" ctl n2 reload
start_tandemd n1 "$LAB/n1.conf"
wait_role n1 web backup || fail "n1 does not become backup"
syslog_mark n1
expect "unsigned: nobody takes over" one_holder_for_long n2
stop_node n2
within 3 "and is followed when it stops" only_holder n1 $vip
