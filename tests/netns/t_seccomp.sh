#!/bin/bash
# The prober's filter of system calls, on a pair that serves. Under strace, from its fork to its stop, with every kind
# of probe that it runs (good, failing, silent, changed by a reload), it makes no call that the filter lacks, and the
# filter has none without a use. One forbidden call, which strace puts in the place of another, kills it and nothing else.
. "$(dirname "$0")/../lib/scenario.sh"
kinds="icmp tcp half_open line http https udp dns path path6 agent"
vip6=fd00:77::100
patient='interval_ms = 400; timeout_ms = 390; rise = 1; fall = 3; interval_fast_ms = 100; flap_falls = 0;'

service() # NUMBER NAME PORT PROBE-KEYS [SEPARATOR]
{
	printf '{ name = "%s"; router = "web"; listen = "%s:%d"; correlated_hold_ms = 0;
	  probe = { %s %s }; real_servers = ( { name = "r_%s"; address = "10.88.0.21:%d"; } ); }%s\n' \
		"$2" $vip $((8000 + $1)) "$4" "$patient" "$2" "$3" "${5-,}"
}

probed_conf() # [PATH]
{
	conf 100 'prefer = "lb1"; standby = "hot";' "virtual_servers = (
	$(service 1 icmp 7001 'type = "icmp";')
	$(service 2 tcp 7001 'type = "tcp";')
	$(service 3 half_open 7001 'type = "tcp"; half_open = true;')
	$(service 4 line 7001 'type = "tcp"; send = "you"; expect = { answer = "hello you"; };')
	$(service 5 http 7002 "type = \"http\"; path = \"${1:-/}\"; version = \"1.1\"; keep_alive = true;
	  expect = { regex = \"U.\"; json = { pointer = \"/status\"; value = \"UP\"; }; };")
	$(service 6 https 7003 "type = \"https\"; path = \"${1:-/}\"; ca_file = \"$LAB/cert\";")
	$(service 7 udp 7004 'type = "udp"; send = "you"; expect = { answer = "hello you"; };')
	$(service 8 dns 7005 'type = "dns"; query = "www.example.com"; query_type = "A";
	  source = { lb1 = "10.88.0.11"; lb2 = "10.88.0.12"; };')
	$(service 10 path 8010 'type = "tcp"; data_path = true; port = 7001;' | sed 's/router/forwarding = "dr"; router/')
	$(service 11 path6 8011 'type = "tcp"; data_path = true; port = 7007;' |
		sed "s/router/forwarding = \"dr\"; router/; s/$vip/[$vip6]/; s/10.88.0.21/[fd00:88::21]/")
	$(service 9 agent 7006 'type = "agent"; port = 7006;' '') );"
	sed -i "s|\"$vip/24\"|\"$vip/24\", \"$vip6/64\"|" "$LAB/tandem.conf"
}

count_of() # HEALTH
{
	ctl n1 --json status | jq "[.virtual_servers[].real_servers[] | select(.health == \"$1\")] | length"
}

all_are()
{
	[ "$(count_of "$1")" = "$(wc -w <<< "$kinds")" ]
}

replaced()
{
	local now

	now=$(process_pid n1 prober) && [ -n "$now" ] && [ "$now" != "$before" ]
}

serve()
{
	in_ns_bg r1 python3 "$LAB_TOP/tests/tools/probed.py" "$LAB/cert" "$LAB/certkey" > /dev/null 2>&1
	server=$!
}

others()
{
	local p

	for p in supervisor election pool resolver; do
		printf '%s=%s ' $p "$(process_pid n1 $p)"
	done
}

# What strace saw of that process from the moment on that its filter was in force.
calls_of() # PID
{
	awk 'filtered && match($0, /^[a-z_0-9]+\(/) { print substr($0, 1, RLENGTH - 1) }
		/^seccomp\(SECCOMP_SET_MODE_FILTER.* = 0$/ { filtered = 1 }' "$LAB/trace.$1" | sort -u
}

ended_by_itself()
{
	grep -q '^+++ exited with 0 +++' "$LAB/trace.$before"
}

command -v strace > /dev/null || fail "strace is missing"
filter=$("$(lab_tool prober_calls)") || fail "no list of the filter's calls (make check builds its program)"
[ -n "$filter" ] || { say "ok: a build with sanitizers has no filter"; exit 0; }
lab_up inside reals 1
ip -n "$(ns r1)" address add $vip/32 dev lo
ip -n "$(ns r1)" address add $vip6/128 dev lo
in_ns r1 sysctl -qw net.ipv6.conf.eth1.keep_addr_on_down=1
for node in n1:11 n2:12 r1:21; do
	ip -n "$(ns ${node%:*})" address add fd00:88::${node#*:}/64 dev eth1
done
in_ns_bg r1 "$(lab_tool tcpecho)" r1 7007 6 > /dev/null
printf '%s\n' "$filter" > "$LAB/filter"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 99 -subj /CN=probed \
	-addext subjectAltName=IP:10.88.0.21 -keyout "$LAB/certkey" -out "$LAB/cert" 2> /dev/null || fail "no certificate"
serve
probed_conf
pair
within 5 "every kind of probe says up" all_are up

# --- a forbidden call ---
syslog_mark n1
syslog_mark n2
before=$(process_pid n1 prober)
neighbours=$(others)
ping_start $vip 1
timeout 5 strace -qq -p "$before" -o /dev/null -e 'trace=/^epoll_p?wait$' \
	-e 'inject=/^epoll_p?wait$:error=EINTR:syscall=getppid:when=1' > "$LAB/strace.out" 2>&1
within 3 "a forbidden call kills the prober, and the log says so" \
	logged n1 event=process name=prober reason=forbidden-call signal=31
within 3 "a successor runs" replaced
sleep 1
expect "every other process is the one that it was" [ "$(others)" = "$neighbours" ]
expect "no server is held to be down for it" eval 'all_are up && ! syslog_since n1 | grep -q "event=server"'
expect "no role changes" [ "$(($(role_changes n1) + $(role_changes n2)))" = 0 ]
report=$(ping_stop)
expect "no ping is lost: $report" jq -e '.lost == 0 and .answered > 1000' <<< "$report"

# --- a life under strace ---
before=$(process_pid n1 prober)
strace -ff -q -p "${LAB_DAEMON[n1]}" -o "$LAB/trace" 2> /dev/null &
LAB_PIDS+=($!)
tracer=$!
wait_for 5 test -e "$LAB/trace.${LAB_DAEMON[n1]}"
kill -KILL "$before"
within 3 "a prober under strace from its fork on" replaced
before=$(process_pid n1 prober)
sleep 1
all_are up || fail "not every kind of probe works under strace"
kill -STOP "$before"
sleep 0.5
kill -CONT "$before"
kill -KILL $server
sleep 0.5 # refused
ip -n "$(ns r1)" link set eth1 down
within 5 "all of them fail" all_are down
ip -n "$(ns r1)" link set eth1 up
serve
within 5 "and are well again" all_are up
kill -KILL "$(process_pid n1 pool)"
within 5 "a new pool process sets them anew" all_are up
probed_conf /other
kill -HUP "${LAB_DAEMON[n1]}"
within 5 "a reload changes two" logged n1 event=config reason=loaded generation=2
within 5 "and they are well" all_are up
expect "it is the same prober all the time" [ "$(process_pid n1 prober)" = "$before" ]
stop_node n1
wait $tracer 2> /dev/null
within 3 "it ended by itself" ended_by_itself
calls_of "$before" > "$LAB/seen"
expect "some were seen" [ "$(wc -l < "$LAB/seen")" -gt 10 ]
cut -d ' ' -f 1 "$LAB/filter" | sort > "$LAB/allowed"
outside=$(comm -23 "$LAB/seen" "$LAB/allowed" | xargs)
expect "no system call outside of the filter: ${outside:-none}" [ -z "$outside" ]
say "seen: $(xargs < "$LAB/seen")"
say "allowed, and not seen here: $(comm -13 "$LAB/seen" "$LAB/allowed" | xargs)"
useless=$(grep -v ' seldom$' "$LAB/filter" | sort | comm -13 "$LAB/seen" - | xargs)
expect "none in the filter without a use: ${useless:-none}" [ -z "$useless" ]
