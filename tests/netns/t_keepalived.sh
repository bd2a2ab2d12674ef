#!/bin/bash
# Debian's keepalived as the other node, either one active: multicast and unicast, IPv6, version 2.
. "$(dirname "$0")/../lib/scenario.sh"

# kind NAME VERSION INTERVAL_MS ADDRESS KEYS: how the next round speaks; sets what the rest reads.
kind()
{
	cast=$1 version=$2 interval=$3 vip=$4 keys=$5
	list="\"$vip/24\""
	theirs="virtual_ipaddress { $vip/24 }"
	unicast=
	case $cast in
	unicast)
		unicast='unicast_src_ip 10.77.0.12
		  unicast_peer { 10.77.0.11 }' ;;
	IPv6)
		list="\"fe80::100/64\", \"$vip/64\""
		theirs="virtual_ipaddress { fe80::100/64
		  $vip/64 }" ;;
	esac
	# a takeover takes up to four intervals
	soon=$((interval * 5 / 1000 + 2))
}

# other PRIORITY
other()
{
	cat > "$LAB/n2.keepalived" <<-END
	vrrp_instance web { version $version
	  state BACKUP
	  interface eth0
	  virtual_router_id 51
	  priority $1
	  advert_int $(awk "BEGIN { print $interval / 1000 }")
	  $unicast
	  $theirs }
	END
	start_keepalived n2 "$LAB/n2.keepalived"
}

round()
{
	cat > "$LAB/tandem.conf" <<-END
	nodes = ( { name = "lb1"; address = "10.77.0.11"; }, { name = "lb2"; address = "10.77.0.12"; } );
	heartbeat = { interval_ms = $interval; version = $version; };
	virtual_routers = ( { name = "web"; vrid = 51; interface = "eth0"; addresses = ( $list );
	  prefer = "lb1"; preempt = true; $keys } );
	END
	start_tandemd n1 "$LAB/tandem.conf"
	wait_role n1 web active || fail "tandem does not become active"
	other 100
	sleep $((interval * 4 / 1000 + 1))
	expect "$cast: tandem active, keepalived backup: one holder" only_holder n1 $vip
	stop_node n1
	within $soon "$cast: tandem stopped, keepalived takes over" only_holder n2 $vip
	expect "$cast: the client is served by keepalived" client_served
	start_tandemd n1 "$LAB/tandem.conf"
	within $((soon + 1)) "$cast: tandem preempts keepalived" only_holder n1 $vip
	kill9_all n1
	within $soon "$cast: tandem killed, keepalived takes over" has_address n2 $vip
	within 6 "$cast: the killed node's lease ended" only_holder n2 $vip
	stop_node n2
	other 200
	wait_for $((soon + 3)) has_address n2 $vip || fail "keepalived does not become active"
	start_tandemd n1 "$LAB/tandem.conf"
	wait_role n1 web backup || fail "tandem is not backup beside a preferred keepalived"
	sleep $((interval * 4 / 1000 + 1))
	expect "$cast: keepalived active, tandem backup: one holder" only_holder n2 $vip
	stop_node n2
	within $soon "$cast: keepalived stopped, tandem takes over" only_holder n1 $vip
	expect "$cast: the client is served by tandem" client_served
	other 200
	within $((soon + 3)) "$cast: a preferred keepalived preempts tandem" only_holder n2 $vip
	expect "$cast: tandem is backup again" role_is n1 web backup
	sleep 0.5
	kill9_all n2
	within $soon "$cast: keepalived killed, tandem takes over" role_is n1 web active
	in_ns n2 ip address flush dev eth0 to $vip 2> /dev/null # keepalived leaves it behind
	expect "$cast: the client is served by tandem" client_served
	stop_node n1
}

lab_up
kind multicast 3 100 10.77.0.100 ''
round
kind unicast 3 100 10.77.0.100 'unicast = true;'
round
[ -z "${TEST_SHORT:-}" ] || exit 0 # the sanitizers have seen both sides of it
kind IPv6 3 100 fd00:77::100 ''
round
kind version-2 2 1000 10.77.0.100 ''
round
