#!/bin/bash
# What a router tracks, among plain VRRP routers: a local web server that dies, a script that fails,
# hangs or leans on the priority. What is lost gives the role away and says why; what is back lets
# the node take part again; verdicts outlive the processes that found them. (t_track_local.sh has
# the keyed pair, t_track_gateways.sh the gateways.)
. "$(dirname "$0")/../lib/scenario.sh"
. "$(dirname "$0")/../lib/nginx.sh"
nap=4711.$$ # seconds, and a name of our own

# track_is NODE NAME true|false|null
track_is()
{
	[ "$(ctl "$1" --json status 2> /dev/null |
		jq -r --arg n "$2" '.routers[0].track[] | select(.name == $n) | .up')" = "$3" ]
}

priority_is()
{
	[ "$(ctl "$1" --json status 2> /dev/null | jq -r '.routers[0].priority')" = "$2" ]
}

# A script that does what the files say: $LAB/fail.lbN, $LAB/hang.lbN.
check_script()
{
	cat > "$LAB/check" <<-END
	#!/bin/sh
	[ "\$TANDEM_ROUTER \$TANDEM_TRACK" = "\$*" ] || exit 9
	[ ! -e "$LAB/hang.\$TANDEM_NODE" ] || sleep $nap
	[ ! -e "$LAB/fail.\$TANDEM_NODE" ] || { echo "no disk" >&2; echo "more" >&2; exit 3; }
	END
	chmod 755 "$LAB/check"
}

pool_is_another()
{
	local pid

	pid=$(process_pid "$1" pool) && [ "$pid" != "$2" ] && ctl "$1" --json status
} > /dev/null 2>&1

either_active()
{
	role_is n1 web active || role_is n2 web active
}

sleepers()
{
	pgrep -cfx "sleep $nap" --ns "${LAB_DAEMON[$1]}" --nslist net
}

stop_both()
{
	kill -TERM "${LAB_DAEMON[n1]}" "${LAB_DAEMON[n2]}"
	stop_node n1
	stop_node n2
	truncate -s 0 "$LAB"/n?.syslog
}

# The active's web server dies: the other node takes over within a second, and the other way round.
probe_moves()
{
	conf 50 "prefer = \"lb1\"; standby = \"$1\"; track = { probes = ( { name = \"nginx\";
	  address = \"127.0.0.1:8080\"; type = \"http\"; interval_ms = 80; fall = 2; } ); };"
	nginx_start n1
	nginx_start n2
	pair
	within 2 "$1: the active's web server is known to be well" track_is n1 nginx true
	within 2 "$1: that of the standby too" track_is n2 nginx true
	nginx_kill n1
	within 2 "$1: its web server dead, n2 takes over" role_is n2 web active
	within 1 "$1: n2 alone has the address" only_holder n2 $vip
	expect "$1: the client is served" client_served
	within 1 "$1: the reason is told" logged n1 event=role from=active to=fault reason=probe-failed
	expect "$1: and what was lost" logged n1 event=track router=web name=nginx kind=probe from=up to=down \
		reason=tcp-refused detail=111
	within 2 "$1: status has it" track_is n1 nginx false
	expect "$1: the table names it" grep -q "web: probe nginx is lost: connection refused (111); this node is not fit" \
		<(ctl n1 status)
	sleep 0.4
	expect "$1: the unfit node, although preferred, is quiet" only_holder n2 $vip
	nginx_start n1
	within 3 "$1: the web server back, n1 is backup" role_is n1 web backup
	expect "$1: because it is fit" logged n1 event=role from=fault to=backup reason=fit-again
	nginx_kill n2
	within 2 "$1: the other dies, n1 takes over" role_is n1 web active
	within 1 "$1: n1 alone has the address" only_holder n1 $vip
}

