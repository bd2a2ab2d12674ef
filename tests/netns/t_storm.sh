#!/bin/bash
# A reload every 100 ms at the shortest interval, each with another set of addresses: every change
# takes effect and no role changes.
. "$(dirname "$0")/../lib/scenario.sh"

with_address() # LAST-OCTET
{
	conf 10
	sed -i "s,\"$vip/24\",\"$vip/24\"\, \"10.77.0.$1/24\"," "$LAB/tandem.conf"
}

lab_up
with_address 110
pair
sleep 0.5
roles=$(roles_logged)
for ((i = 1; i <= 30; i++)); do
	with_address $((110 + i))
	kill -HUP "${LAB_DAEMON[n1]}" "${LAB_DAEMON[n2]}"
	sleep 0.1
done
within 2 "the last reload took effect" only_holder n1 10.77.0.140
within 1 "and so did the one before" [ -z "$(holders 10.77.0.139)" ]
expect "most reloads were loaded one by one" [ "$(grep -c 'event=config reason=loaded' "$LAB/n1.syslog")" -ge 20 ]
expect "no role changed" [ "$(roles_logged)" = "$roles" ]
expect "the address stayed" only_holder n1 $vip
expect "the client is served" client_served
