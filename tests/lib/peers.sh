# shellcheck shell=bash
# VRRP routers as a node of the test bed (tests/lib/lab.sh): Debian's keepalived, FRR, another tandem.
#
# What is to be spoken is in variables, the same for all: VIP and its LENGTH, VRID, VERSION (3 or 2),
# FAMILY (IPv4 or IPv6), CAST (multicast or unicast), INTERVAL_MS, and PEER_SUM, the peer's form of the
# checksum (rfc5798 or rfc9568).
#
#   peer_start PEER NODE PRIORITY      keepalived, frr or tandem
#   peer_stop PEER NODE                as an operator stops it
#   peer_kill PEER NODE                every process of it at once
#   peer_clean PEER NODE               what a killed one leaves behind
#   peer_cannot PEER                   says why it cannot speak like that; silent when it can

FRR_BIN=${FRR_BIN:-/usr/lib/frr}

# has_word PROGRAM WORD: does it know that word of configuration?
has_word()
{
	grep -aq -- "$2" "$(command -v "$1")"
}

peer_cannot()
{
	[ "$FAMILY$VERSION" != IPv62 ] || { echo "RFC 3768 has no IPv6"; return; }
	[ "$1$CAST" != frrunicast ] || { echo "FRR has no unicast"; return; }
	[ "$PEER_SUM" = rfc9568 ] || return 0
	case $1 in
	keepalived)
		has_word keepalived v3_checksum_as_v2 || echo "this keepalived has no v3_checksum_as_v2" ;;
	frr)
		has_word "$FRR_BIN/vrrpd" checksum-with-ipv4-pseudoheader ||
			echo "this FRR has no checksum-with-ipv4-pseudoheader" ;;
	esac
}

# --- keepalived ------------------------------------------------------------------------------

keepalived_unicast()
{
	local own=10.77.0.12 other=10.77.0.11

	[ "$CAST" = unicast ] || return 0
	[ "$FAMILY" = IPv4 ] || own=fd00:77::12 other=fd00:77::11
	printf 'unicast_src_ip %s\n\t  unicast_peer { %s }\n' $own $other
}

keepalived_start()
{
	local conf=$LAB/$1.keepalived local_address=

	[ "$FAMILY" = IPv4 ] || local_address="fe80::100/64"
	cat > "$conf" <<-END
	vrrp_instance web { version $VERSION
	  state BACKUP
	  interface eth0
	  virtual_router_id $VRID
	  priority $2
	  advert_int $(awk "BEGIN { print $INTERVAL_MS / 1000 }")
	  $([ "$PEER_SUM" = rfc5798 ] || echo v3_checksum_as_v2)
	  $(keepalived_unicast)
	  virtual_ipaddress { $local_address
	  $VIP/$LENGTH } }
	END
	start_keepalived "$1" "$conf"
}

# --- FRR -------------------------------------------------------------------------------------

declare -A FRR_ZEBRA=()

# The interface that FRR wants to find: a macvlan with the virtual MAC and the addresses. Its own
# link-local address is what FRR sends from over IPv6.
frr_macvlan()
{
	local node=$1 mac

	in_ns "$node" ip link show vrrp0 > /dev/null 2>&1 && return
	mac=$(printf '00:00:5e:00:0%d:%02x' $([ "$FAMILY" = IPv4 ] && echo 1 || echo 2) "$VRID")
	in_ns "$node" ip link add vrrp0 link eth0 type macvlan mode bridge
	if [ "$FAMILY" = IPv4 ]; then
		in_ns "$node" ip link set vrrp0 addrgenmode none
		# its address stays there while it is backup: eth0 must not answer for it
		in_ns "$node" sysctl -qw net.ipv4.conf.eth0.arp_ignore=1
	else
		in_ns "$node" ip link set vrrp0 addrgenmode random
		in_ns "$node" ip address add fe80::100/64 dev vrrp0 nodad
	fi
	in_ns "$node" ip link set vrrp0 address "$mac"
	in_ns "$node" ip address add "$VIP/$LENGTH" dev vrrp0 $([ "$FAMILY" = IPv4 ] || echo nodad)
	in_ns "$node" ip link set vrrp0 up
}

