#!/bin/bash
# Reload: what changed takes effect, what did not is not touched, a bad file changes nothing.
. "$(dirname "$0")/../lib/scenario.sh"

lab_up
conf 100
pair
roles=$(roles_logged)
sed "s,\"$vip/24\",\"$vip/24\"\, \"10.77.0.101/24\"," "$LAB/tandem.conf" > "$LAB/two" && cp "$LAB/two" "$LAB/tandem.conf"
kill -HUP "${LAB_DAEMON[n1]}" "${LAB_DAEMON[n2]}"
within 2 "an address more is held" has_address n1 10.77.0.101
conf 100
expect "tandemctl reload succeeds" ctl n1 reload
within 2 "an address less is gone" not has_address n1 10.77.0.101
expect "the other address stayed" has_address n1 $vip
cp "$LAB/tandem.conf" "$LAB/good"
printf 'intervall = 1;\nlog = { level = "loud"; };\n' >> "$LAB/tandem.conf"
ctl n1 reload > "$LAB/refused" 2>&1
expect "tandemctl reload refuses with status 2" [ $? = 2 ]
expect "it names both errors with their lines" [ "$(grep -c 'tandem.conf:[0-9]*: ' "$LAB/refused")" -ge 2 ]
kill -HUP "${LAB_DAEMON[n1]}"
within 2 "SIGHUP with a bad file is logged" logged n1 event=config reason=refused line=
expect "nothing changed role" [ "$(roles_logged)" = "$roles" ]
expect "one holder" only_holder n1 $vip