# Nobody who dies takes the verdicts along.
verdicts_survive()
{
	local pid

	syslog_mark n2
	pid=$(process_pid n2 pool)
	kill -KILL "$pid"
	within 3 "the pool process comes back" pool_is_another n2 "$pid"
	sleep 0.4
	expect "the pool process dead and back, n2 is as unfit as before" role_is n2 web fault
	expect "status knows it" track_is n2 nginx false
	pid=$(process_pid n2 election)
	kill -KILL "$pid"
	within 3 "the election process back, n2 is still unfit" role_is n2 web fault
	sleep 0.3
	expect "and was nothing else in between" not grep -qE 'event=role.*to=(backup|active)' <(syslog_since n2)
	expect "nor was the verdict" not grep -q event=track <(syslog_since n2)
	nginx_kill n1
	within 2 "both lost: nobody has the address" not has_address n1 $vip
	nginx_start n1
	nginx_start n2
	within 5 "both are back, and one of them is active" either_active
	stop_both
	nginx_kill n1
	nginx_kill n2
}

script_moves()
{
	check_script
	conf 50 "prefer = \"lb1\"; track = { scripts = ( { name = \"disk\"; command = \"$LAB/check\";
	  interval_ms = 200; timeout_ms = 150; fall = 2; } ); };"
	pair
	within 2 "the script is well" track_is n1 disk true
	touch "$LAB/fail.lb1"
	within 3 "it fails: n2 takes over" only_holder n2 $vip
	within 1 "the reason is told" logged n1 event=role from=active to=fault reason=script-failed
	expect "with the first line of stderr" logged n1 event=track name=disk kind=script to=down \
		reason=script-failed 'detail="exit 3: no disk"'
	sed -i 's/interval_ms = 50/interval_ms = 60/' "$LAB/tandem.conf"
	expect "a reload of something else" ctl n1 reload
	sleep 0.5
	expect "changes no verdict" role_is n1 web fault
	rm "$LAB/fail.lb1"
	within 4 "it is well again: n1 is backup" role_is n1 web backup
	expect "the reload did not forget" not logged n1 event=track from=unknown to=down
	touch "$LAB/hang.lb2"
	within 4 "the script of n2 hangs: n1 takes over" only_holder n1 $vip
	expect "because it was killed" logged n2 event=track name=disk to=down reason=script-failed \
		'detail="did not end in 150 ms; killed"'
	expect "never are there two" test "$(for _ in 1 2 3 4 5 6; do sleepers n2; sleep 0.1; done | sort -n | tail -n 1)" -le 1
	rm "$LAB/hang.lb2"
	sleep 0.4
	expect "what it had started is gone too" test "$(sleepers n2)" = 0
	within 4 "n2 is backup" role_is n2 web backup
	touch "$LAB/hang.lb1" "$LAB/hang.lb2"
	sleep 0.3
	stop_both
	sleep 0.2
	expect "nothing is left of a stopped daemon" test "$(pgrep -cfx "sleep $nap")" = 0
	rm "$LAB/hang.lb1" "$LAB/hang.lb2"
}

# weight_moves PREEMPT: the pair runs, and n1 is active.
weight_moves()
{
	within 2 "preempt $1: the script is well" track_is n1 load true
	expect "preempt $1: full priority" priority_is n1 150
	touch "$LAB/fail.lb1"
	within 3 "preempt $1: 60 less when it fails" priority_is n1 90
}

lab_up
probe_moves hot
stop_both
nginx_kill n1
nginx_kill n2
probe_moves cold
verdicts_survive
script_moves
conf 50 "prefer = \"lb1\"; preempt = true; track = { scripts = ( { name = \"load\"; command = \"$LAB/check\";
  interval_ms = 200; timeout_ms = 150; fall = 2; weight = -60; } ); };"
pair
weight_moves true
within 2 "n2 preempts" only_holder n2 $vip
expect "n1 is no worse than backup" role_is n1 web backup
rm "$LAB/fail.lb1"
within 4 "well again, n1 preempts" only_holder n1 $vip
expect "with all its priority" priority_is n1 150
sed -i 's/preempt = true/preempt = false/' "$LAB/tandem.conf"
expect "without preemption from here on" ctl n1 reload
expect "on both" ctl n2 reload
weight_moves false
sleep 0.4
expect "without preemption nothing moves" only_holder n1 $vip
