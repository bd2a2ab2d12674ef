#!/bin/bash
# Virtual routers of one group, as a director between two LANs has them: "out" on the service LAN and
# "in", the gateway of the servers. Whatever happens to one of them, both are on one node.
. "$(dirname "$0")/../lib/scenario.sh"
gateway=10.88.0.1

# group_conf HEARTBEAT-KEYS ROUTER-KEYS [IN-KEYS]
group_conf()
{
	cat > "$LAB/tandem.conf" <<-END
	nodes = ( { name = "lb1"; address = "10.77.0.11"; }, { name = "lb2"; address = "10.77.0.12"; } );
	heartbeat = { interval_ms = 100; $1 };
	virtual_routers = (
	  { name = "out"; vrid = 51; interface = "eth0"; addresses = ( "$vip/24" ); group = "nat"; $2
	    on_active = "$LAB/hook"; on_backup = "$LAB/hook"; on_fault = "$LAB/hook"; },
	  { name = "in"; vrid = 52; interface = "eth1"; addresses = ( "$gateway/24" ); ${4-group = \"nat\";} $2 ${3:-}
	    on_active = "$LAB/hook"; on_backup = "$LAB/hook"; on_fault = "$LAB/hook"; } );
	END
}

keyed="key_file = \"@LAB@/key\"; links = ( { name = \"cross\"; interface = \"eth2\"; lb1 = \"192.168.255.1\"; lb2 = \"192.168.255.2\"; } );"

both()
{
	only_holder "$1" $vip && only_holder "$1" $gateway && role_is "$1" out active && role_is "$1" in active
}

roles()
{
	role_is "$1" out "$2" && role_is "$1" in "$2"
}

start()
{
	rm -f "$LAB"/n?.hooks
	start_tandemd n1 "$LAB/tandem.conf"
	within 10 "$1: n1 is active with both" both n1
	start_tandemd n2 "$LAB/tandem.conf"
	within 10 "$1: n2 is backup with both" roles n2 backup
	sleep 0.4
}

stop_both()
{
	stop_node n1
	stop_node n2
}

# lost_at_most NUMBER WHAT: of the echoes since ping_start
lost_at_most()
{
	local lost

	ping_stop > "$LAB/lost.json"
	lost=$(jq .lost "$LAB/lost.json")
	expect "$2: $lost echoes lost (at most $1)" test "$lost" -le "$1"
}

ran()
{
	grep -c "^$2:$3:$4\$" "$LAB/$1.hooks" 2> /dev/null
}

lab_up inside cross
(umask 077; openssl rand -hex 32 > "$LAB/key")
keyed=${keyed//@LAB@/$LAB}
printf '#!/bin/sh\necho "$2:$1:$3" >> "%s/n${TANDEM_NODE#lb}.hooks"\n' "$LAB" > "$LAB/hook"
chmod 755 "$LAB/hook"

group_conf "$keyed" 'prefer = "lb1";'
start keyed
ping_start $vip
cable_pull n1 eth1
within 2 "keyed, the inside cable pulled: both on n2" both n2
sleep 0.2
lost_at_most 15 "keyed, the inside cable pulled"
expect "n1 says why" logged n1 event=role router=in to=fault reason=carrier-lost
expect "and of the other member too" logged n1 event=role router=out to=fault reason=group
within 2 "n1 ran on_fault for each" eval '[ "$(ran n1 fault in carrier-lost)$(ran n1 fault out group)" = 11 ]'
within 2 "n2 ran on_active for each" eval '[ "$(ran n2 active in "peer-.*")$(ran n2 active out "peer-.*")" = 11 ]'
cable_plug n1 eth1
within 5 "n1 is fit again with both" roles n1 backup
expect "status names the group" eval '[ "$(ctl n1 --json status | jq -c "[.routers[].group]")" = "[\"nat\",\"nat\"]" ]'

sleep 0.3
ping_start $vip
expect "keyed: switchover of one member" ctl n2 switchover in
within 2 "moves both" both n1
sleep 0.2
lost_at_most 0 "keyed, switchover"
expect "by an offer each" eval '[ "$(syslog_has n1 event=role to=active reason=switchover | wc -l)" = 2 ]'

syslog_mark n1; syslog_mark n2
kill -KILL "$(process_pid n1 election)"
within 2 "keyed, election process killed: its successor goes on with both" eval \
	'[ "$(syslog_since n1 | grep -c reason=resumed)" = 2 ]'
expect "n1 has both" both n1
expect "and n2 did not move" test "$(role_changes n2)" = 0
stop_both

# Preemption of the group as one, made before it is broken.
group_conf "$keyed" 'prefer = "lb1"; preempt = true;'
start_tandemd n2 "$LAB/tandem.conf"
within 10 "keyed, preempt: n2 is active with both" both n2
sleep 0.4
ping_start $vip
start_tandemd n1 "$LAB/tandem.conf"
within 5 "keyed, preempt: n1 takes both" both n1
sleep 0.2
lost_at_most 0 "keyed, preempt"

# Divided by the operator's new configuration: the group comes together on the preferred node.
group_conf "$keyed" 'prefer = "lb1";' '' ''
kill -HUP "${LAB_DAEMON[n1]}" "${LAB_DAEMON[n2]}"
sleep 0.3
expect "keyed, no group: switchover of one" ctl n1 switchover in
within 2 "moves that one" only_holder n2 $gateway
expect "and not the other" only_holder n1 $vip
group_conf "$keyed" 'prefer = "lb1";'
kill -HUP "${LAB_DAEMON[n1]}" "${LAB_DAEMON[n2]}"
within 3 "keyed, a group again: n1, which is preferred, has both" both n1
syslog_mark n1; syslog_mark n2
sleep 0.6
expect "and it stays so" test "$(($(role_changes n1) + $(role_changes n2)))" = 0
stop_both

group_conf '' 'prefer = "lb1";'
start plain
syslog_mark n1; syslog_mark n2
silent_loss n1 eth1
sleep 1
expect "plain, one LAN silent: nobody moves while the other LAN has its active" \
	test "$(($(role_changes n1) + $(role_changes n2)))" = 0
silent_heal n1 eth1
cable_pull n1 eth1
within 3 "plain, the inside cable pulled: both on n2" both n2
cable_plug n1 eth1
within 5 "plain: n1 is fit again with both" roles n1 backup
sleep 0.4
expect "plain: switchover of one member" ctl n2 switchover out
within 2 "moves both" both n1
expect "n2 holds off with both" eval '[ "$(ctl n2 --json status | jq -c "[.routers[].hold]")" = "[true,true]" ]'
kill9_all n1
within 5 "plain, n1 killed: both on n2" both n2
stop_both
