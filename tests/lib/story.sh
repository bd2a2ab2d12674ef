#!/bin/bash
# The story that tests/demo tells: six chapters, each with what the client saw beside what both
# nodes said in syslog, and a verdict. Runs where IPVS is (tests/vm/run).
. "$(dirname "$0")/lab.sh"
vip=10.77.0.100 bad=0 pid_ping='' pid_loop=''

# Weights 1, 2, 3 behind NAT; the inside gateway address moves with the router.
conf()
{
	cat > "$LAB/tandem.conf" <<-END
	cluster = "demo";
	nodes = ( { name = "lb1"; address = "10.77.0.11"; }, { name = "lb2"; address = "10.77.0.12"; } );
	heartbeat = { interval_ms = 100; };
	virtual_routers = ( { name = "web"; vrid = 51; interface = "eth0"; prefer = "lb1"; standby = "$1";
	  addresses = ( "$vip/24", { address = "10.88.0.1/24"; interface = "eth1"; } );
	  on_active = "$LAB/on_active"; } );
	virtual_servers = ( { name = "http"; router = "web"; listen = "$vip:80"; scheduler = "wrr"; forwarding = "nat";
	  probe = { type = "http"; path = "/health"; expect = { status = "200"; body = "OK"; };
	            interval_ms = 500; timeout_ms = 400; rise = 2; fall = 2; };
	  real_servers = ( { name = "web1"; address = "10.88.0.21:8080"; weight = 1; },
	                   { name = "web2"; address = "10.88.0.22:8080"; weight = 2; },
	                   { name = "web3"; address = "10.88.0.23:8080"; weight = 3; } ); } );
	END
}

start_nginx()
{
	local i=$1 dir=$LAB/web$1

	mkdir -p "$dir/www"
	echo OK > "$dir/www/health"
	echo "hello from web$i" > "$dir/www/index.html"
	[ -e "$dir/www/big" ] || cp "$LAB/big" "$dir/www/big"
	cat > "$dir/nginx.conf" <<-END
	daemon off; worker_processes 1; pid $dir/pid; error_log $dir/error.log; user root;
	events { worker_connections 512; }
	http { access_log off; client_body_temp_path $dir/t1; proxy_temp_path $dir/t2; fastcgi_temp_path $dir/t3;
	  uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
	  server { listen 8080; root $dir/www; add_header X-Server web$i always;
	    location /big { limit_rate 400k; } } }
	END
	in_ns_bg r$i nginx -c "$dir/nginx.conf"
	NGINX[i]=$!
}
NGINX=()

chapter()
{
	printf '\n==== %s\n\n' "$*"
	syslog_mark n1
	syslog_mark n2
}

# The lines that matter of both nodes since the chapter began.
nodes_said()
{
	local n

	for n in n1 n2; do
		syslog_since $n | sed -n 's/^\(.*\) tandemd\[[0-9]*\]: \(event=\(role\|server\|link\|hook\|conflict\).*\)/\1 \2/p' |
			sed "s/^.*\(event=\)/  lb${n#n}  \1/" | head -12
	done
}

verdict()
{
	local what=$1

	shift
	if "$@"; then
		printf 'ok demo %s\n' "$what"
	else
		printf 'FAIL demo %s\n' "$what"
		bad=1
	fi
}

pool_is()
{
	[ "$(ctl "$1" --json status | jq -r '.virtual_servers[0] | "\(.programmed) \(.healthy)"')" = "true $2" ]
}

watch_client()
{
	in_ns_bg c "$(lab_tool pinger)" $vip 2 60000 > "$LAB/ping"
	pid_ping=$!
	in_ns_bg c "$(lab_tool httploop)" $vip 80 / 50 60 3000 > "$LAB/loop"
	pid_loop=$!
	wait_for 10 grep -q ready "$LAB/ping" && wait_for 10 grep -q ready "$LAB/loop"
}

client_saw()
{
	kill -TERM "$pid_ping" "$pid_loop"
	wait "$pid_ping" "$pid_loop"
	ping_json=$(grep '^{' "$LAB/ping")
	loop_json=$(grep '^{' "$LAB/loop")
	outage=$(jq .longest_gap_ms <<< "$ping_json")
	failures=$(jq '[.refused, .reset, .timed_out, .bad_answer] | add' <<< "$loop_json")
	printf 'The client saw: outage %s ms; %s of %s requests failed; slowest answer %s ms.\n' \
		"$outage" "$failures" "$(jq .requests <<< "$loop_json")" "$(jq .slowest_ms <<< "$loop_json")"
}

