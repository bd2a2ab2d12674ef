# shellcheck shell=bash
# What the tests of a pool's verdicts share: a keyed pair with a cross link, three real servers inside, and
# both nodes seeing all of them. Where a server is told from outside, its number is that of r1..r3.
. "$(dirname "${BASH_SOURCE[0]}")/scenario.sh"
pool='virtual_servers = ( { name = "echo"; router = "web"; listen = "10.77.0.100:7000";
  probe = { type = "tcp"; interval_ms = 200; timeout_ms = 150; fall = 2; rise = 1; flap_falls = 0; };
  real_servers = ( { name = "r1"; address = "10.88.0.21:7000"; }, { name = "r2"; address = "10.88.0.22:7000"; },
                   { name = "r3"; address = "10.88.0.23:7000"; } ); } );'

healthy_is()
{
	[ "$(ctl "$1" --json status | jq '.virtual_servers[0].healthy')" = "$2" ]
}

# n1 is active, n2 its standby. $server_pids are the servers'.
servers_up()
{
	local i

	lab_up cross inside reals 3
	server_pids=
	for i in 1 2 3; do
		in_ns_bg r$i "$(lab_tool tcpecho)" r$i 7000 > /dev/null
		server_pids+=" $!"
	done
	keyed_conf 100 'prefer = "lb1"; standby = "hot";' '' "$pool"
	start_tandemd n1 "$LAB/tandem.conf"
	wait_role n1 web active || exit 1
	start_tandemd n2 "$LAB/tandem.conf"
	wait_role n2 web backup && wait_for 5 peer_is n1 up || exit 1
	wait_for 5 healthy_is n1 3 && wait_for 5 healthy_is n2 3 || fail "the servers are not up"
}

# All of them at once.
servers_die()
{
	# shellcheck disable=SC2086
	kill $server_pids
}
