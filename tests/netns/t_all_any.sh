#!/bin/bash
# Several probes of one server: `any` of a tcp and an http probe, `all` of an icmp, an http and an exec probe,
# against real servers whose parts fail one after the other. The verdict changes when it must and not
# before; log and status name the part that decided and its reason; a real server's own parts count.
. "$(dirname "$0")/../lib/scenario.sh"
. "$(dirname "$0")/../lib/nginx.sh"

# is VIRTUAL SERVER PATH VALUE
is()
{
	[ "$(ctl n1 --json status | jq -r --arg v "$1" --arg s "$2" ".virtual_servers[] | select(.name == \$v) |
		.real_servers[] | select(.name == \$s) | $3 | tostring")" = "$4" ]
}

# What each part says: "up,down,up".
parts_are()
{
	is "$1" "$2" '[.members[].health] | join(",")' "$3"
}

# Lines with the verdict of that server of that virtual server, and so many changes.
changes()
{
	[ "$(syslog_has n1 event=server "server=$2" "virtual=$1" | wc -l)" = "$3" ]
}

echo_start()
{
	in_ns_bg r1 "$(lab_tool tcpecho)" r1 7000 > /dev/null
	echo_pid=$!
}

page()
{
	echo OK > "$LAB/www/$1/health"
}

lab_up inside reals 2
for i in r1 r2; do
	mkdir -p "$LAB/www/$i"
	page $i
	nginx_start $i "location = /health { root $LAB/www/$i; } location = /other { return 404; }"
done
chmod 755 "$LAB" "$LAB/www" "$LAB"/www/*
cat > "$LAB/check" <<-END
	#!/bin/sh
	[ ! -e "$LAB/fail.\$TANDEM_SERVER" ] || { echo "no disk"; exit 3; }
END
chmod 755 "$LAB/check"
times='interval_ms = 200; timeout_ms = 150; rise = 1; fall = 2;'
http="{ type = \"http\"; port = 8080; path = \"/health\"; $times }"
exec="{ type = \"exec\"; command = \"$LAB/check\"; $times }"
echo_start
conf 100 'prefer = "lb1"; standby = "hot";' "virtual_servers = (
  { name = \"either\"; router = \"web\"; listen = \"10.77.0.100:7000\";
    probe = { type = \"any\"; flap_falls = 0; probes = ( { type = \"tcp\"; $times }, $http ); };
    real_servers = ( { name = \"r1\"; address = \"10.88.0.21:7000\"; }, { name = \"r2\"; address = \"10.88.0.22:7000\"; } ); },
  { name = \"every\"; router = \"web\"; listen = \"10.77.0.100:8080\";
    probe = { type = \"all\"; flap_falls = 0; probes = ( { type = \"icmp\"; $times }, $http, $exec ); };
    real_servers = ( { name = \"r1\"; address = \"10.88.0.21:8080\"; },
      { name = \"r2\"; address = \"10.88.0.22:8080\"; probe = { probes = ( { type = \"icmp\"; address = \"10.88.0.21\"; $times },
        { type = \"http\"; path = \"/other\"; expect = { status = \"404\"; }; $times } ); }; },
      { name = \"r3\"; address = \"10.88.0.22\"; probe = { flap_falls = 1; }; } ); } );"
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || exit 1

# all of icmp, http and exec
within 4 "all parts are well, and so is the server" is every r1 .health up
expect "each of them" parts_are every r1 up,up,up
expect "nobody decided against it" is every r1 .member null
rm "$LAB/www/r1/health"
within 3 "all: the page is gone, the server is down" logged n1 event=server server=r1 virtual=every from=up to=down reason=http-status detail=404 member=2
expect "the log tells what was asked" logged n1 event=server server=r1 virtual=every to=down 'sent="GET /health HTTP/1.1"'
expect "the status has the part" is every r1 .member 2
expect "and its reason" is every r1 .reason http-status
expect "and its answer" is every r1 .detail 404
expect "and the others, which are well" parts_are every r1 up,down,up
touch "$LAB/fail.r1"
within 3 "a second part fails" parts_are every r1 up,down,down
expect "which is no other verdict" changes every r1 2
page r1
within 3 "the first one is back" parts_are every r1 up,up,down
expect "and the server is not" is every r1 .health down
within 3 "the reason is now the other's" is every r1 .reason exec-failed
expect "with its number" is every r1 .member 3
expect "and what it wrote" is every r1 .evidence "no disk"
rm "$LAB/fail.r1"
within 3 "that is back, and so is the server" logged n1 event=server server=r1 virtual=every from=down to=up reason=ok
touch "$LAB/fail.r1"
within 3 "the program fails: down" logged n1 event=server server=r1 virtual=every from=up to=down reason=exec-failed detail=3 member=3 'evidence="no disk"'
rm "$LAB/fail.r1"
within 3 "and up" is every r1 .health up
in_ns r1 sysctl -qw net.ipv4.icmp_echo_ignore_all=1
within 3 "no echo: down" logged n1 event=server server=r1 virtual=every from=up to=down reason=icmp-timeout member=1
expect "by that part alone" parts_are every r1 down,up,up

# a real server's own parts
expect "parts of its own: two of them" is every r2 '.members | length' 2
expect "its icmp part asks the other host" is every r2 '.members[0].probe_address' 10.88.0.21
within 3 "and says so" logged n1 event=server server=r2 virtual=every from=up to=down reason=icmp-timeout member=1
expect "its http part has its own path and status" is every r2 '.members[1].health' up
in_ns r1 sysctl -qw net.ipv4.icmp_echo_ignore_all=0
within 3 "back" is every r2 .health up
within 3 "both" is every r1 .health up
expect "who only says how it is held back has the parts of the virtual server" parts_are every r3 up,up,up

# any of tcp and http
expect "any: both parts are well" parts_are either r1 up,up
kill "$echo_pid"
within 3 "any: the port is refused" parts_are either r1 down,up
expect "with its reason" is either r1 '.members[0].reason' tcp-refused
expect "the server is up" is either r1 .health up
expect "and nothing was said" changes either r1 1
rm "$LAB/www/r1/health"
within 3 "the other part fails as well: down" logged n1 event=server server=r1 virtual=either from=up to=down reason=http-status detail=404 member=2
expect "the status says so" is either r1 .member 2
expect "of both" parts_are either r1 down,down
echo_start
within 3 "one part is back, and so is the server" logged n1 event=server server=r1 virtual=either from=down to=up reason=ok
expect "though the other is not" parts_are either r1 up,down
expect "a server whose port nobody has is up by its page" is either r2 .health up
expect "from the start" parts_are either r2 down,up
