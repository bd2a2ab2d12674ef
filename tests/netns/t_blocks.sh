#!/bin/bash
# Blocks: a whole prefix is claimed, announced, served, taken over, given up and repaired with the
# address that carries it.
. "$(dirname "$0")/../lib/scenario.sh"
block=10.78.0.0/20
near='10.78.0.0 10.78.3.4 10.78.15.255' # first, in the middle, last

blocks_conf()
{
	keyed_conf 100 "prefer = \"lb1\"; blocks = ( $1 );"
}

has_route()
{
	ip -n "$(ns "$1")" route show table main type local exact "$2" | grep -q .
}

holds_alone()
{
	local n

	for n in n1 n2; do
		if [ $n = "$1" ]; then
			has_route $n "$2" || return 1
		elif has_route $n "$2"; then
			return 1
		fi
	done
}

mac_of()
{
	ip -n "$(ns "$1")" -j link show eth0 | jq -r '.[0].address'
}

reason_is()
{
	[ "$(ctl "$1" --json status | jq -r '.routers[0].reason')" = "$2" ]
}

# Every one answers the client, who has nothing in its ARP table.
all_answer()
{
	local a

	in_ns c ip neigh flush dev eth0
	for a in $near; do in_ns c ping -c 1 -W 1 -q "$a" > /dev/null || return 1; done
}

# The client has heard, and did not ask, that those addresses are at NODE.
told_to_client()
{
	local a

	for a in $near; do
		ip -n "$(ns c)" neigh show "$a" dev eth0 | grep -q "$(mac_of "$1")" || return 1
	done
}

lab_up cross
ip -n "$(ns c)" route add 10.78.0.0/16 dev eth0
in_ns c sysctl -qw net.ipv4.neigh.eth0.locktime=0
blocks_conf "\"$block\", \"10.78.16.7/32\""
pair
within 2 "the active claims the block" holds_alone n1 $block
within 2 "and the small one" holds_alone n1 10.78.16.7
within 2 "they know each other" peer_is n1 up
expect "all over the block it answers" all_answer
expect "the status has the blocks" test "$(ctl n1 --json status | jq -c '.routers[0].blocks')" = '["10.78.0.0/20","10.78.16.7/32"]'
expect "the table counts them" eval 'ctl n1 status | grep -q "10.77.0.100/24 + 2 blocks"'
within 2 "every address was announced" logged n1 event=announce router=web addresses=4097

# The standby's ears for ARP know which prefix to sleep through (linux/wire.c; 10.78.0.0 in its filter).
expect "the standby does not wake for each of them" eval "in_ns n2 ss -0 -b | grep 'bpf filter' | grep -q $((10 << 24 | 78 << 16))"

# somebody takes the route away
syslog_mark n1
ip -n "$(ns n1)" route del local $block dev eth0 table main
within 1 "removed by somebody: it is back at once" has_route n1 $block
within 1 "which is told" logged n1 event=address reason=address-removed block=10.78.0.0/20
expect "and changes no role" test "$(role_changes n1)" = 0

# takeover
cable_pull n1 eth0
within 1 "cable pulled: the standby has it" has_route n2 $block
within 1 "and the old active has not" holds_alone n2 $block
within 1 "the client was told where, address by address" told_to_client n2
expect "the client is served" all_answer
cable_plug n1 eth0
within 3 "they know each other again" path_is n2 eth0 up true

# reload
blocks_conf "\"$block\", \"10.78.32.0/24\""
expect "reload n1" ctl n1 reload
expect "reload n2" ctl n2 reload
within 1 "reloaded: the new block is there" has_route n2 10.78.32.0/24
within 1 "the one that is gone is not" not has_route n2 10.78.16.7
expect "the other one still is" has_route n2 $block

# a crash, and what it leaves
syslog_mark n2
kill -KILL "$(process_pid n2 election)"
within 3 "the election process comes back and goes on" reason_is n2 resumed
expect "nothing has moved" holds_alone n2 $block
within 2 "the block is adopted" logged n2 event=address reason=leftover adopted=10.78.0.0/20
ip -n "$(ns n1)" route add local 10.78.48.0/24 dev eth0 table main proto 84
kill -KILL "$(process_pid n1 election)"
within 3 "a route of an earlier life is removed" not has_route n1 10.78.48.0/24
expect "which is told" logged n1 event=address reason=leftover removed=10.78.48.0/24
within 3 "they know each other again" peer_is n2 up

# hung: the lease ends the block
# shellcheck disable=SC2046
kill -STOP $(daemon_pids n2)
within 6 "hung: the block lapses with its lease" not has_route n2 $block
within 2 "the other node has it" holds_alone n1 $block
within 1 "and tells" told_to_client n1
# shellcheck disable=SC2046
kill -CONT $(daemon_pids n2)
within 2 "the sleeper gives way" role_is n2 web backup
expect "there is one holder" holds_alone n1 $block
stop_node n1
expect "a clean stop leaves no block" not has_route n1 $block
within 2 "but at the other node" has_route n2 $block
ip -n "$(ns n2)" rule add from 192.0.2.1 table 100
ip -n "$(ns n2)" route del local $block dev eth0 table main
within 2 "policy routing mutes a block: that is told" logged n2 event=address reason=block-mute
