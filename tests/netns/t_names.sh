#!/bin/bash
# Real servers by name: resolved by the system's resolver, out of a hosts file that changes under the
# daemon. Nothing waits for a name, the last address is kept, a changed one replaces the server, and none
# of it makes the configurations of the pair differ.
. "$(dirname "$0")/../lib/scenario.sh"
pool='virtual_servers = ( { name = "echo"; router = "web"; listen = "10.77.0.100:7000"; resolve_s = 1;
  probe = { type = "tcp"; interval_ms = 200; timeout_ms = 150; fall = 2; rise = 1; };
  real_servers = ( { name = "r1"; address = "web1.example.net:7000"; }, { name = "r2"; address = "10.88.0.22:7000"; },
                   { name = "r3"; address = "web3.example.net"; } ); } );'

# hosts NODE LINE...: in place, because the file is mounted over the system's own.
hosts()
{
	local node=$1

	shift
	printf '%s\n' '127.0.0.1 localhost' "$@" > "$LAB/$node.hosts"
}

# A resolver of its own for the node: that hosts file, and a server that never answers.
resolver_of()
{
	hosts "$1"
	echo 'hosts: files dns' > "$LAB/nsswitch.conf"
	echo 'nameserver 10.77.0.250' > "$LAB/resolv.conf"
	in_ns "$1" mount --bind "$LAB/$1.hosts" /etc/hosts
	in_ns "$1" mount --bind "$LAB/nsswitch.conf" /etc/nsswitch.conf
	in_ns "$1" mount --bind "$LAB/resolv.conf" "$(readlink -f /etc/resolv.conf)"
}

# server_is NODE NAME KEY VALUE
server_is()
{
	[ "$(ctl "$1" --json status | jq -r --arg n "$2" --arg k "$3" \
		'.virtual_servers[0].real_servers[] | select(.name == $n) | .[$k] | tostring')" = "$4" ]
}

lab_up cross inside reals 3
for i in 1 2 3; do
	in_ns_bg r$i "$(lab_tool tcpecho)" r$i 7000 > /dev/null
done
resolver_of n1
resolver_of n2
hosts n1 '10.88.0.23 web1.example.net' '10.88.0.21 web1.example.net' '127.0.1.1 web1.example.net'
keyed_conf 100 'prefer = "lb1"; standby = "hot";' '' "$pool"
start_tandemd n1 "$LAB/tandem.conf"
within 4 "active, while one name is asked of a server that does not answer" role_is n1 web active
within 3 "of several addresses the lowest that can be used" server_is n1 r1 address 10.88.0.21:7000
expect "with its name" server_is n1 r1 host web1.example.net
within 3 "it is probed" server_is n1 r1 health up
expect "the log tells" logged n1 event=server server=r1 virtual=echo host=web1.example.net reason=resolved address=10.88.0.21:7000
expect "a name without an address is unknown" server_is n1 r3 health unknown
expect "unresolved" server_is n1 r3 reason unresolved
expect "not probed" server_is n1 r3 probed false
expect "and shown by its name" server_is n1 r3 address web3.example.net
expect "in the table for people as well" eval 'ctl n1 status | grep -q "10.88.0.21:7000 (web1.example.net)"'
expect "the resolver has no privileges" eval \
	'grep -q "^CapPrm:.*0000000000000000" /proc/$(process_pid n1 resolver)/status && grep -q "^Uid:.65534" /proc/$(process_pid n1 resolver)/status'

hosts n1 '10.88.0.23 web1.example.net' '10.88.0.21 web3.example.net'
within 4 "another address replaces the server" server_is n1 r1 address 10.88.0.23:7000
expect "and is told" logged n1 event=server server=r1 reason=resolved was=10.88.0.21:7000 address=10.88.0.23:7000
within 3 "it is probed there" server_is n1 r1 health up
within 30 "a name that came is resolved" server_is n1 r3 address 10.88.0.21
within 3 "its server has the port of the listener" server_is n1 r3 health up

hosts n1 '10.88.0.22 web3.example.net'
within 40 "a name that is gone: told" logged n1 event=server server=r1 host=web1.example.net reason=unresolved kept=10.88.0.23:7000
expect "the address is kept" server_is n1 r1 address 10.88.0.23:7000
expect "and the server serves" server_is n1 r1 health up
within 3 "the address of another server is not taken twice" server_is n1 r3 reason address-taken
expect "the log says whose it is, and what to do" logged n1 event=server server=r3 virtual=echo host=web3.example.net \
	reason=address-taken address=10.88.0.22 was=10.88.0.21 holder=r2 'detail="remove one of the two'
expect "and so does the status for people" eval \
	'ctl n1 status | grep "r3 .*web3.example.net .*the address of its name is another server.s already"'
expect "a reload" ctl n1 reload
sleep 1.2
expect "changes nothing of that" server_is n1 r3 reason address-taken
expect "and does not say it again" [ "$(syslog_has n1 server=r3 reason=address-taken | wc -l)" = 1 ]
hosts n1
stop_node n1
start_tandemd n1 "$LAB/tandem.conf"
wait_role n1 web active || exit 1
within 3 "a restart without DNS has the last addresses" server_is n1 r1 address 10.88.0.23:7000
within 3 "and serves by them" server_is n1 r1 health up

hosts n1 '10.88.0.21 web9.example.net' '10.88.0.23 web1.example.net'
expect "a server is added by name" ctl n1 add echo r9 web9.example.net:7000
within 30 "and resolved" server_is n1 r9 address 10.88.0.21:7000
within 3 "and probed" server_is n1 r9 health up
expect "once only" not ctl n1 add echo r10 web9.example.net:7000
expect "what is no name is refused" not ctl n1 add echo r10 web_9:7000
expect "a reload" ctl n1 reload
expect "leaves it" server_is n1 r9 address 10.88.0.21:7000

start_tandemd n2 "$LAB/tandem.conf"
wait_role n2 web backup || exit 1
within 5 "the standby is there" peer_is n1 up
expect "without a name resolved" server_is n2 r1 reason unresolved
sleep 1
expect "and the configurations are the same" not logged n1 event=peer reason=digest-differs

kill -KILL "$(process_pid n1 resolver)"
hosts n1 '10.88.0.21 web9.example.net' '10.88.0.21 web1.example.net'
within 5 "a resolver that dies has a successor" eval 'process_pid n1 resolver > /dev/null'
hosts n1 '10.88.0.23 web9.example.net' '10.88.0.24 web1.example.net'
within 30 "which resolves" server_is n1 r1 address 10.88.0.24:7000
expect "no name moved a role" [ "$(syslog_has n1 event=role router=web to=active | wc -l)" = 2 ]
