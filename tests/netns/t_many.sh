#!/bin/bash
# More addresses than an advertisement can list: all are claimed, announced, served and given up, and
# the message has the first ones that fit: 255 of IPv4, 75 of IPv6.
. "$(dirname "$0")/../lib/scenario.sh"
. "$(dirname "$0")/../lib/witness.sh"
VIP=10.99.0.1 VRID=51
count=600 count6=100

# The address of number $1, from 0.
four()
{
	printf '10.99.%d.%d' $(($1 / 200)) $(($1 % 200 + 1))
}

# lines FIRST LAST FUNCTION LENGTH SEPARATOR
lines()
{
	local i

	for ((i = $1; i < $2; i++)); do
		printf '%s/%s%s\n' "$($3 $i)" "$4" "$([ $((i + 1)) = "$2" ] || echo "$5")"
	done
}

six()
{
	printf 'fd00:99::%x' $(($1 + 1))
}

many_conf()
{
	cat <<-END
	nodes = ( { name = "lb1"; address = "10.77.0.11"; }, { name = "lb2"; address = "10.77.0.12"; } );
	heartbeat = { interval_ms = 100; };
	virtual_routers = (
	  { name = "web"; vrid = 51; interface = "eth0"; prefer = "lb1"; addresses = (
	$(lines 0 $count four 32 , | sed 's|\(.*/32\)|"\1"|') ) },
	  { name = "six"; vrid = 61; interface = "eth0"; prefer = "lb1"; addresses = ( "fe80::61/64",
	$(lines 0 $count6 six 128 , | sed 's|\(.*/128\)|"\1"|') ) } );
	END
}

# The list of VRRP is as long in keepalived; what is beyond it is "excluded" there.
many_keepalived()
{
	cat <<-END
	vrrp_instance web {
	  version 3
	  state BACKUP
	  interface eth0
	  virtual_router_id 51
	  priority 50
	  advert_int 0.1
	  virtual_ipaddress {
	$(lines 0 255 four 32 '')
	  }
	  virtual_ipaddress_excluded {
	$(lines 255 $count four 32 '')
	  }
	}
	END
}

holds_n()
{
	[ "$(ip -n "$(ns "$1")" -o -4 address show | grep -c ' 10\.99\.')" = "$2" ]
}

holds_six()
{
	[ "$(ip -n "$(ns "$1")" -o -6 address show | grep -c ' fd00:99:')" = "$2" ]
}

# All addresses were announced by then: the client heard so many.
heard_all()
{
	kill -TERM "$ear"
	wait "$ear" 2> /dev/null
	[ "$(sed -n '/^{/p' "$LAB/heard" | jq .addresses)" = $count ]
}

listen()
{
	: > "$LAB/heard"
	in_ns_bg c "$(lab_tool announced)" eth0 10.99.0.0 22 20000 > "$LAB/heard"
	ear=$!
	wait_for 5 grep -q ready "$LAB/heard"
}

lists()
{
	grep -E "^[0-9.]+ $1 advert .* count=$2 " "$LAB/watch.log"
}

nothing_refused()
{
	[ "$(ctl "$1" --json status | jq -c '.election.refused')" = '{}' ]
}

lab_up
many_conf > "$LAB/tandem.conf"
many_keepalived > "$LAB/keepalived.conf"
ip -n "$(ns c)" route add 10.99.0.0/16 dev eth0
watch_start
listen
start_tandemd n1 "$LAB/tandem.conf"
within 3 "all $count addresses are claimed" holds_n n1 $count
within 3 "and those of IPv6" holds_six n1 $count6
expect "no other" holds_n n2 0
sleep 0.3
expect "every one is announced" heard_all
expect "the last one is served" in_ns c ping -c 1 -W 1 -q "$(four 599)"
within 1 "the advertisement lists the first 255" lists n1 255
expect "and never another number" not eval "grep ' n1 advert ' '$LAB/watch.log' | grep -qv ' count=255 '"

# keepalived reads it
start_keepalived n2 "$LAB/keepalived.conf"
sleep 0.6
expect "keepalived takes it and stays backup" holds_n n2 0
stop_node n1
within 3 "given up: none is left" holds_n n1 0
within 3 "keepalived has them all" holds_n n2 $count
stop_node n2
within 3 "and gives them up" holds_n n2 0

# another tandem reads it
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || fail "n1 does not become active"
start_tandemd n2 "$LAB/tandem.conf"
within 3 "another tandem is backup" role_is n2 web backup
within 3 "and of IPv6" role_is n2 six backup
sleep 0.5
expect "it refuses nothing" nothing_refused n2
watch_stop
VRID=61 VIP=fd00:99::1
watch_start
within 1 "over IPv6 the first 75 are listed" lists n1 75
watch_stop
listen
cable_pull n1 eth0
within 2 "it takes them all over" holds_n n2 $count
within 2 "and those of IPv6" holds_six n2 $count6
within 2 "the other one has none" holds_n n1 0
sleep 0.3
expect "every one is announced again" heard_all