shares_fit()
{
	in_ns c "$(lab_tool httploop)" $vip 80 / 40 6 3000 > "$LAB/shares"
	grep '^{' "$LAB/shares" | jq -r '"The client saw: \(.requests) requests, shares \(.servers | tostring)."'
	grep '^{' "$LAB/shares" | jq -e '.good as $n | .servers | (((.web1 // 0) / $n - 1/6) | fabs) < 0.05 and
		(((.web2 // 0) / $n - 2/6) | fabs) < 0.05 and (((.web3 // 0) / $n - 3/6) | fabs) < 0.05' > /dev/null
}

server_out_and_in()
{
	watch_client || return 1
	kill -TERM "${NGINX[2]}"
	wait_for 10 pool_is n1 2 || return 1
	sleep 1
	echo "web2 was stopped: $(ctl n1 --json status | jq -r '.virtual_servers[0] | "\(.healthy) of \(.total) healthy"')"
	start_nginx 2
	wait_for 10 pool_is n1 3 || return 1
	sleep 0.5
	client_saw
	echo "(Requests fail from the moment nginx is stopped until it is found out, and at no other time.)"
	nodes_said
	logged n1 event=server server=web2 to=down && logged n1 event=server server=web2 from=down to=up
}

download()
{
	in_ns_bg c curl -s --max-time 20 -o "$LAB/got" "http://$vip/big"
	pid_download=$!
}

downloaded()
{
	wait "$pid_download" && cmp -s "$LAB/got" "$LAB/big"
}

pull_the_cable()
{
	watch_client || return 1
	download
	sleep 1
	echo "The service cable of lb1 is pulled."
	cable_pull n1 eth0
	wait_role n2 web active 10 || return 1
	sleep 2
	client_saw
	if downloaded; then
		echo "The download that was under way went on to the end. Connections lost: 0."
		lost=0
	else
		echo "The download that was under way broke. Connections lost: 1."
		lost=1
	fi
	nodes_said
	cable_plug n1 eth0
}

hot_failover()
{
	pull_the_cable && [ "$lost" = 0 ] && awk "BEGIN { exit !($outage < 1500) }"
}

cold_failover()
{
	pull_the_cable || return 1
	echo "(In cold standby connections end with the node that carried them; new ones are served.)"
	wait_for 10 grep -q 'web active' "$LAB/hook.log" && in_ns c curl -sS --max-time 3 "http://$vip/" | grep -q hello &&
		awk "BEGIN { exit !($outage < 3000) }"
}

switch_over()
{
	watch_client || return 1
	download
	sleep 1
	echo "\$ tandemctl switchover"
	ctl n1 switchover || return 1
	sleep 2
	client_saw
	downloaded || { echo "The download broke."; return 1; }
	echo "The download that was under way went on to the end. Connections lost: 0."
	nodes_said
	role_is n2 web active && awk "BEGIN { exit !($outage < 500) }"
}

start_both()
{
	conf "$1"
	start_tandemd n1 "$LAB/tandem.conf"
	wait_role n1 web active 20 || return 1
	start_tandemd n2 "$LAB/tandem.conf"
	wait_role n2 web backup 20 && wait_for 20 pool_is n1 3
}

stop_both()
{
	stop_node n2
	stop_node n1
	cable_plug n1 eth0
	sleep 0.5
}

lab_up reals 3
head -c 2000000 /dev/urandom > "$LAB/big"
printf '#!/bin/sh\necho "$1 $2 $3" >> %s\n' "$LAB/hook.log" > "$LAB/on_active"
chmod 755 "$LAB/on_active" "$LAB"
for i in 1 2 3; do
	start_nginx $i
done

chapter "Two nodes, three nginx behind IPVS, weights 1 : 2 : 3"
verdict "two nodes start, one is active" start_both hot
ctl n1 status
verdict "requests are shared out by weight" shares_fit
chapter "One real server is stopped, and comes back"
verdict "a stopped server is seen, taken out, and back again" server_out_and_in
chapter "Hot standby: the active's cable is pulled during a long download"
wait_for 20 pool_is n2 3
verdict "hot standby: the download survives a pulled cable" hot_failover
stop_both
chapter "Cold standby: the same"
verdict "cold standby starts" start_both cold
verdict "nothing is programmed on a cold backup" [ "$(in_ns n2 ipvsadm -Ln | grep -c "$vip")" = 0 ]
verdict "cold standby: served again after a pulled cable, on_active ran" cold_failover
stop_both
chapter "A planned switchover, in hot standby"
verdict "two nodes start again" start_both hot
wait_for 20 pool_is n2 3
verdict "planned switchover: download and requests go on" switch_over
printf '\n==== %s\n' "$([ $bad = 0 ] && echo 'Everything held.' || echo 'Not everything held: see FAIL above.')"
exit $bad
