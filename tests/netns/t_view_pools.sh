#!/bin/bash
# A router with two pools: a small one whose server answers the standby and not the active is a reason
# to hand over, however many servers the other pool has. One that is dead for both is none, and does
# not hide the next one.
. "$(dirname "$0")/../lib/scenario.sh"
probe='probe = { type = "tcp"; interval_ms = 200; timeout_ms = 150; fall = 2; rise = 1; };'
pool="virtual_servers = (
  { name = \"small\"; router = \"web\"; listen = \"10.77.0.100:7000\"; $probe
    real_servers = ( { name = \"s1\"; address = \"10.88.0.21:7000\"; } ); },
  { name = \"other\"; router = \"web\"; listen = \"10.77.0.100:7001\"; $probe
    real_servers = ( { name = \"o1\"; address = \"10.88.0.22:7000\"; } ); },
  { name = \"big\"; router = \"web\"; listen = \"10.77.0.100:7002\"; $probe
    real_servers = ( $(for k in 1 2 3 4 5 6 7 8; do
	echo "{ name = \"b$k\"; address = \"10.88.0.23:700$k\"; }$([ $k = 8 ] || echo ,)"; done) ); } );"

healthy_is()
{
	[ "$(ctl "$1" --json status | jq -c '[.virtual_servers[].healthy]')" = "$2" ]
}

# What a server answers that node is lost on the way.
mute()
{
	in_ns "$1" ip route "$2" blackhole "$3/32"
}

lab_up cross inside reals 3
in_ns_bg r1 "$(lab_tool tcpecho)" r1 7000 > /dev/null
in_ns_bg r2 "$(lab_tool tcpecho)" r2 7000 > /dev/null
other=$!
for k in 1 2 3 4 5 6 7 8; do in_ns_bg r3 "$(lab_tool tcpecho)" r3 700$k > /dev/null; done
keyed_conf 100 'prefer = "lb1"; standby = "hot";' '' "$pool"
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || exit 1
start_tandemd n2 "$LAB/tandem.conf"
wait_role n2 web backup && wait_for 5 peer_is n1 up || exit 1
wait_for 5 healthy_is n1 '[1,1,8]' && wait_for 5 healthy_is n2 '[1,1,8]' || fail "the servers are not up"

# Dead for both: nobody moves.
before=$(roles_logged)
kill $other
within 6 "a pool that died is down for both" healthy_is n1 '[1,0,8]'
within 6 "on the standby as well" healthy_is n2 '[1,0,8]'
sleep 1.5
expect "and nobody moves" [ "$(roles_logged)" = "$before" ]

ping_start $vip
mute r1 add 10.88.0.11
within 6 "a pool is dead here and alive there: the active hands over" role_is n2 web active
within 2 "and says why" logged n1 event=pool router=web from=as-good to=worse reason=peer-sees-more own_lost=2 peer_lost=1
sleep 0.3
ping_stop > "$LAB/report"
expect "without a lost ping" eval '[ "$(jq .lost "$LAB/report")" = 0 ]'
sleep 1.5
expect "it stays where it is" role_is n2 web active
mute r1 del 10.88.0.11
within 6 "healed, the former active sees it again" healthy_is n1 '[1,0,8]'
within 2 "and is as good" logged n1 event=pool router=web from=worse to=as-good
