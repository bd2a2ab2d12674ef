#!/bin/bash
# What is refused for how it comes and not for what it says: in version 2 another interval (RFC 3768
# 7.1) and authentication, with unicast another sender than the other node; and nothing leaves from an
# IPv6 address that is still tentative.
. "$(dirname "$0")/../lib/scenario.sh"

# advert SECONDS VERSION TO AUTH INTERVAL: an owner's advertisement of VRID 51 from the client, ten a second.
advert()
{
	in_ns c python3 - "$@" <<-'END'
	import socket, struct, sys, time
	def checksum(data):
	    n = sum(struct.unpack("!%dH" % (len(data) // 2), data))
	    while n >> 16:
	        n = (n & 0xffff) + (n >> 16)
	    return ~n & 0xffff
	seconds, version, to, auth, interval = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
	source = socket.inet_aton("10.77.0.50")
	body = struct.pack("!BBBBBBH4s", version << 4 | 1, 51, 255, 1, auth, interval, 0, socket.inet_aton("10.77.0.100"))
	body += bytes(8) if version == 2 else b""
	pseudo = source + socket.inet_aton(to) + struct.pack("!BBH", 0, 112, len(body)) if version == 3 else b""
	body = body[:6] + struct.pack("!H", checksum(pseudo + body)) + body[8:]
	s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
	s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, source)
	s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
	s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
	end = time.monotonic() + seconds
	while time.monotonic() < end:
	    s.sendto(body, (to, 0))
	    time.sleep(0.1)
	END
}

refused()
{
	ctl n1 --json status | jq -e "[.. | objects | .\"$1\"? | numbers] | max > 0"
}

is_tentative()
{
	in_ns n2 ip -6 -o address show dev eth0 tentative | grep -q fe80::12
}

lab_up
cat > "$LAB/six.conf" <<-END
nodes = ( { name = "lb1"; address = "10.77.0.11"; }, { name = "lb2"; address = "10.77.0.12"; } );
heartbeat = { interval_ms = 100; };
virtual_routers = ( { name = "six"; vrid = 61; interface = "eth0"; addresses = ( "fe80::100/64" ); } );
END
in_ns n2 sysctl -qw net.ipv6.conf.all.accept_dad=1 net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.eth0.dad_transmits=3
in_ns n2 ip -6 address flush dev eth0
in_ns n2 ip address add fe80::12/64 dev eth0
start_tandemd n2 "$LAB/six.conf"
within 2 "a tentative address is no source" logged n2 event=role router=six reason=no-source-address
expect "which it still is" is_tentative
expect "nothing is said from it" not role_is n2 six active

cat > "$LAB/two.conf" <<-END
nodes = ( { name = "lb1"; address = "10.77.0.11"; }, { name = "lb2"; address = "10.77.0.12"; } );
heartbeat = { interval_ms = 1000; version = 2; };
virtual_routers = ( { name = "web"; vrid = 51; interface = "eth0"; addresses = ( "$vip/24" ); } );
END
start_tandemd n1 "$LAB/two.conf"
within 2 "version 2: a backup listens" role_is n1 web backup
advert 3.5 2 224.0.0.18 0 2 &
advert 3.5 2 224.0.0.18 1 1
wait $!
for why in bad-interval bad-auth; do
	within 1 "counted: $why" refused $why
done
within 1 "and it is active when it would have been without them" role_is n1 web active
advert 0.3 2 224.0.0.18 0 1
within 1 "to one of its interval and without authentication it listens" role_is n1 web backup
stop_node n1
expect "the tentative address has become one" not is_tentative
within 2 "and speaks" role_is n2 six active

conf 100 'unicast = true;'
start_tandemd n1 "$LAB/tandem.conf"
within 2 "unicast: active" role_is n1 web active
advert 0.5 3 10.77.0.11 0 10
within 1 "counted: bad-source" refused bad-source
expect "and no more than that" role_is n1 web active
