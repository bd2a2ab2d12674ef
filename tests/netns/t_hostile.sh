#!/bin/bash
# Bad packets, rude control clients and a syslog that hangs: counted, logged at a limited rate, and
# nothing else happens.
. "$(dirname "$0")/../lib/scenario.sh"

bad_packets()
{
	in_ns c python3 - "$1" <<-'END'
	import socket, struct, sys
	def checksum(data):
	    data += b"\0" * (len(data) % 2)
	    n = sum(struct.unpack("!%dH" % (len(data) // 2), data))
	    while n >> 16:
	        n = (n & 0xffff) + (n >> 16)
	    return ~n & 0xffff
	SRC, GROUP = socket.inet_aton("10.77.0.50"), socket.inet_aton("224.0.0.18")
	def advert(vrid=51, priority=255, count=1, interval=10, version=3, kind=1, ttl=255, good=True, cut=None, dst="224.0.0.18"):
	    body = struct.pack("!BBBBHH4s", version << 4 | kind, vrid, priority, count, interval, 0, socket.inet_aton("10.77.0.100"))
	    pseudo = SRC + socket.inet_aton(dst) + struct.pack("!BBH", 0, 112, len(body))
	    total = checksum(pseudo + body)
	    body = body[:6] + struct.pack("!H", total if good else total ^ 1) + body[8:]
	    return ttl, dst, body[:cut] if cut else body
	CASES = [advert(ttl=64), advert(good=False), advert(version=2), advert(kind=2), advert(vrid=99), advert(count=0),
	         advert(interval=0), advert(cut=5), advert(cut=11), advert(count=200), advert(dst="10.77.0.11"), (255, "224.0.0.18", b"")]
	s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
	s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, SRC)
	for _ in range(int(sys.argv[1])):
	    for ttl, dst, data in CASES:
	        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
	        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
	        s.sendto(data, (dst, 0))
	END
}

# One advertisement off the wire, compared byte by byte with what RFC 9568 and RFC 5798 say.
golden()
{
	in_ns c python3 - <<-'END'
	import socket, struct
	s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
	s.settimeout(3)
	while True:
	    frame = s.recv(2000)
	    if frame[23] == 112:
	        break
	assert frame[0:6] == bytes.fromhex("01005e000012"), "destination MAC"
	ip, vrrp = frame[14:34], frame[34:34 + 12]
	assert ip[0] == 0x45 and ip[1] == 0xc0 and ip[8] == 255, "IP header"
	assert ip[12:16] == socket.inet_aton("10.77.0.11") and ip[16:20] == socket.inet_aton("224.0.0.18"), "addresses"
	body = struct.pack("!BBBBHH4s", 0x31, 51, 150, 1, 5, 0, socket.inet_aton("10.77.0.100"))
	words = struct.unpack("!12H", ip[12:20] + struct.pack("!BBH", 0, 112, 12) + body)
	n = sum(words)
	n = (n & 0xffff) + (n >> 16)
	n = ~((n & 0xffff) + (n >> 16)) & 0xffff
	assert vrrp == body[:6] + struct.pack("!H", n) + body[8:], vrrp.hex()
	END
}

refused()
{
	ctl n1 --json status | jq -e "[.. | objects | .\"$1\"? | numbers] | max > 0"
}

lab_up
conf 50
pair
roles=$(roles_logged)
expect "an advertisement is byte-exact" golden
bad_packets 600 # of those with a low TTL the kernel lets a thirty-second in
sleep 0.3
for why in bad-ttl bad-checksum bad-version bad-type bad-vrid bad-count bad-interval bad-length bad-destination; do
	within 3 "counted: $why" refused $why
done
expect "logged" logged n1 event=packet reason=bad-
expect "at a limited rate" [ "$(grep -c event=packet "$LAB/n1.syslog")" -lt 20 ]
expect "no change of role" [ "$(roles_logged)" = "$roles" ]

in_ns n1 python3 - "$LAB/n1.run/tandem.sock" <<-'END'
import os, socket, sys
def client():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(2)
    s.connect(sys.argv[1])
    return s
for junk in (os.urandom(4096), b"{" * 100000, b'{"command":"nonsense"}\n', b"\n" * 1000):
    s = client()
    try:
        s.sendall(junk)
        s.recv(100)
    except OSError:
        pass
silent = [client() for _ in range(20)]
for s in silent:
    try:
        s.sendall(b'{"command":"events","follow":true}\n')
    except OSError:
        pass
END
within 3 "after garbage and silent clients status answers" ctl n1 status
expect "no change of role" [ "$(roles_logged)" = "$roles" ]

conf 10 '' 'log = { level = "debug"; };'
kill -HUP "${LAB_DAEMON[n1]}" "${LAB_DAEMON[n2]}"
sleep 1
roles=$(roles_logged)
kill -STOP "${LAB_SINK[n1]}" "${LAB_SINK[n2]}"
for i in $(seq 40); do
	kill -USR1 "${LAB_DAEMON[n1]}" "${LAB_DAEMON[n2]}"
	kill -HUP "${LAB_DAEMON[n1]}" "${LAB_DAEMON[n2]}"
	sleep 0.1
done
kill -CONT "${LAB_SINK[n1]}" "${LAB_SINK[n2]}"
sleep 1
kill -USR1 "${LAB_DAEMON[n1]}"
expect "a syslog that hangs for 4 s at interval 10 ms: no change of role" [ "$(roles_logged)" = "$roles" ]
within 3 "and the lost lines are counted" logged n1 event=log reason=log-dropped
