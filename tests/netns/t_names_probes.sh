#!/bin/bash
# Names of sorry servers, of what probes and agents ask, and of tracked probes, by a name server whose zone
# changes under the daemon: nothing waits for a name, an unresolved tracked probe moves no role, another
# address is asked with the verdict as it was, and last addresses outlive a restart without the name server.
. "$(dirname "$0")/../lib/scenario.sh"
zone()
{
	printf '%s\n' "$@" > "$LAB/zone.new"
	mv "$LAB/zone.new" "$LAB/zone"
}

# That name server and nothing else.
resolver_of()
{
	echo '127.0.0.1 localhost' > "$LAB/hosts"
	echo 'hosts: files dns' > "$LAB/nsswitch.conf"
	printf 'nameserver 10.88.0.24\noptions timeout:1 attempts:1\n' > "$LAB/resolv.conf"
	in_ns "$1" mount --bind "$LAB/hosts" /etc/hosts
	in_ns "$1" mount --bind "$LAB/nsswitch.conf" /etc/nsswitch.conf
	in_ns "$1" mount --bind "$LAB/resolv.conf" "$(readlink -f /etc/resolv.conf)"
}

# server_is NAME KEY VALUE; track_is and virtual_is likewise
server_is()
{
	[ "$(ctl n1 --json status | jq -r --arg n "$1" \
		".virtual_servers[0].real_servers[] | select(.name == \$n) | .$2 | tostring")" = "$3" ]
}

track_is()
{
	[ "$(ctl n1 --json status | jq -r --arg n "$1" --arg k "$2" \
		'.routers[0].track[] | select(.name == $n) | .[$k] | tostring')" = "$3" ]
}

virtual_is()
{
	[ "$(ctl n1 --json status | jq -r --arg k "$1" '.virtual_servers[0][$k] | tostring')" = "$2" ]
}

