#!/bin/bash
# A keyed pair with a link: both see each other, carrier loss goes over the link, switchover makes
# before it breaks, a lost standby is told, keys change without a missed beat, a one-way path moves
# nothing.
. "$(dirname "$0")/../lib/scenario.sh"
# Ages of the status are those of the wire, at any moment between two looks of the election.
heard_lately()
{
	for _ in 1 2 3 4 5 6 7 8; do
		ctl "$1" --json status | jq -e '[.peer.last_heard_ms, .peer.links[].last_heard_ms] | max < 500' || return 1
		sleep 0.15
	done
}

lab_up cross
keyed_conf 100
pair
within 2 "the active knows its standby" peer_is n1 up
within 2 "and the standby its active" peer_is n2 up
within 2 "over the service interface" path_is n1 eth0 up true
within 2 "and over the link" path_is n1 cross up true
within 2 "in both directions" path_is n2 cross out true
expect "nobody is refused" not logged n1 event=packet
expect "the active tells when it heard its standby last" heard_lately n1
expect "and the standby its active" heard_lately n2
cable_pull n1 eth0
within 1 "cable pulled: the standby has it at once" only_holder n2 $vip
expect "by a resignation" logged n2 event=role to=active reason=peer-resigned
within 1 "the link goes on" path_is n2 cross up true
within 1 "the service path does not" path_is n2 eth0 up false
cable_plug n1 eth0
within 3 "and comes back" path_is n2 eth0 up true
within 3 "as a standby" role_is n1 web backup
expect "the other one stays active" only_holder n2 $vip
expect "switchover" ctl n2 switchover
within 1 "moves the address" only_holder n1 $vip
expect "switchover is told as such" logged n1 event=role to=active reason=switchover
stop_node n2
within 2 "a standby that stops is missed" logged n1 event=peer reason=peer-lost
expect "switchover without a standby is refused" not ctl n1 switchover
expect "and moves nothing" only_holder n1 $vip
stop_node n1

# A path that only one of the two hears is named and moves nothing.
pair
within 2 "both see each other again" peer_is n1 up
within 2 "in both directions" path_is n1 eth0 out true
syslog_mark n1
syslog_mark n2
in_ns sw bridge link set dev n2.eth0 mcast_flood off
within 4 "a one-way path is named" logged n1 event=link path=eth0 reason=path-one-way
within 1 "on the node that is not heard it is in, not out" path_is n1 eth0 out false
sleep 1
expect "and moves nothing" test "$(($(role_changes n1) + $(role_changes n2)))" = 0
in_ns sw bridge link set dev n2.eth0 mcast_flood on
within 3 "and heals" path_is n1 eth0 out true

# Another key, by three reloads of both nodes.
reload_both()
{
	local n

	for n in n1 n2; do
		expect "reload $n: $1" ctl $n reload
	done
	sleep 0.5
}
syslog_mark n1
syslog_mark n2
old=$(cat "$LAB/key")
new=$(openssl rand -hex 32)
printf '1:%s\n2:%s\n' "$old" "$new" > "$LAB/key"
reload_both "the new key verifies"
printf '2:%s\n1:%s\n' "$new" "$old" > "$LAB/key"
reload_both "the new key signs"
printf '2:%s\n' "$new" > "$LAB/key"
reload_both "the old key is gone"
sleep 0.5
expect "no role has changed" test "$(($(role_changes n1) + $(role_changes n2)))" = 0
expect "no beat was missed" not eval 'syslog_since n1 | grep -E "peer-lost|path-quiet|event=packet"'
expect "on either node" not eval 'syslog_since n2 | grep -E "peer-lost|path-quiet|event=packet"'
chmod 644 "$LAB/key"
expect "a key that others can read is refused" not ctl n1 reload
chmod 600 "$LAB/key"
sed 's/prefer = "lb1"/prefer = "lb2"/' "$LAB/tandem.conf" > "$LAB/other.conf"
cp "$LAB/tandem.conf" "$LAB/same.conf"
cp "$LAB/other.conf" "$LAB/tandem.conf"
expect "a configuration that differs" ctl n1 reload
within 2 "is told on the one node" logged n1 event=config reason=digest-differs
within 2 "and on the other" logged n2 event=config reason=digest-differs
cp "$LAB/same.conf" "$LAB/tandem.conf"
stop_node n1
stop_node n2

# A plain pair becomes a keyed one, a node after the other.
conf 100
cp "$LAB/tandem.conf" "$LAB/n1.conf"
cp "$LAB/tandem.conf" "$LAB/n2.conf"
keyed_conf 100 '' 'authentication = "accept";'
cp "$LAB/tandem.conf" "$LAB/accept.conf"
keyed_conf 100
start_tandemd n1 "$LAB/n1.conf"
wait_role n1 web active || fail "n1 does not become active"
start_tandemd n2 "$LAB/n2.conf"
wait_role n2 web backup || fail "n2 does not become backup"
syslog_mark n1
syslog_mark n2
for file in accept tandem; do
	for n in n1 n2; do
		cp "$LAB/$file.conf" "$LAB/$n.conf"
		expect "reload $n: $file" ctl $n reload
		sleep 1
	done
done
within 3 "they know each other" peer_is n1 up
expect "without a change of roles" test "$(($(role_changes n1) + $(role_changes n2)))" = 0

# The other box takes itself for this one.
stop_node n2
syslog_mark n1
in_ns_bg n2 "$TANDEM_BUILD/tandemd" -F -f "$LAB/tandem.conf" -n lb1 -R "$LAB/n2.run" -S "$LAB/n2.lib" > "$LAB/n2.out" 2>&1
LAB_DAEMON[n2]=$!
within 3 "a box started as this node is told" eval \
	'syslog_since n1 | grep -q "event=packet reason=own-packet interface=eth0 source=10.77.0.12 .*detail="'
stop_node n2