frr_conf()
{
	local word=ip

	[ "$FAMILY" = IPv4 ] || word=ipv6
	printf 'log file %s/vrrpd.log\ndebug vrrp\ninterface eth0\n' "$2"
	printf ' vrrp %d %s\n' "$VRID" "version $VERSION" "$VRID" "priority $1" \
		"$VRID" "advertisement-interval $INTERVAL_MS"
	[ "$word" = ip ] || printf ' vrrp %d ipv6 fe80::100\n' "$VRID"
	printf ' vrrp %d %s %s\n' "$VRID" $word "$VIP"
	[ "$PEER_SUM" = rfc5798 ] || printf ' no vrrp %d checksum-with-ipv4-pseudoheader\n' "$VRID"
}

# frr_run NODE PROGRAM FOLDER: with sockets and pid files of its own, never the machine's.
frr_run()
{
	in_ns_bg "$1" "$FRR_BIN/$2" -f "$3/$2.conf" -i "$3/$2.pid" -z "$3/zserv.api" --vty_socket "$3" \
		-u frr -g frr -A 127.0.0.1 -P 0 >> "$LAB/$1.out" 2>&1
}

frr_start()
{
	local node=$1 dir=$LAB/$1.frr

	frr_macvlan "$node"
	mkdir -p "$dir"
	printf 'log file %s/zebra.log\n' "$dir" > "$dir/zebra.conf"
	frr_conf "$2" "$dir" > "$dir/vrrpd.conf"
	chmod 755 "$LAB"
	chown -R frr:frr "$dir"
	if [ -z "${FRR_ZEBRA[$node]:-}" ]; then
		rm -f "$dir/zserv.api"
		frr_run "$node" zebra "$dir"
		FRR_ZEBRA[$node]=$!
		wait_for 10 test -S "$dir/zserv.api" || return 1
	fi
	frr_run "$node" vrrpd "$dir"
	LAB_DAEMON[$node]=$!
}

# --- tandem ----------------------------------------------------------------------------------

# tandem_conf SUM PRIORITY1 PRIORITY2: a group of one router; lb1 is n1.
tandem_conf()
{
	local node1=10.77.0.11 node2=10.77.0.12 list="\"$VIP/$LENGTH\"" unicast=

	if [ "$FAMILY" = IPv6 ]; then
		list="\"fe80::100/64\", $list"
		[ "$CAST" = multicast ] || node1=fd00:77::11 node2=fd00:77::12
	fi
	[ "$CAST" = multicast ] || unicast='unicast = true;'
	cat <<-END
	nodes = ( { name = "lb1"; address = "$node1"; }, { name = "lb2"; address = "$node2"; } );
	heartbeat = { interval_ms = $INTERVAL_MS; version = $VERSION; checksum = "$1"; };
	virtual_routers = ( { name = "web"; vrid = $VRID; interface = "eth0"; addresses = ( $list );
	  priority = { lb1 = $2; lb2 = $3; }; preempt = true; lease_s = 2; $unicast } );
	END
}

tandem_start()
{
	tandem_conf "$PEER_SUM" 1 "$2" > "$LAB/$1.conf"
	start_tandemd "$1" "$LAB/$1.conf"
}

# --- any of them -----------------------------------------------------------------------------

peer_start()
{
	"$1_start" "$2" "$3"
}

peer_stop()
{
	stop_node "$2"
}

peer_kill()
{
	if [ "$1" = frr ]; then
		kill -STOP "${LAB_DAEMON[$2]}" "${FRR_ZEBRA[$2]}"
		kill -KILL "${LAB_DAEMON[$2]}" "${FRR_ZEBRA[$2]}"
		wait "${LAB_DAEMON[$2]}" "${FRR_ZEBRA[$2]}" 2> /dev/null
		unset "LAB_DAEMON[$2]" "FRR_ZEBRA[$2]"
	else
		kill9_all "$2"
	fi
}

# Neither of them withdraws an address when it dies.
peer_clean()
{
	if [ "$1" = frr ]; then
		in_ns "$2" ip link del vrrp0
	else
		in_ns "$2" ip address flush dev eth0 to "$VIP"
		[ "$FAMILY" = IPv4 ] || in_ns "$2" ip address flush dev eth0 to fe80::100
	fi 2> /dev/null
}

# Everything of the peer away, for the next round.
peer_end()
{
	stop_node "$2"
	if [ -n "${FRR_ZEBRA[$2]:-}" ]; then
		kill -TERM "${FRR_ZEBRA[$2]}"
		wait "${FRR_ZEBRA[$2]}" 2> /dev/null
		unset "FRR_ZEBRA[$2]"
	fi
	peer_clean "$1" "$2"
}