probes='interval_ms = 200; timeout_ms = 150; fall = 2; rise = 1; '
track="track = { probes = ( { name = \"db\"; address = \"db.example.net:7000\"; resolve_s = 1; $probes },
  { name = \"lean\"; address = \"lean.example.net\"; port = 7000; resolve_s = 1; weight = 10; $probes },
  { name = \"self\"; address = \"localhost\"; type = \"icmp\"; resolve_s = 1; $probes } ); };"
pool="virtual_servers = ( { name = \"echo\"; router = \"web\"; listen = \"10.77.0.100:7000\"; resolve_s = 1;
  sorry_server = \"sorry.example.net:7000\"; probe = { type = \"tcp\"; address = \"health.example.net\"; $probes };
  real_servers = ( { name = \"r1\"; address = \"10.88.0.21:7000\"; },
    { name = \"r2\"; address = \"10.88.0.22:7000\"; probe = { address = \"10.88.0.22\"; };
      agent = { port = 7000; address = \"agent.example.net\"; interval_ms = 300; timeout_ms = 200; }; },
    { name = \"r3\"; address = \"10.88.0.23:7000\"; probe = { type = \"any\"; probes = (
      { type = \"tcp\"; address = \"three.example.net\"; $probes }, { type = \"tcp\"; port = 9; $probes } ); }; },
    { name = \"r4\"; address = \"10.88.0.24:7000\"; probe = { type = \"exec\"; command = \"$PWD/none\";
      address = \"told.example.net\"; $probes }; } ); } );"
lab_up inside reals 4
for i in 1 2 3; do
	in_ns_bg r$i "$(lab_tool tcpecho)" r$i 7000 > /dev/null
	echo_pid[i]=$!
done
in_ns_bg r4 "$(lab_tool nameserver)" 10.88.0.24 "$LAB/zone" > /dev/null
resolver_of n1
chmod 755 "$LAB"
printf '#!/bin/sh\necho "$TANDEM_ADDRESS" >> "%s/told"\n' "$LAB" > "$LAB/tell"
chmod 755 "$LAB/tell"
install -m 666 /dev/null "$LAB/told"
pool=${pool/"$PWD/none"/"$LAB/tell"}
conf 100 "prefer = \"lb1\"; standby = \"hot\"; $track" "$pool"

start_tandemd n1 "$LAB/tandem.conf"
within 4 "active, while no name is answered" role_is n1 web active
expect "a tracked probe by name has no verdict" track_is db up null
expect "unresolved" track_is db reason unresolved
expect "and is shown by its name" track_is db address db.example.net:7000
expect "its weight counts as if it were well" [ "$(ctl n1 --json status | jq '.routers[0].priority')" = 160 ]
within 3 "a name of this node itself is asked on loopback" track_is self up true
expect "at its address" track_is self address 127.0.0.1
expect "a sorry server by name" virtual_is sorry_server sorry.example.net:7000
expect "is not probed" virtual_is sorry_health unknown
expect "a probe at a name is not made" server_is r1 probed false
expect "and its server is unknown" server_is r1 health unknown
expect "unresolved" server_is r1 reason unresolved
within 3 "one with an address of its own is" server_is r2 health up
expect "in a group nothing is known of it" server_is r3 members[0].reason unresolved
within 8 "the log: a tracked probe" logged n1 event=track router=web name=db kind=probe host=db.example.net reason=unresolved
within 3 "a sorry server" logged n1 event=server server=sorry_server virtual=echo host=sorry.example.net reason=unresolved
within 3 "a probe" logged n1 event=probe server=r1 virtual=echo host=health.example.net reason=unresolved
within 3 "an agent" logged n1 event=agent server=r2 virtual=echo host=agent.example.net reason=unresolved

zone 'db.example.net 10.88.0.21' 'lean.example.net 10.88.0.22' 'health.example.net 10.88.0.23' \
	'health.example.net 10.88.0.21' 'agent.example.net 10.88.0.22' 'three.example.net 10.88.0.23' \
	'sorry.example.net 10.88.0.21' 'told.example.net 10.88.0.9'
within 8 "the name server is there: the tracked probe is asked" track_is db up true
expect "at its address" track_is db address 10.88.0.21:7000
expect "with its name" track_is db host db.example.net
within 4 "another one likewise" track_is lean up true
within 4 "a server is up" server_is r1 health up
expect "by the lowest address of its probe" server_is r1 probe_address 10.88.0.21
expect "with its name" server_is r1 probe_host health.example.net
expect "told" logged n1 event=probe server=r1 virtual=echo host=health.example.net reason=resolved address=10.88.0.21
within 4 "a group is up" server_is r3 health up
within 4 "the agent is asked" server_is r2 agent.said r2
within 4 "a program is told the address" eval 'grep -q "^10.88.0.9$" "$LAB/told"'
expect "a sorry server at a server's address is none" virtual_is sorry_server sorry.example.net:7000 # r1 is there
expect "and nobody waits for a name" virtual_is mode serving

zone 'db.example.net 10.88.0.22' 'lean.example.net 10.88.0.22' 'health.example.net 10.88.0.22' \
	'agent.example.net 10.88.0.22' 'three.example.net 10.88.0.23' 'sorry.example.net 10.88.0.9' \
	'told.example.net 10.88.0.10'
within 5 "another address is asked" track_is db address 10.88.0.22:7000
expect "told" logged n1 event=track name=db reason=resolved was=10.88.0.21:7000 address=10.88.0.22:7000
within 5 "a server's probe follows" server_is r1 probe_address 10.88.0.22
within 5 "a program's, too" eval 'grep -q "^10.88.0.10$" "$LAB/told"'
within 5 "the sorry server" virtual_is sorry_server 10.88.0.9:7000
within 5 "which is probed, and nobody is there" virtual_is sorry_health down
kill "${echo_pid[1]}"
sleep 1
expect "where it was asked before nobody is missed" server_is r1 health up
expect "nor by the router" role_is n1 web active
expect "no verdict was given up" [ "$(grep -c 'event=server server=r1 .*from=' "$LAB/n1.syslog")" = 1 ]
kill "${echo_pid[2]}"
within 3 "where it is asked now somebody is" track_is db up false
within 3 "the node is not fit" logged n1 event=track router=web name=db to=down
within 3 "the server is down" server_is r1 health down
in_ns_bg r2 "$(lab_tool tcpecho)" r2 7000 > /dev/null
within 4 "and back" track_is db up true

rm "$LAB/zone"
within 8 "a name that is not answered: told" logged n1 event=track name=db host=db.example.net reason=unresolved kept=10.88.0.22:7000
expect "the address is kept" track_is db address 10.88.0.22:7000
stop_node n1
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || exit 1
within 3 "a restart without a name server has the last addresses" track_is db up true
expect "of all" virtual_is sorry_server 10.88.0.9:7000
within 3 "probes" server_is r1 health up
within 3 "and of this node itself" track_is self up true
sed -i 's/name = "db"; address = "db.example.net/name = "db"; address = "gone.example.net/; s/resolve_s = 1; *sorry/resolve_s = 2; sorry/' "$LAB/tandem.conf"
expect "a reload with another name" ctl n1 reload
within 3 "is without a verdict" track_is db up null
expect "and changes nothing else" server_is r1 health up
expect "the router stays" role_is n1 web active
