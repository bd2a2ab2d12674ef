#!/bin/bash
# What an operator removes and adds again: a server that was configured comes back as configured, or where
# the operator says; another one may take its address; the last one stays, and tandemctl says so.
. "$(dirname "$0")/../lib/servers.sh"

# The servers of n1, as "name address weight" each.
servers_are()
{
	[ "$(ctl n1 --json status | jq -r '[.virtual_servers[0].real_servers[] | "\(.name) \(.address) \(.weight)"] | join(", ")')" = "$1" ]
}

overrides_are()
{
	[ "$(jq -c . "$LAB/n1.lib/overrides")" = "$1" ]
}

refused()
{
	ctl "$@" > "$LAB/answer" 2>&1
	[ $? = 2 ]
}

servers_up
r3='r3 10.88.0.23:7000 1'
sed -i 's/"10.88.0.21:7000"; }/"10.88.0.21:7000"; weight = 4; }/' "$LAB/tandem.conf"
expect "a server of weight 4" ctl n1 reload
expect "removed" ctl n1 remove r1
expect "is gone" servers_are "r2 10.88.0.22:7000 1, $r3"
expect "added again" ctl n1 add echo r1 10.88.0.21:7000
expect "it is as configured" servers_are "r1 10.88.0.21:7000 4, r2 10.88.0.22:7000 1, $r3"
expect "nothing is overridden" overrides_are '[]'
expect "status says so" not grep -q operator <(ctl n1 status)
expect "removed" ctl n1 remove r1
expect "and added with another weight" ctl n1 add echo r1 10.88.0.21:7000 --weight 2
expect "it has that one" overrides_are '[{"virtual":"echo","server":"r1","weight":2}]'
expect "which can be undone" ctl n1 weight r1 default
expect "and is" overrides_are '[]'
expect "removed" ctl n1 remove r1
expect "and added with the configured weight" ctl n1 add echo r1 10.88.0.21:7000 --weight 4
expect "no operator stands in the way of its agent" overrides_are '[]'

expect "removed" ctl n1 remove r1
expect "and added elsewhere" ctl n1 add echo r1 10.88.0.21:7001 --weight 3
expect "it is there" servers_are "r2 10.88.0.22:7000 1, $r3, r1 10.88.0.21:7001 3"
stop_node n1
start_tandemd n1 "$LAB/tandem.conf"
within 5 "after a restart, too" servers_are "r2 10.88.0.22:7000 1, $r3, r1 10.88.0.21:7001 3"
expect "removed once more" ctl n1 remove r1
expect "it is gone" servers_are "r2 10.88.0.22:7000 1, $r3"
expect "another name for its address" ctl n1 add echo spare 10.88.0.21:7000
expect "is there" servers_are "r2 10.88.0.22:7000 1, $r3, spare 10.88.0.21:7000 1"
expect "its address is taken" refused n1 add echo r1 10.88.0.21:7000
expect "removed" ctl n1 remove spare

expect "drained for a while" eval 'ctl n1 drain r2 --for 20m > "$LAB/answer"'
expect "which is said" grep -q "undone in 1[12][0-9][0-9] s" "$LAB/answer"
expect "without an end" eval 'ctl n1 drain r2 > "$LAB/answer"'
expect "there is none" not grep -q undone "$LAB/answer"
expect "enabled" eval 'ctl n1 enable r2 > "$LAB/answer"'
expect "the last but one is removed" ctl n1 remove r2
expect "the last one stays" refused n1 remove r3
expect "and why is said" grep -q "refused: .*only server" "$LAB/answer"
expect "it is there" servers_are "$r3"
