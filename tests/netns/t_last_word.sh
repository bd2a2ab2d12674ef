#!/bin/bash
# Everything a node says on the service interface is lost on its way out while it takes the place
# over: the neighbours believe the former active. When the way is free the peer hears it again, says
# so, and the holder announces itself at once, not with the refresh a minute later.
. "$(dirname "$0")/../lib/scenario.sh"

# Where the machine's own kernel has no egress hook, the real thing is a virtual machine.
egress='table netdev t { chain c { type filter hook egress device lo priority 0; }; }'
if [ -z "${TANDEM_IN_VM:-}" ] && ! unshare -n nft -f - <<< "$egress" 2> /dev/null; then
	echo "bed: this kernel has no egress hook; the test runs in QEMU"
	TANDEM_BED=vm exec "$(dirname "$0")/../vm/run" "$0"
fi

believed() # NODE
{
	ip -n "$(ns c)" neigh show $vip dev eth0 | grep -q "$(in_ns "$1" cat /sys/class/net/eth0/address)"
}

lab_up cross
in_ns c sysctl -qw net.ipv4.neigh.eth0.locktime=0
keyed_conf 100
pair
within 2 "both see each other" peer_is n2 up
expect "switchover" ctl n1 switchover
within 1 "moves the address" only_holder n2 $vip
expect "the client is served" client_served
expect "by whom it believes" believed n2
in_ns n1 nft 'table netdev mute { chain out { type filter hook egress device "eth0" priority 5; drop; }; }'
expect "back, with nothing leaving the service interface" ctl n2 switchover
within 1 "moves the address" only_holder n1 $vip
sleep 6 # its announcements are over
expect "and were lost" believed n2
in_ns n1 nft delete table netdev mute
within 1 "the way is free: neighbours are told" believed n1
expect "the client is served" client_served
expect "nobody else moved" only_holder n1 $vip
