#!/bin/bash
# What tandemd refuses to do, and how it says so.
. "$(dirname "$0")/../lib/scenario.sh"

lab_up
conf 100
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || fail "n1 does not become active"
in_ns n1 "$TANDEM_BUILD/tandemd" -F -f "$LAB/tandem.conf" -n lb1 -R "$LAB/n1.run" -S "$LAB/n1.lib" > "$LAB/second" 2>&1
expect "a second daemon on the run directory ends with status 2" [ $? = 2 ]
expect "and says why" grep -q 'another tandemd' "$LAB/second"
kill -STOP "${LAB_DAEMON[n1]}"
in_ns n1 timeout 5 "$TANDEM_BUILD/tandemd" -F -f "$LAB/tandem.conf" -n lb1 -R "$LAB/n1.run" -S "$LAB/n1.lib" > "$LAB/second" 2>&1
status=$?
kill -CONT "${LAB_DAEMON[n1]}"
expect "also while the first is stopped" [ $status = 2 ]
expect "which keeps its role and address" only_holder n1 $vip
echo 99999999 > "$LAB/n2.pidfile"
mkdir -p "$LAB/n2.run" && cp "$LAB/n2.pidfile" "$LAB/n2.run/tandemd.pid" && touch "$LAB/n2.run/tandemd.lock"
start_tandemd n2 "$LAB/tandem.conf"
within 5 "a stale pid file and lock file do not matter" role_is n2 web backup
chmod 755 "$LAB"
setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all "$TANDEM_BUILD/tandemd" -F -n lb1 \
	-f "$LAB/tandem.conf" -R "$LAB/x" -S "$LAB/y" > "$LAB/nonroot" 2>&1
expect "without privileges: status 2" [ $? = 2 ]
expect "and says what is missing" grep -q 'CAP_NET_ADMIN' "$LAB/nonroot"
"$TANDEM_BUILD/tandemd" -t -f "$LAB/tandem.conf"
expect "-t on a good file: status 0" [ $? = 0 ]
echo 'x = 1;' >> "$LAB/tandem.conf"
"$TANDEM_BUILD/tandemd" -t -f "$LAB/tandem.conf" 2> "$LAB/errors"
expect "-t on a bad file: status 1" [ $? = 1 ]
"$TANDEM_BUILD/tandemd" --nonsense 2> /dev/null
expect "bad usage: status 1" [ $? = 1 ]
