#!/bin/bash
# Most of a pool falls silent at once: is it them, or is it me? The other node is heard, and where there
# is none our own way is asked; a refusal is an answer and never held.
. "$(dirname "$0")/../lib/servers.sh"

# The health and reason of all, as "up held up held up held"
servers_are()
{
	[ "$(ctl "$1" --json status | jq -r '[.virtual_servers[0].real_servers[] | .health, .reason] | join(" ")')" = "$2" ]
}

held()
{
	logged "$1" event=pool 'from=believed to=held reason=correlated-hold' "$2"
}

since()
{
	syslog_since "$1" | grep -E -- "$2"
}

all()
{
	local i

	for i in 1 2 3; do "$@" r$i eth1; done
}

# Their hosts live, and no answer from their port comes to n2. One stroke for all: one after the other,
# on a machine that is slow to get to them, they would not be most of a pool that falls silent at once.
deaf()
{
	in_ns n2 nft "add table ip lab; add chain ip lab in { type filter hook input priority 0; }; add rule ip lab in tcp sport 7000 drop"
}

hearing()
{
	in_ns n2 nft delete table ip lab
}

# held_ms NODE PATTERN: how long it was held, by the first such line
held_ms()
{
	since "$1" "$2" | sed -n '1s/.*held_ms=\([0-9]*\).*/\1/p'
}

servers_up

# It is me: the active alone has lost them.
syslog_mark n1
silent_loss n1 eth1
within 3 "most of the pool silent at once is held" held n1 'held=[123]'
within 3 "and shown as such" servers_are n1 'up held up held up held'
within 6 "the active that alone has lost them hands over" role_is n2 web active
sleep 2.5
expect "and never believed it, beyond the bound" not since n1 'reason=correlated-hold.*to=down|from=held to=down'
expect "the servers kept their weights" not eval "since n1 'from=up to=down' | grep -v reason=held | grep -q ."
silent_heal n1 eth1
within 6 "healed, they are seen again" healthy_is n1 3
within 2 "and nothing is held any more" logged n1 'from=held to=up reason=correlated-hold held=0'

# It is them: both nodes have lost them.
syslog_mark n1; syslog_mark n2
all silent_loss
within 4 "lost by both: the active believes it" since n1 'from=held to=down reason=correlated-hold.*peer=lost-them'
within 4 "and the standby" since n2 'from=held to=down reason=correlated-hold.*peer=lost-them'
within 2 "they are down" servers_are n2 'down tcp-timeout down tcp-timeout down tcp-timeout'
all silent_heal
within 8 "(back)" healthy_is n2 3
within 8 "(back)" healthy_is n1 3

# Nobody to ask.
stop_node n1
within 3 "(alone)" role_is n2 web active
sleep 3.2
syslog_mark n2
believed='from=held to=down reason=correlated-hold.*peer=unknown path'
deaf
within 3 "alone, and the way answers: believed at once" since n2 "$believed=answers"
ms=$(held_ms n2 "$believed=answers")
expect "after $ms ms" [ "$ms" -lt 1000 ]
within 3 "all of them" servers_are n2 'down tcp-timeout down tcp-timeout down tcp-timeout'
expect "and who falls after the others is not asked about again" [ "$(since n2 'to=held' | wc -l)" = 1 ]
hearing
within 8 "(back)" healthy_is n2 3
syslog_mark n2
silent_loss n2 eth1
within 5 "alone, and nobody answers: believed after the bound" since n2 "$believed=silent"
ms=$(held_ms n2 "$believed=silent")
expect "after $ms ms" eval '[ "$ms" -ge 2000 ] && [ "$ms" -lt 3000 ]'
silent_heal n2 eth1
within 8 "(back)" healthy_is n2 3

# By way of a gateway, among more neighbours than are asked, who were here once and are not now.
in_ns r1 sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth1.send_redirects=0
ip -n "$(ns r1)" address add 10.88.0.200/24 dev eth1
for i in 1 2 3; do
	ip -n "$(ns n2)" route add 10.88.0.2$i/32 via 10.88.0.200 dev eth1
done
sleep 1.5
in_ns n2 ip neighbour flush dev eth1 to 10.88.0.16/28
for i in {60..190}; do
	echo "neighbour replace 10.88.0.$i lladdr 02:00:00:00:01:$(printf %02x $i) dev eth1 nud stale"
done | ip -n "$(ns n2)" -batch -
syslog_mark n2
deaf
within 3 "behind a gateway that answers: believed at once" since n2 "$believed=answers"
ms=$(held_ms n2 "$believed=answers")
expect "after $ms ms" [ "$ms" -lt 1000 ]
hearing
for i in 1 2 3; do
	ip -n "$(ns n2)" route delete 10.88.0.2$i/32
done
within 8 "(back)" healthy_is n2 3

# A refusal proves that the way is there.
syslog_mark n2
servers_die
within 3 "refused by all: down at once" servers_are n2 'down tcp-refused down tcp-refused down tcp-refused'
expect "and not held" not since n2 correlated-hold
