#!/bin/bash
# A group beside keepalived's vrrp_sync_group on the other node: whoever is active is so on both LANs,
# whatever happens to one of them.
. "$(dirname "$0")/../lib/scenario.sh"
gateway=10.88.0.1

both()
{
	only_holder "$1" $vip && only_holder "$1" $gateway
}

instance()
{
	cat <<-END
	vrrp_instance $1 { version 3
	  state BACKUP
	  interface $2
	  virtual_router_id $3
	  priority 120
	  advert_int 0.1
	  virtual_ipaddress { $4 } }
	END
}

command -v keepalived > /dev/null || fail "keepalived is missing"
lab_up inside
cat > "$LAB/tandem.conf" <<-END
nodes = ( { name = "lb1"; address = "10.77.0.11"; }, { name = "lb2"; address = "10.77.0.12"; } );
heartbeat = { interval_ms = 100; };
virtual_routers = (
  { name = "out"; vrid = 51; interface = "eth0"; addresses = ( "$vip/24" ); group = "nat"; prefer = "lb1"; preempt = true; },
  { name = "in"; vrid = 52; interface = "eth1"; addresses = ( "$gateway/24" ); group = "nat"; prefer = "lb1"; preempt = true; } );
END
{
	echo 'vrrp_sync_group nat { group { out
	  in } }'
	instance out eth0 51 $vip/24
	instance in eth1 52 $gateway/24
} > "$LAB/keepalived.conf"

start_keepalived n2 "$LAB/keepalived.conf"
within 10 "keepalived alone has both" both n2
start_tandemd n1 "$LAB/tandem.conf"
within 5 "n1, which is preferred, takes both" both n1
for interface in eth1 eth0; do
	sleep 0.5
	cable_pull n1 $interface
	within 5 "n1 without $interface: keepalived has both" both n2
	expect "n1 is in fault with both" eval 'role_is n1 out fault && role_is n1 in fault'
	cable_plug n1 $interface
	within 8 "n1 with $interface again takes both" both n1
done
sleep 0.5
expect "switchover of one member" ctl n1 switchover in
within 5 "moves both to keepalived" both n2
sleep 1
expect "where they stay, although n1 is preferred" both n2
cable_pull n2 eth1
within 8 "keepalived without eth1: n1 has both" both n1
cable_plug n2 eth1
sleep 1
expect "keepalived, lower in rank, leaves them there" both n1
