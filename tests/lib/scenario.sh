# shellcheck shell=bash
# What the scenario tests share: a pair, its configuration, and checks that name what failed.
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
vip=10.77.0.100

# conf INTERVAL_MS [ROUTER-KEYS [REST]]: one router "web", lb1 preferred unless the keys say so.
conf()
{
	cat > "$LAB/tandem.conf" <<-END
	nodes = ( { name = "lb1"; address = "10.77.0.11"; }, { name = "lb2"; address = "10.77.0.12"; } );
	heartbeat = { interval_ms = $1; };
	virtual_routers = ( { name = "web"; vrid = 51; interface = "eth0"; addresses = ( "$vip/24" ); ${2:-prefer = \"lb1\";} } );
	${3:-}
	END
}

pair()
{
	start_tandemd n1 "$LAB/tandem.conf"
	wait_role n1 web active || fail "n1 does not become active"
	start_tandemd n2 "$LAB/tandem.conf"
	wait_role n2 web backup || fail "n2 does not become backup"
}

expect()
{
	local what=$1

	shift
	"$@" > /dev/null 2>&1 || {
		tail -n 15 "$LAB"/n?.syslog
		fail "$what"
	}
	echo "ok: $what"
}

within()
{
	local seconds=$1 what=$2

	shift 2
	wait_for "$seconds" "$@" || {
		tail -n 15 "$LAB"/n?.syslog
		fail "$what"
	}
	echo "ok: $what"
}

client_served()
{
	in_ns c ping -c 3 -i 0.05 -W 1 -q $vip
}

roles_logged()
{
	cat "$LAB"/n?.syslog | grep -c 'event=role'
}

not()
{
	! "$@"
}

# keyed_conf INTERVAL_MS [ROUTER-KEYS [HEARTBEAT-KEYS [REST]]]: the same as a keyed pair with the
# cross link (lab_up cross). The key is $LAB/key.
keyed_conf()
{
	[ -e "$LAB/key" ] || (umask 077; openssl rand -hex 32 > "$LAB/key")
	cat > "$LAB/tandem.conf" <<-END
	nodes = ( { name = "lb1"; address = "10.77.0.11"; }, { name = "lb2"; address = "10.77.0.12"; } );
	heartbeat = { interval_ms = $1; key_file = "$LAB/key";
	  links = ( { name = "cross"; interface = "eth2"; lb1 = "192.168.255.1"; lb2 = "192.168.255.2"; } ); ${3:-} };
	virtual_routers = ( { name = "web"; vrid = 51; interface = "eth0"; addresses = ( "$vip/24" ); ${2:-prefer = \"lb1\";} } );
	${4:-}
	END
}

peer_is()
{
	[ "$(ctl "$1" --json status 2> /dev/null | jq -r .peer.state)" = "$2" ]
}

# path_is NODE PATH up|in|out true|false
path_is()
{
	[ "$(ctl "$1" --json status 2> /dev/null |
		jq -r --arg p "$2" --arg k "$3" '.peer.links[] | select(.name == $p) | .[$k]')" = "$4" ]
}
