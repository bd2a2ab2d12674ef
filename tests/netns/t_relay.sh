#!/bin/bash
# A host with a frozen ARP entry, and nodes that do not forward: after a planned switchover what it
# still sends to the former active is passed on to the new one, for a while. (The bound is wide: the
# relay has no real-time priority, and a machine may be busy. Without it some 2,700 pings are lost.)
. "$(dirname "$0")/../lib/scenario.sh"
vip6=fd00:77::100 bytes=3000000

freeze_entries()
{
	local mac

	mac=$(in_ns "$1" cat /sys/class/net/eth0/address)
	in_ns c ip neigh replace $vip lladdr "$mac" nud permanent dev eth0
	in_ns c ip neigh replace $vip6 lladdr "$mac" nud permanent dev eth0
}

forward()
{
	local i

	for i in 1 2; do
		in_ns n$i sysctl -qw net.ipv4.ip_forward="$1" net.ipv6.conf.all.forwarding="$1"
	done
}

served6()
{
	in_ns c ping -6 -c 3 -i 0.05 -W 1 -q $vip6
}

# A server that counts what it is sent, and a client that sends it much: large segments that the
# sender's kernel has not cut and whose checksums are unfinished.
count_server='import socket
s = socket.create_server(("", 7000))
while True:
	c, _ = s.accept()
	n = 0
	while d := c.recv(65536):
		n += len(d)
	c.sendall(b"%d" % n)
	c.close()'
upload='import socket, sys
c = socket.create_connection((sys.argv[1], 7000), 6)
c.sendall(bytes(int(sys.argv[2])))
c.shutdown(socket.SHUT_WR)
print(c.recv(64).decode())'

is_counted()
{
	[ "$(in_ns c timeout 7 python3 -c "$upload" $vip $bytes)" = $bytes ]
}

# listening NODE: its packet sockets for IPv4 (ETH_P_IP)
listening()
{
	in_ns "$1" awk '$4 == "0800"' /proc/net/packet | wc -l
}

# The client's pings lost while the addresses move from NODE.
lost_in_switchover()
{
	in_ns c "$(lab_tool pinger)" $vip 1 3000 > "$LAB/ping" &
	LAB_PIDS+=($!)
	local pinger=$!
	wait_for 2 grep -q ready "$LAB/ping" || fail "no answer before the switchover"
	sleep 0.3
	ctl "$1" switchover > /dev/null || fail "no switchover"
	wait $pinger
	jq -s '.[-1].lost' < <(grep '^{' "$LAB/ping")
}

lab_up cross
forward 0
for i in 1 2; do
	in_ns n$i ip address add fd00:77::1$i/64 dev eth0 nodad
	in_ns_bg n$i python3 -c "$count_server"
done
in_ns c ip address replace fd00:77::2/64 dev eth0 nodad
keyed_conf 100
sed -i "s|addresses = ([^)]*)|addresses = ( \"$vip/24\", \"$vip6/64\" )|" "$LAB/tandem.conf"
pair
within 2 "both see each other" peer_is n1 up
freeze_entries n1
lost=$(lost_in_switchover n1)
echo "lost over the frozen entry: $lost of 3000"
[ "$lost" -le 200 ] || fail "the former active does not relay: $lost pings of 3000 lost"
expect "the new active has the address" only_holder n2 $vip
expect "the relay listens" [ "$(listening n1)" = 1 ]
expect "the client is served over the frozen entry" client_served
expect "and over IPv6" served6
expect "so are large segments" is_counted
within 12 "the relay ends, and tells what it passed on" logged n1 event=relay router=web 'frames=[0-9][0-9]'
expect "the entry was frozen indeed" not client_served

freeze_entries n2
expect "the right entry serves" client_served
lost=$(lost_in_switchover n2)
[ "$lost" -le 200 ] || fail "back again: $lost pings of 3000 lost"
lost=$(lost_in_switchover n1)
echo "and away from it while it relays: $lost of 3000"
expect "a node that has the addresses again relays no more" only_holder n2 $vip
expect "and serves" client_served

forward 1
freeze_entries n2
lost_in_switchover n2 > /dev/null
expect "with forwarding the kernel passes them on" client_served
expect "and the relay does not listen" [ "$(listening n2)" = 0 ]
