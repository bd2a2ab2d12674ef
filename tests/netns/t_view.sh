#!/bin/bash
# Is it the server or is it me? The active of a keyed pair loses the real servers, and the standby does
# not: it hands over. Servers that are down for both move nothing.
. "$(dirname "$0")/../lib/servers.sh"

servers_up
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
servers_die
within 6 "servers that died are down for both" healthy_is n1 0
within 6 "on the active as well" healthy_is n2 0
sleep 1.5
expect "and nobody moves" [ "$(roles_logged)" = "$before" ]
