# shellcheck shell=bash
# What the tests of groups share: "out" on the service LAN and "in", the gateway of the servers, as a
# director between two LANs has them (lab_up inside cross).
. "$(dirname "${BASH_SOURCE[0]}")/scenario.sh"
gateway=10.88.0.1

# group_conf HEARTBEAT-KEYS ROUTER-KEYS [KEYS-OF-IN [GROUP-OF-IN]]; no group for in: an empty last one
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

# How often NODE ran its hook: ran NODE ROLE ROUTER REASON
ran()
{
	grep -c "^$2:$3:$4\$" "$LAB/$1.hooks" 2> /dev/null
}

# A key and a hook that notes what it was run for.
group_files()
{
	(umask 077; openssl rand -hex 32 > "$LAB/key")
	keyed="key_file = \"$LAB/key\"; links = ( { name = \"cross\"; interface = \"eth2\";
	  lb1 = \"192.168.255.1\"; lb2 = \"192.168.255.2\"; } );"
	printf '#!/bin/sh\necho "$2:$1:$3" >> "%s/n${TANDEM_NODE#lb}.hooks"\n' "$LAB" > "$LAB/hook"
	chmod 755 "$LAB/hook"
}
