#!/bin/bash
# Somebody on the network who can listen and send, and has no key: what they have captured is worth
# nothing, on no path, to no router, after no restart; what they make up even less. Captures of a
# dead node do not keep it alive, and do not keep two that boot apart.
. "$(dirname "$0")/../lib/scenario.sh"

# stranger capture SECONDS FILE | replay FILE IF TIMES PAUSE_MS | carry SECONDS FROM TO | forge FILE
stranger()
{
	in_ns c python3 "$LAB/stranger.py" "$@"
}

write_stranger()
{
	cat > "$LAB/stranger.py" <<-'END'
	import os, pickle, socket, struct, sys, time
	GROUP = bytes.fromhex("01005e000012")
	def port(name):
	    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
	    s.bind((name, 0x0800))
	    s.settimeout(0.2)
	    return s
	def heard(s, seconds):
	    end = time.monotonic() + seconds
	    while time.monotonic() < end:
	        try:
	            frame, where = s.recvfrom(3000)
	        except TimeoutError:
	            continue
	        if frame[23] == 112 and where[2] != socket.PACKET_OUTGOING:
	            yield frame[14:14 + struct.unpack("!H", frame[16:18])[0]]
	def say(s, packet):
	    s.send(GROUP + s.getsockname()[4] + b"\x08\x00" + packet)
	def checksum(data):
	    data += b"\0" * (len(data) % 2)
	    n = sum(struct.unpack("!%dH" % (len(data) // 2), data))
	    while n >> 16:
	        n = (n & 0xffff) + (n >> 16)
	    return ~n & 0xffff
	def packet(like, message):
	    pseudo = like[12:20] + struct.pack("!BBH", 0, 112, len(message))
	    message = message[:6] + struct.pack("!H", checksum(pseudo + message[:6] + b"\0\0" + message[8:])) + message[8:]
	    head = like[:2] + struct.pack("!H", 20 + len(message)) + like[4:10] + b"\0\0" + like[12:20]
	    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + message
	def forged(like):
	    m = like[20:]
	    at = m.index(b"TNDM")
	    yield m[:2] + b"\xff" + m[3:at]                                            # plain, priority 255
	    yield m[:2] + b"\0" + m[3:at]                                              # plain, resigns
	    yield m[:at + 5] + b"\xfe" + m[at + 6:]                                    # another key
	    yield m[:at + 16] + struct.pack("!Q", 1 << 40) + m[at + 24:]               # the counter of tomorrow
	    yield m[:2] + b"\0" + m[3:at + 20] + b"\x7f" + m[at + 21:]                 # resigns, newer
	    yield m[:at + 4] + b"\2" + m[at + 5:]                                      # another format
	    for _ in range(200):                                                       # lives made up
	        yield m[:at + 8] + os.urandom(8) + m[at + 16:]
	what = sys.argv[1]
	if what == "capture":
	    pickle.dump(list(heard(port("eth0"), float(sys.argv[2]))), open(sys.argv[3], "wb"))
	elif what == "replay":
	    s, captured = port(sys.argv[3]), pickle.load(open(sys.argv[2], "rb"))
	    for _ in range(int(sys.argv[4])):
	        for p in captured:
	            say(s, p)
	            time.sleep(float(sys.argv[5]) / 1000)
	elif what == "carry":
	    s = port(sys.argv[4])
	    for p in heard(port(sys.argv[3]), float(sys.argv[2])):
	        say(s, p)
	else:
	    s = port("eth0")
	    for like in pickle.load(open(sys.argv[2], "rb"))[-10:]:
	        for m in forged(like):
	            say(s, packet(like, m))
	END
}

refused()
{
	ctl n2 --json status | jq -e "[.. | objects | .\"$1\"? | numbers] | max > 0" > /dev/null
}

quiet()
{
	[ "$(roles_logged)" = "$roles" ] && peer_is n1 up && peer_is n2 up
}

lab_up inside cross
lab_port c eth1 br1 10.88.0.50/24
write_stranger
keyed_conf 100
sed -i 's|^virtual_routers = ( \(.*\) );$|virtual_routers = ( \1, { name = "inside"; vrid = 51; interface = "eth1"; addresses = ( "10.88.0.100/24" ); prefer = "lb1"; } );|' "$LAB/tandem.conf"
pair
within 2 "the pair knows itself" peer_is n1 up
within 2 "both ways" peer_is n2 up
within 2 "the inside as well" role_is n1 inside active
sleep 1
roles=$(roles_logged)
stranger capture 2 "$LAB/first"
stranger replay "$LAB/first" eth0 20 0
within 2 "counted: replayed" refused replayed
expect "captures change nothing" quiet
stranger replay "$LAB/first" eth1 20 0
expect "nor on the other network" quiet
stranger carry 2 eth0 eth1
within 2 "counted: bad-router" refused bad-router
expect "nor at once, for the other router with that VRID" quiet
stranger forge "$LAB/first"
for why in no-trailer bad-key bad-mac bad-trailer; do
	within 2 "counted: $why" refused $why
done
expect "what is made up changes nothing" quiet

kill9_all n1
stranger replay "$LAB/first" eth0 400 5 &
LAB_PIDS+=($!)
stranger replay "$LAB/first" eth1 400 5 &
LAB_PIDS+=($!)
within 6 "captures of a dead node do not keep it alive" only_holder n2 $vip
within 2 "nor its inside" role_is n2 inside active
start_tandemd n1 "$LAB/tandem.conf"
within 4 "captures of its former life do not keep it out" peer_is n2 up
within 2 "nor hold it off" peer_is n1 up
within 2 "it is the standby" role_is n1 web backup
stop_node n1
stop_node n2
start_tandemd n1 "$LAB/tandem.conf"
start_tandemd n2 "$LAB/tandem.conf"
within 4 "nor keep two apart that boot" peer_is n1 up
within 2 "and believe each other" peer_is n2 up
within 4 "one is active" only_holder n1 $vip
