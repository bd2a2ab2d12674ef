#!/bin/bash
# What a service manager and an operator at the shell see of tandemd: which node it takes itself for,
# its exit statuses, start in the background, a second start, a run directory left by a killed daemon,
# who may use the control socket, and what it tells systemd (ready, reloading, alive, stopping).
. "$(dirname "$0")/../lib/scenario.sh"
tandemd=$TANDEM_BUILD/tandemd

# run NODE ARGS...: tandemd on the run and state directory of that node, no -n
run()
{
	local node=$1

	shift
	mkdir -p "$LAB/$node.run" "$LAB/$node.lib"
	in_ns "$node" "$tandemd" -R "$LAB/$node.run" -S "$LAB/$node.lib" "$@" > "$LAB/$node.said" 2>&1
}

# exits STATUS COMMAND...
exits()
{
	local wanted=$1

	shift
	"$@"
	[ $? = "$wanted" ]
}

said()
{
	grep -q -- "$2" "$LAB/$1.said"
}

node_is()
{
	[ "$(ctl "$1" --json status | jq -r .node)" = "$2" ]
}

gone()
{
	local state

	state=$(sed 's/.*) //' "/proc/$1/stat" 2> /dev/null) # in a container nobody may take it
	[ "${state:0:1}" = Z ] || [ -z "$state" ]
}

stop_background()
{
	local pid

	pid=$(cat "$LAB/$1.run/tandemd.pid")
	kill -"${2:-TERM}" "$pid"
	within 3 "SIG${2:-TERM} ends it" gone "$pid"
}

# nodes_conf ADDRESS1 ADDRESS2 [NAME1]
nodes_conf()
{
	cat > "$LAB/tandem.conf" <<-END
	nodes = ( { name = "${3:-lb1}"; address = "$1"; }, { name = "lb2"; address = "$2"; } );
	virtual_routers = ( { name = "web"; vrid = 51; interface = "eth0"; addresses = ( "$vip/24" ); } );
	END
}

# The socket of a service manager; every message is a line.
manager()
{
	cat > "$LAB/manager.py" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind(sys.argv[1])
	while True:
	    print(s.recv(4096).decode().replace("\n", " "), flush=True)
	END
	in_ns_bg n1 python3 "$LAB/manager.py" "$LAB/notify" > "$LAB/notified"
	wait_for 5 test -S "$LAB/notify"
}

told()
{
	[ "$(grep -c -- "$1" "$LAB/notified")" -ge "${2:-1}" ]
}

lab_up
conf 100

expect "an unknown option: 1" exits 1 run n1 -x
expect "no file: 1" exits 1 run n1 -f "$LAB/none"
expect "which is named" said n1 "$LAB/none:.*No such file"
expect "no node of that name: 1" exits 1 run n1 -n lb9 -f "$LAB/tandem.conf"
expect "no state directory: 2" exits 2 in_ns n1 "$tandemd" -F -f "$LAB/tandem.conf" -R "$LAB" -S /proc/none
expect "no run directory: 2" exits 2 in_ns n1 "$tandemd" -F -f "$LAB/tandem.conf" -R /proc/none -S "$LAB"
expect "no capability: 2" exits 2 in_ns n1 setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$tandemd" -F \
	-f "$LAB/tandem.conf" -R "$LAB" -S "$LAB"

expect "in the background: 0 once it is up" exits 0 run n2 -f "$LAB/tandem.conf"
expect "it is up" node_is n2 lb2
expect "by its address" test ! -s "$LAB/n2.said"
expect "root alone may ask" test "$(stat -c %a "$LAB/n2.run/tandem.sock")" = 600
expect "a second start: 2" exits 2 run n2 -f "$LAB/tandem.conf"
expect "and why" said n2 "another tandemd runs on run directory $LAB/n2.run"
expect "the first one does not mind" node_is n2 lb2
stop_background n2
expect "its socket and pid file are gone" test ! -e "$LAB/n2.run/tandem.sock" -a ! -e "$LAB/n2.run/tandemd.pid"

expect "started again" run n2 -f "$LAB/tandem.conf"
kill9_all n2
expect "killed: its run directory is left as it is" test -e "$LAB/n2.run/tandem.sock" -a -e "$LAB/n2.run/tandemd.pid"
expect "tandemctl says 3" exits 3 ctl n2 status
expect "and is no obstacle" run n2 -f "$LAB/tandem.conf"
expect "for the next one" node_is n2 lb2
stop_background n2 INT

ip -n "$(ns n2)" address add fd00:77::12/64 dev eth0
nodes_conf fd00:77::11 fd00:77::12
expect "a node is found by an IPv6 address" run n2 -f "$LAB/tandem.conf"
expect "its own" node_is n2 lb2
stop_background n2
nodes_conf 10.77.0.201 10.77.0.202 box-a
expect "no address and no name of this box: 1" exits 1 run n1 -f "$LAB/tandem.conf"
expect "and what to do" said n1 "use -n NODE"
expect "by the host's name" in_ns n1 unshare -u sh -c 'hostname box-a.example.net && exec "$@"' sh \
	"$tandemd" -f "$LAB/tandem.conf" -R "$LAB/n1.run" -S "$LAB/n1.lib"
expect "without its domain" node_is n1 box-a
stop_background n1

conf 100
manager
NOTIFY_SOCKET=$LAB/notify WATCHDOG_USEC=2000000 start_tandemd n1 "$LAB/tandem.conf"
within 3 "systemd is told that it is ready" told "READY=1 MAINPID=${LAB_DAEMON[n1]}"
within 2 "and that it is alive" told WATCHDOG=1 3
kill -HUP "${LAB_DAEMON[n1]}"
within 2 "a reload begins" told "RELOADING=1 MONOTONIC_USEC="
within 2 "and ends" told READY=1 2
echo 'nonsense;' >> "$LAB/tandem.conf"
kill -HUP "${LAB_DAEMON[n1]}"
within 2 "that of a bad file, too" told READY=1 3
kill -STOP "${LAB_DAEMON[n1]}"
sleep 0.5
alive=$(grep -c WATCHDOG=1 "$LAB/notified")
sleep 1
expect "a supervisor that hangs does not say that it is alive" test "$(grep -c WATCHDOG=1 "$LAB/notified")" = "$alive"
kill -CONT "${LAB_DAEMON[n1]}"
kill -TERM "${LAB_DAEMON[n1]}"
expect "a clean stop: 0" exits 0 wait "${LAB_DAEMON[n1]}"
expect "which was told" told STOPPING=1
expect "every line of a process names it" not eval 'cat "$LAB"/n?.syslog | grep event=process | grep -v " name="'
