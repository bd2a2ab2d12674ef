#!/bin/bash
# Debian's keepalived as the other node, either one active, multicast and unicast.
. "$(dirname "$0")/../lib/scenario.sh"

# other PRIORITY [unicast]
other()
{
	local unicast=

	[ "${2:-}" != unicast ] || unicast='unicast_src_ip 10.77.0.12
	  unicast_peer { 10.77.0.11 }'
	cat > "$LAB/n2.keepalived" <<-END
	vrrp_instance web { version 3
	  state BACKUP
	  interface eth0
	  virtual_router_id 51
	  priority $1
	  advert_int 0.1
	  $unicast
	  virtual_ipaddress { $vip/24 } }
	END
	start_keepalived n2 "$LAB/n2.keepalived"
}

round()
{
	local cast=$1 key=

	[ "$cast" = multicast ] || key='unicast = true;'
	conf 100 "prefer = \"lb1\"; preempt = true; $key"
	start_tandemd n1 "$LAB/tandem.conf"
	wait_role n1 web active || fail "tandem does not become active"
	other 100 "$cast"
	sleep 1
	expect "$cast: tandem active, keepalived backup: one holder" only_holder n1 $vip
	stop_node n1
	within 2 "$cast: tandem stopped, keepalived takes over" only_holder n2 $vip
	expect "$cast: the client is served by keepalived" client_served
	start_tandemd n1 "$LAB/tandem.conf"
	within 3 "$cast: tandem preempts keepalived" only_holder n1 $vip
	kill9_all n1
	within 3 "$cast: tandem killed, keepalived takes over" has_address n2 $vip
	within 6 "$cast: the killed node's lease ended" only_holder n2 $vip
	stop_node n2
	other 200 "$cast"
	wait_for 5 has_address n2 $vip || fail "keepalived does not become active"
	start_tandemd n1 "$LAB/tandem.conf"
	wait_role n1 web backup || fail "tandem is not backup beside a preferred keepalived"
	sleep 1
	expect "$cast: keepalived active, tandem backup: one holder" only_holder n2 $vip
	stop_node n2
	within 2 "$cast: keepalived stopped, tandem takes over" only_holder n1 $vip
	expect "$cast: the client is served by tandem" client_served
	other 200 "$cast"
	within 5 "$cast: a preferred keepalived preempts tandem" only_holder n2 $vip
	expect "$cast: tandem is backup again" role_is n1 web backup
	sleep 0.5
	kill9_all n2
	within 2 "$cast: keepalived killed, tandem takes over" role_is n1 web active
	in_ns n2 ip address del $vip/24 dev eth0 2> /dev/null # keepalived leaves it behind
	expect "$cast: the client is served by tandem" client_served
	stop_node n1
}

lab_up
round multicast
round unicast
