#!/bin/bash
# Is it the server or is it me? The active of a keyed pair loses the real servers, and the standby does
# not: it hands over. Servers that are down for both move nothing.
. "$(dirname "$0")/../lib/scenario.sh"
pool='virtual_servers = ( { name = "echo"; router = "web"; listen = "10.77.0.100:7000";
  probe = { type = "tcp"; interval_ms = 200; timeout_ms = 150; fall = 2; rise = 1; };
  real_servers = ( { name = "r1"; address = "10.88.0.21:7000"; }, { name = "r2"; address = "10.88.0.22:7000"; },
                   { name = "r3"; address = "10.88.0.23:7000"; } ); } );'

healthy_is()
{
	[ "$(ctl "$1" --json status | jq '.virtual_servers[0].healthy')" = "$2" ]
}

servers()
{
	local i

	for i in 1 2 3; do
		in_ns_bg r$i "$(lab_tool tcpecho)" r$i 7000 > /dev/null
		echo $!
	done
}

lab_up cross inside reals 3
servers > "$LAB/pids"
keyed_conf 100 'prefer = "lb1"; standby = "hot";' '' "$pool"
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || exit 1
start_tandemd n2 "$LAB/tandem.conf"
wait_role n2 web backup && wait_for 5 peer_is n1 up || exit 1
wait_for 5 healthy_is n1 3 && wait_for 5 healthy_is n2 3 || fail "the servers are not up"

ping_start $vip
silent_loss n1 eth1
within 6 "the active that alone has lost the servers hands over" role_is n2 web active
within 2 "and says why" logged n1 event=pool router=web from=as-good to=worse reason=peer-sees-more
within 2 "it is backup" role_is n1 web backup
sleep 0.3
ping_stop > "$LAB/report"
expect "and is taken for no stranger" not logged n1 event=conflict
expect "without a lost ping" eval '[ "$(jq .lost "$LAB/report")" = 0 ]'
expect "the new active sees all servers" healthy_is n2 3
silent_heal n1 eth1
within 6 "healed, the former active sees them again" healthy_is n1 3
sleep 1
expect "and stays in reserve" role_is n1 web backup

# Down for both.
before=$(roles_logged)
while read -r pid; do kill "$pid"; done < "$LAB/pids"
within 6 "servers that died are down for both" healthy_is n1 0
within 6 "on the active as well" healthy_is n2 0
sleep 1.5
expect "and nobody moves" [ "$(roles_logged)" = "$before" ]
