#!/bin/bash
# Virtual routers of IPv4 and IPv6 on one interface: VRIDs of the two families have nothing to do
# with each other (RFC 9568 5.2.3).
. "$(dirname "$0")/../lib/scenario.sh"

# An owner's advertisement for VRID $1 over IPv6.
owner_6()
{
	in_ns c python3 - "$1" <<-'END'
	import socket, struct, sys
	s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 112)
	index = socket.if_nametoindex("eth0")
	s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
	s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
	s.setsockopt(socket.IPPROTO_IPV6, 7, 6) # IPV6_CHECKSUM: the kernel fills it in
	mine = [l.split() for l in open("/proc/net/if_inet6") if l.startswith("fe80") and l.split()[5] == "eth0"]
	s.bind((socket.inet_ntop(socket.AF_INET6, bytes.fromhex(mine[0][0])), 0, 0, index))
	body = struct.pack("!BBBBHH", 0x31, int(sys.argv[1]), 255, 1, 10, 0) + socket.inet_pton(socket.AF_INET6, "fe80::100")
	s.sendto(body, ("ff02::12", 0, 0, index))
	END
}

lab_up
conf 100
sed -i 's|^virtual_routers = ( \(.*\) );$|virtual_routers = ( \1, { name = "six"; vrid = 61; interface = "eth0"; addresses = ( "fe80::100/64", "fd00:77::100/64" ); prefer = "lb1"; } );|' "$LAB/tandem.conf"
pair
within 3 "IPv6 beside IPv4" role_is n1 six active
within 3 "with its standby" role_is n2 six backup
expect "an owner of VRID 51 over IPv6" owner_6 51
sleep 0.3
expect "is nothing to VRID 51 over IPv4" role_is n1 web active
expect "which is told to nobody" not logged n1 event=role.*router=web.*from=active
expect "an owner of VRID 61 over IPv6" owner_6 61
within 1 "is the active one of VRID 61" role_is n1 six backup
expect "and of no other" role_is n1 web active
expect "the other node is no stranger" not logged n2 event=conflict reason=stranger
