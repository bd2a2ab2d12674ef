#!/bin/bash
# Marks on probes: servers that only another table of routes reaches, chosen by fwmark, probed in every
# way. The prober, its successor and a new pool process's get their sockets; without the rule, or
# without the mark, the servers are not reached.
. "$(dirname "$0")/../lib/scenario.sh"
kinds="tcp half_open http kept udp dns icmp agent sourced icmp6"
times='interval_ms = 200; timeout_ms = 190; rise = 1; fall = 2; flap_falls = 0;'

service() # PORT NAME SERVER PROBE-KEYS
{
	printf '{ name = "%s"; router = "web"; listen = "%s"; correlated_hold_ms = 0; probe = { %s %s };
	  real_servers = ( { name = "r_%s"; address = "%s"; } ); },\n' "$2" \
		"$([[ $3 == *::* ]] && echo "[fd00:77::100]:$1" || echo $vip:"$1")" "$4" "$times" "$2" "$3"
}

marked_conf() # MARK
{
	conf 100 'prefer = "lb1"; standby = "hot"; addresses = ( "10.77.0.100/24", "fd00:77::100/64" );' "virtual_servers = (
	$(service 8001 tcp 10.99.0.21:7001 "type = \"tcp\"; mark = $1;")
	$(service 8002 half_open 10.99.0.21:7001 "type = \"tcp\"; half_open = true; mark = $1;")
	$(service 8003 http 10.99.0.21:7002 "type = \"http\"; mark = $1;")
	$(service 8004 kept 10.99.0.21:7002 "type = \"http\"; keep_alive = true; mark = $1;")
	$(service 8005 udp 10.99.0.21:7004 "type = \"udp\"; send = \"you\"; expect = { answer = \"hello you\"; }; mark = $1;")
	$(service 8006 dns 10.99.0.21:7005 "type = \"dns\"; query = \"www.example.com\"; query_type = \"A\"; mark = $1;")
	$(service 8007 icmp 10.99.0.21 "type = \"icmp\"; mark = $1;")
	$(service 8008 agent 10.99.0.21:7006 "type = \"agent\"; port = 7006; mark = $1;")
	$(service 8009 sourced 10.99.0.21:7001 "type = \"tcp\"; mark = $1; source = { lb1 = \"10.88.0.11\"; lb2 = \"10.88.0.12\"; };")
	$(service 8010 icmp6 fd00:99::21 "type = \"icmp\"; mark = $1;")
	$(service 8011 plain 10.99.0.21:7001 'type = "tcp";' | sed '$s/,$//') );"
	sed -i 's/addresses = ( "10.77.0.100\/24" ); //' "$LAB/tandem.conf"
}

# healths NODE: of those with a mark, and of the one without
healths()
{
	ctl "$1" --json status | jq -r '[.virtual_servers[] | select(.name != "plain") | .real_servers[].health] | unique | join(" ")'
}

plain_is()
{
	[ "$(ctl n1 --json status | jq -r '.virtual_servers[] | select(.name == "plain") | .real_servers[].health')" = "$1" ]
}

all_are()
{
	[ "$(healths n1)" = "$1" ]
}

rules() # add|del
{
	ip -n "$(ns n1)" rule "$1" fwmark 7 lookup 100
	ip -n "$(ns n1)" -6 rule "$1" fwmark 7 lookup 100
}

way_and_back()
{
	rules del
	within 5 "$1: without the rule nobody is reached" all_are down
	rules add
	within 5 "$1: with it all are" all_are up
}

descriptors()
{
	ls "/proc/$(process_pid n1 prober)/fd" | wc -l
}

lab_up inside reals 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 99 -subj /CN=probed \
	-keyout "$LAB/certkey" -out "$LAB/cert" 2> /dev/null || fail "no certificate"
ip -n "$(ns n1)" address add fd00:88::11/64 dev eth1
ip -n "$(ns r1)" address add fd00:88::21/64 dev eth1
for a in 10.99.0.21/32 fd00:99::21/128; do
	ip -n "$(ns r1)" address add $a dev lo
done
ip -n "$(ns n1)" route add 10.99.0.21 via 10.88.0.99 # of nobody
ip -n "$(ns n1)" -6 route add fd00:99::21 via fd00:88::99 dev eth1
ip -n "$(ns r1)" route replace 10.88.0.0/24 dev eth1 src 10.99.0.21 # what answers datagrams is asked there
ip -n "$(ns n1)" route add 10.99.0.21 via 10.88.0.21 table 100
ip -n "$(ns n1)" -6 route add fd00:99::21 via fd00:88::21 table 100
rules add
in_ns_bg r1 python3 "$LAB_TOP/tests/tools/probed.py" "$LAB/cert" "$LAB/certkey" > /dev/null 2>&1
wait_for 5 eval "[ \$(in_ns r1 ss -Hlntu | grep -c :700) = 6 ]" || fail "no servers"
marked_conf 7
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || exit 1
within 5 "reached by the mark, in every way: $kinds" all_are up
expect "not without it" plain_is down
for name in tcp http udp dns icmp agent; do
	expect "$name was up from its first result on" logged n1 event=server virtual=$name from=unknown to=up
done
way_and_back "at first"
before=$(descriptors)
sleep 2
expect "sockets do not pile up ($before, then $(descriptors))" eval '[ "$(descriptors)" -le $((before + 16)) ] && [ $before -lt 160 ]'
kill -KILL "$(process_pid n1 prober)"
within 5 "a successor" eval 'process_pid n1 prober > /dev/null'
way_and_back "a new prober"
kill -KILL "$(process_pid n1 pool)"
within 5 "a new pool process asks" eval '[ "$(healths n1)" = up ]'
way_and_back "a new pool process"
expect "no fault of this node's" not logged n1 event=probe reason=local-error
expect "the prober has no privilege" grep -q '^CapPrm:.*0000000000000000$' "/proc/$(process_pid n1 prober)/status"
before=$(descriptors)
marked_conf 8
ctl n1 reload > /dev/null
within 5 "another mark has no rule" all_are down
marked_conf 0
ctl n1 reload > /dev/null
within 5 "without one the stock is given back" eval '[ "$(descriptors)" -le '$((before - 15))' ]'
within 5 "and nobody is reached" all_are down
exit 0
