#!/bin/bash
# The wire is asked: a silent peer whose kernel still answers, who of two is cut off, a stranger.
. "$(dirname "$0")/../lib/scenario.sh"

freeze()
{
	# shellcheck disable=SC2046
	kill -STOP $(daemon_pids n1)
}

thaw()
{
	# shellcheck disable=SC2046
	kill -CONT $(daemon_pids n1)
}

# At every look (20 ms) at most one node has the address; ends when $LAB/watching is gone.
watch_holders()
{
	local twice=0

	while [ -e "$LAB/watching" ]; do
		[ "$(holders $vip | wc -w)" -gt 1 ] && twice=$((twice + 1))
		sleep 0.02
	done
	echo "$twice" > "$LAB/twice"
}

lab_up cross
keyed_conf 100
pair
within 2 "both see each other" peer_is n1 up
client_served > /dev/null || fail "the client is not served"
touch "$LAB/watching"
watch_holders &
watcher=$!
freeze
within 2 "the silent node's kernel still answers: that is said" logged n2 event=conflict reason=address-answered
within 6 "the address moves when its lease has lapsed" only_holder n2 $vip
sleep 1
thaw
within 2 "the sleeper gives up first" logged n1 event=role from=active to=backup reason=lease-lapsed
sleep 0.5
rm "$LAB/watching"
wait $watcher
expect "never two holders" test "$(cat "$LAB/twice")" = 0
expect "the other one is still active" role_is n2 web active
stop_node n1
stop_node n2

pair
within 2 "both see each other" peer_is n1 up
client_served > /dev/null || fail "the client is not served"
silent_loss n1 eth0
within 2 "an active that is cut off silently yields over the link" only_holder n2 $vip
expect "and says why" logged n1 event=role from=active to=fault reason=isolated
within 3 "the client is served" client_served
silent_heal n1 eth0
within 3 "healed: it is a standby" role_is n1 web backup
expect "and moves nothing" only_holder n2 $vip
silent_loss n1 eth0
sleep 1
expect "a standby that is cut off moves nothing" only_holder n2 $vip
within 1 "but the path is told as quiet" path_is n2 eth0 up false
silent_heal n1 eth0
within 2 "and comes back" path_is n2 eth0 up true

in_ns c ip address add $vip/32 dev eth0
mac=$(ip -n "$(ns c)" -j link show eth0 | jq -r '.[0].address')
in_ns c arping -q -c 1 -U -I eth0 $vip
within 2 "a stranger with our address is reported with its MAC" logged n2 event=conflict reason=stranger "mac=$mac"
expect "the address stays where it is" only_holder n2 $vip
