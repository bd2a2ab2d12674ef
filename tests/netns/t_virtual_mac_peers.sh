#!/bin/bash
# virtual_mac with others: a keyed pair with a link, which hands over without a lost packet, and
# Debian's keepalived with use_vmac as the other node. Nobody ever teaches the client another MAC.
. "$(dirname "$0")/../lib/scenario.sh"
mac=00:00:5e:00:01:33 device=vrrp.51.eth0

watch_client()
{
	in_ns c ping -c 1 -W 1 -q $vip > /dev/null
	in_ns_bg c ip monitor neigh > "$LAB/neighbours"
	watcher=$!
	sleep 0.1
}

taught_other()
{
	grep "^$vip " "$LAB/neighbours" | grep lladdr | grep -v "lladdr $mac"
}

# lost LIMIT: at most so many of the pings that are under way.
lost()
{
	ping_stop > "$LAB/lost"
	sed 's/^/# /' "$LAB/lost"
	expect "at most $1 pings lost" jq -e ".answered > 0 and .lost <= $1" "$LAB/lost"
}

lab_up cross
keyed_conf 100 'prefer = "lb1"; virtual_mac = true;'
pair
within 2 "the active knows its standby" peer_is n1 up
within 2 "and the standby its active" peer_is n2 up
watch_client
for from in n1 n2; do
	ping_start $vip
	expect "switchover from $from" ctl $from switchover
	within 1 "$from is backup" role_is $from web backup
	sleep 0.3
	lost 0
done
ping_start $vip
cable_pull n1 eth0
within 1 "cable pulled: the standby has it at once" only_holder n2 $vip
sleep 0.3
lost 15
within 1 "the device of the other one goes down" not eval "in_ns n1 ip -o link show dev $device up | grep -q $device"
cable_plug n1 eth0
within 3 "the cable is back" role_is n1 web backup
expect "nobody ever taught the client another MAC" not taught_other
kill $watcher
stop_node n1
stop_node n2

# keepalived PRIORITY
keepalived_vmac()
{
	cat > "$LAB/n2.keepalived" <<-END_CONF
	vrrp_instance web { version 3
	  state BACKUP
	  interface eth0
	  use_vmac kvmac
	  virtual_router_id 51
	  priority $1
	  advert_int 0.1
	  virtual_ipaddress { $vip/24 } }
	END_CONF
	start_keepalived n2 "$LAB/n2.keepalived"
}

conf 100 'prefer = "lb1"; preempt = true; lease_s = 2; virtual_mac = true;'
own=$(in_ns n1 cat /sys/class/net/eth0/address)
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || fail "tandem does not become active"
watch_client
keepalived_vmac 100
sleep 0.5
expect "tandem active, keepalived backup: one holder" only_holder n1 $vip
expect "the client is served" client_served
kill9_all n1
within 2 "tandem killed, keepalived takes over" has_address n2 $vip
within 1 "the client is served by keepalived" client_served
start_tandemd n1 "$LAB/tandem.conf"
within 3 "tandem preempts keepalived" only_holder n1 $vip
expect "the client is served by tandem" client_served
stop_node n2
keepalived_vmac 200
within 5 "a preferred keepalived preempts tandem" only_holder n2 $vip
expect "tandem is backup" role_is n1 web backup
within 1 "the client is served by keepalived" client_served
stop_node n2
within 1 "keepalived stopped, tandem takes over" only_holder n1 $vip
expect "the client is served by tandem" client_served
# keepalived leaves arp_announce at 0: its node asks for the client in the name of the address
expect "tandem never taught the client the node's own MAC" not grep -i "^$vip .*lladdr $own" "$LAB/neighbours"
