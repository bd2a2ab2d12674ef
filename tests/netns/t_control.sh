#!/bin/bash
# Clients of the control socket that never end their line, or follow the events and never read:
# the daemon goes on answering the others, keeps the role, and does not grow without bound.
. "$(dirname "$0")/../lib/scenario.sh"

memory_kb()
{
	awk '/^VmRSS/ {print $2}' "/proc/$(process_pid n1 "$1")/status"
}

lab_up
conf 100 '' 'log = { level = "debug"; };'
pair
sleep 0.3
roles=$(roles_logged)
in_ns n1 timeout 5 python3 - "$LAB/n1.run/tandem.sock" > "$LAB/endless" <<-'END'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(2)
s.connect(sys.argv[1])
try:
    s.sendall(b"x" * (1 << 20))
    s.shutdown(socket.SHUT_WR)
    while s.recv(65536):
        pass
    print("ended")
except TimeoutError:
    print("left hanging")
except OSError as e:
    print("ended:", e)
END
expect "a megabyte without end of line is cut off" grep -q ended "$LAB/endless"
expect "status answers" ctl n1 status

before=$(memory_kb pool)
for i in 1 2 3 4 5; do
	in_ns_bg n1 "$TANDEM_BUILD/tandemctl" -R "$LAB/n1.run" events -f > /dev/null
done
sleep 0.2
for p in $(ip netns pids "$(ns n1)"); do
	[ "$(cat "/proc/$p/comm")" = tandemctl ] && kill -STOP "$p"
done
for ((i = 0; i < 300; i++)); do
	kill -USR1 "${LAB_DAEMON[n1]}"
	sleep 0.01
done
expect "beside five that never read status answers" ctl n1 status
expect "and events" eval '[ "$(ctl n1 events | wc -l)" -gt 0 ]'
# The address sanitizer keeps what was freed for a while.
limit=8192
! grep -q __asan_init "$TANDEM_BUILD/tandemd" || limit=65536
grown=$(($(memory_kb pool) - before))
expect "the pool process has grown by $grown kB, less than $limit" [ $grown -lt $limit ]
expect "no role changed" [ "$(roles_logged)" = "$roles" ]
