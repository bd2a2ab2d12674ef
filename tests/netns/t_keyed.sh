#!/bin/bash
# A keyed pair with a link: both see each other, carrier loss goes over the link, switchover makes
# before it breaks, a lost standby is told, keys change without a missed beat, a one-way path moves
# nothing.
. "$(dirname "$0")/../lib/scenario.sh"
lab_up cross
keyed_conf 100
pair
within 2 "the active knows its standby" peer_is n1 up
within 2 "and the standby its active" peer_is n2 up
within 2 "over the service interface" path_is n1 eth0 up true
within 2 "and over the link" path_is n1 cross up true
within 2 "in both directions" path_is n2 cross out true
expect "nobody is refused" not logged n1 event=packet
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
