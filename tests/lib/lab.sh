# shellcheck shell=bash
# The test bed: two nodes, a client and real servers as network namespaces around a bridge.
#
# One namespace is the switch; its bridges are the service LAN (br0, 10.77.0.0/24), the inside LAN
# (br1, 10.88.0.0/24) and a cross link (br2, 192.168.255.0/24). Pulling a cable is setting the
# switch's port down: the node sees its carrier go, as it would on metal. Silent loss is taking the
# port out of the bridge: the node sees nothing at all.
#
# Everything is unique to the run (names carry the pid), nothing touches the machine's own
# network, and lab_down removes all of it, also on failure. Each node has its own /dev with its own
# /dev/log, so that what its daemon says to syslog ends up in $LAB/NODE.syslog and nowhere else.
#
#   lab_up [inside] [cross] [reals N]    build it; sets LAB (a directory) and the exit trap
#   in_ns NAME COMMAND...                run a command in a namespace (n1 n2 c r1.. sw)
#   start_tandemd NODE CONF [ARGS...]    start_keepalived NODE CONF
#   ctl NODE ARGS...                     tandemctl of that node
#   cable_pull NODE IF, cable_plug NODE IF, silent_loss NODE IF, silent_heal NODE IF
#   holders ADDRESS                      the nodes that have the address
#   wait_for SECONDS COMMAND...          poll until true; says what did not come true

set -u
LAB_TOP=${LAB_TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
# Where the binaries are: given, or the conventional build folder, or the source folder itself.
if [ -z "${TANDEM_BUILD:-}" ]; then
	TANDEM_BUILD=$LAB_TOP/build
	[ -e "$TANDEM_BUILD/Makefile" ] || TANDEM_BUILD=$LAB_TOP
fi
LAB_TOOLS="pinger logsink tcpecho tcphold httploop shares manyserver nonetfilter execlog flood announced nameserver"
LAB_ID=tl$$
LAB=
LAB_NODES="n1 n2"
LAB_PIDS=()
declare -A LAB_DAEMON=() # pid of each node's daemon

say()
{
	printf '%s\n' "$*"
}

fail()
{
	printf 'FAIL: %s\n' "$*" >&2
	exit 1
}

lab_tool()
{
	printf '%s/tests/tools/%s' "$TANDEM_BUILD" "$1"
}

# Beds that are set up at the same time build them once.
lab_need()
{
	local t missing=

	[ "$(id -u)" = 0 ] || fail "the test bed needs root (network namespaces)"
	[ -e "$TANDEM_BUILD/Makefile" ] || fail "no build in $TANDEM_BUILD (configure and make, or set TANDEM_BUILD)"
	for t in $LAB_TOOLS; do
		[ -x "$(lab_tool $t)" ] || missing="$missing tests/tools/$t"
	done
	# shellcheck disable=SC2086
	[ -z "$missing" ] || flock "$TANDEM_BUILD" make -s -C "$TANDEM_BUILD" $missing >&2 || fail "no build in $TANDEM_BUILD"
	for t in ip jq; do
		command -v $t >/dev/null || fail "$t is missing"
	done
}

ns()
{
	printf '%s-%s' "$LAB_ID" "$1"
}

# The nodes have a /dev of their own; a shell in the node's mount namespace is one nsenter away.
in_ns()
{
	local name=$1

	shift
	if [ -n "${LAB_HOLD[$name]:-}" ]; then
		nsenter -t "${LAB_HOLD[$name]}" -m -n -- "$@"
	else
		ip netns exec "$(ns "$name")" "$@"
	fi
}

# A background process of the bed, killed at the end. Prints nothing; $! is valid after it.
in_ns_bg()
{
	local name=$1

	shift
	# A simple command: $! must be the program itself, not a shell that waits for it.
	if [ -n "${LAB_HOLD[$name]:-}" ]; then
		nsenter -t "${LAB_HOLD[$name]}" -m -n -- "$@" &
	else
		ip netns exec "$(ns "$name")" "$@" &
	fi
	LAB_PIDS+=($!)
}

declare -A LAB_HOLD=() # pid that holds a node's mount namespace

# lab_port NAME IF BRIDGE [ADDRESS...]: a cable from NAME's IF to the switch.
lab_port()
{
	local name=$1 ifname=$2 bridge=$3 a

	shift 3
	ip -n "$(ns "$name")" link add "$ifname" type veth \
		peer name "$name.$ifname" netns "$(ns sw)"
	ip -n "$(ns sw)" link set "$name.$ifname" master "$bridge" up
	for a in "$@"; do
		ip -n "$(ns "$name")" address add "$a" dev "$ifname"
	done
	ip -n "$(ns "$name")" link set "$ifname" up
}

lab_ns()
{
	ip netns add "$(ns "$1")"
	ip -n "$(ns "$1")" link set lo up
	in_ns "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.router_solicitations=0
}

# A /dev of its own for a node: the few devices that daemons use, and log, which is the sink.
lab_node_dev()
{
	local name=$1 dev=$LAB/$1.dev d

	mkdir -p "$dev"
	"$(lab_tool logsink)" "$LAB/$name.log" "$LAB/$name.syslog" &
	LAB_PIDS+=($!)
	LAB_SINK[$name]=$!
	ip netns exec "$(ns "$name")" sh -c '
		dev=$1; log=$2; shift 2
		mount -t tmpfs -o mode=755 tmpfs "$dev" || exit 1
		for d in null zero full random urandom tty ptmx net; do
			if [ -c /dev/$d ]; then touch "$dev/$d" && mount --bind /dev/$d "$dev/$d"; fi
		done
		for d in pts shm net; do
			if [ -d /dev/$d ]; then mkdir "$dev/$d" && mount --bind /dev/$d "$dev/$d"; fi
		done
		ln -s /proc/self/fd "$dev/fd"; ln -s "$log" "$dev/log"
		mount --move "$dev" /dev || exit 1
		echo ready > "$log.held"
		exec sleep 86400' sh "$dev" "$LAB/$name.log" &
	LAB_PIDS+=($!)
	d=$!
	wait_for 10 test -e "$LAB/$name.log.held"
	LAB_HOLD[$name]=$d
}
declare -A LAB_SINK=() # pid of each node's syslog

lab_up()
{
	local inside= cross= reals=0 i n b

	while [ $# -gt 0 ]; do
		case $1 in
		inside) inside=1 ;;
		cross) cross=1 ;;
		reals) reals=$2; inside=1; shift ;;
		*) fail "lab_up: $1?" ;;
		esac
		shift
	done
	lab_need
	LAB=$(mktemp -d /tmp/tandem-lab.XXXXXX)
	trap lab_down EXIT
	trap 'exit 130' INT TERM HUP
	lab_ns sw
	for b in br0 ${inside:+br1} ${cross:+br2}; do
		ip -n "$(ns sw)" link add $b type bridge stp_state 0 forward_delay 0 mcast_snooping 0
		ip -n "$(ns sw)" link set $b up
	done
	i=10
	for n in $LAB_NODES; do
		i=$((i + 1))
		lab_ns "$n"
		lab_port "$n" eth0 br0 10.77.0.$i/24
		[ -z "$inside" ] || lab_port "$n" eth1 br1 10.88.0.$i/24
		[ -z "$cross" ] || lab_port "$n" eth2 br2 192.168.255.$((i - 10))/24
		in_ns "$n" sysctl -qw net.ipv4.ip_forward=1
		lab_node_dev "$n"
	done
	lab_ns c
	lab_port c eth0 br0 10.77.0.50/24 fd00:77::50/64
	for ((i = 1; i <= reals; i++)); do
		lab_ns r$i
		lab_port r$i eth1 br1 10.88.0.2$i/24
		ip -n "$(ns r$i)" route add default via 10.88.0.1
	done
}

# Ends what this run started, by pid, and takes the namespaces away. What still lives in one of our
# own namespaces (a daemon's children) was started by us as well.
lab_down()
{
	local rc=$? p n

	trap - EXIT
	trap '' INT TERM HUP
	exec 2> /dev/null # the shell tells of every process it killed
	for n in "${!LAB_DAEMON[@]}"; do
		kill -CONT "${LAB_DAEMON[$n]}" 2>/dev/null
	done
	for n in $(ip netns list | awk -v id="$LAB_ID-" 'index($1, id) == 1 {print $1}'); do
		for p in $(ip netns pids "$n" 2>/dev/null); do
			kill -KILL "$p" 2>/dev/null
		done
	done
	for p in "${LAB_PIDS[@]}"; do
		kill -KILL "$p" 2>/dev/null
	done
	{ wait; } 2>/dev/null
	# Whatever a scenario is about: our own processes believe each other, unless it makes one lie.
	if [ -z "${LAB_LIES:-}" ] && grep -h 'reason=bad-message' "$LAB"/*.syslog; then
		echo "FAIL: a process does not believe another one's message"
		rc=1
	fi
	for n in $(ip netns list | awk -v id="$LAB_ID-" 'index($1, id) == 1 {print $1}'); do
		ip netns delete "$n"
	done
	if [ "$rc" != 0 ] && [ -n "${LAB_KEEP_LOGS:-}" ]; then
		mkdir -p "$LAB_KEEP_LOGS" && cp "$LAB"/*.syslog "$LAB"/*.out "$LAB_KEEP_LOGS" 2>/dev/null
	fi
	[ -z "$LAB" ] || rm -rf "$LAB"
	exit "$rc"
}

# --- the switch ------------------------------------------------------------------------------

cable_pull()
{
	ip -n "$(ns sw)" link set "$1.$2" down
}

cable_plug()
{
	ip -n "$(ns sw)" link set "$1.$2" up
}

silent_loss()
{
	ip -n "$(ns sw)" link set "$1.$2" nomaster
}

silent_heal()
{
	case $2 in
	eth0) ip -n "$(ns sw)" link set "$1.$2" master br0 ;;
	eth1) ip -n "$(ns sw)" link set "$1.$2" master br1 ;;
	eth2) ip -n "$(ns sw)" link set "$1.$2" master br2 ;;
	esac
}

# --- daemons ---------------------------------------------------------------------------------

# start_tandemd NODE CONF [ARGS...]: NODE n1 is "lb1" of the configuration, n2 is "lb2".
start_tandemd()
{
	local node=$1 conf=$2

	shift 2
	mkdir -p "$LAB/$node.run" "$LAB/$node.lib"
	in_ns_bg "$node" "$TANDEM_BUILD/tandemd" -F -f "$conf" -n "lb${node#n}" \
		-R "$LAB/$node.run" -S "$LAB/$node.lib" "$@" >>"$LAB/$node.out" 2>&1
	LAB_DAEMON[$node]=$!
}

start_keepalived()
{
	local node=$1 conf=$2

	chmod 600 "$conf"
	rm -f "$LAB/$node.kpid" "$LAB/$node.kvpid" # a killed one leaves them and then refuses to start
	in_ns_bg "$node" keepalived -n -P -l -f "$conf" -p "$LAB/$node.kpid" -r "$LAB/$node.kvpid" \
		>>"$LAB/$node.out" 2>&1
	LAB_DAEMON[$node]=$!
}

# A clean stop: SIGTERM and wait.
stop_node()
{
	local pid=${LAB_DAEMON[$1]:-}

	[ -n "$pid" ] || return 0
	kill -TERM "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	unset "LAB_DAEMON[$1]"
}

# Pids of the node's daemon processes: those of our namespace that bear its name.
daemon_pids()
{
	local p

	for p in $(ip netns pids "$(ns "$1")"); do
		case $(cat "/proc/$p/comm" 2>/dev/null) in
		tandem* | keepalived*) printf '%s ' "$p" ;;
		esac
	done
}

# Every process of the node's daemon at once, by SIGKILL. Stopped first: the children of one that
# dies a moment earlier would resign.
kill9_all()
{
	local pids

	pids=$(daemon_pids "$1")
	# shellcheck disable=SC2086
	kill -STOP $pids 2>/dev/null
	# shellcheck disable=SC2086
	kill -KILL $pids 2>/dev/null
	wait "${LAB_DAEMON[$1]:-}" 2>/dev/null
	unset "LAB_DAEMON[$1]"
}

# The pid of one process of the node's daemon by its role: supervisor, election, pool, prober.
process_pid()
{
	local p

	for p in $(ip netns pids "$(ns "$1")"); do
		case $2:$(tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null) in
		supervisor:*tandemd*) [ "$p" = "${LAB_DAEMON[$1]}" ] && printf '%s' "$p" && return ;;
		*:tandemd*"$2"*) printf '%s' "$p" && return ;;
		esac
		[ "$(cat "/proc/$p/comm" 2>/dev/null)" = "tandem-$2" ] && printf '%s' "$p" && return
	done
	return 1
}

ctl()
{
	local node=$1

	shift
	in_ns "$node" "$TANDEM_BUILD/tandemctl" -R "$LAB/$node.run" "$@"
}

# --- looking ---------------------------------------------------------------------------------

has_address()
{
	ip -n "$(ns "$1")" -o address show to "$2" 2>/dev/null | grep -q .
}

holders()
{
	local n

	for n in $LAB_NODES; do
		has_address "$n" "$1" && printf '%s ' "$n"
	done
	return 0
}

# Is NODE the one and only holder?
only_holder()
{
	[ "$(holders "$2")" = "$1 " ]
}

role()
{
	ctl "$1" --json status 2>/dev/null |
		jq -r --arg r "$2" '.routers[] | select(.name == $r) | .role' 2>/dev/null
}

role_is()
{
	[ "$(role "$1" "$2")" = "$3" ]
}

# An emulated machine's clock (HPET) may be seconds ahead in one reading: two have to agree.
is_past()
{
	[ "$(date +%s%N)" -gt "$1" ] && [ "$(date +%s%N)" -gt "$1" ]
}

# wait_for SECONDS COMMAND...: polls every 20 ms.
wait_for()
{
	local end=$(($(date +%s%N) + $1 * 1000000000))

	shift
	while ! "$@"; do
		if is_past "$end"; then
			printf 'waited in vain for: %s\n' "$*" >&2
			return 1
		fi
		sleep 0.02
	done
}

wait_role()
{
	wait_for "${4:-10}" role_is "$1" "$2" "$3"
}

# Lines of a node's syslog that match all the patterns given.
syslog_has()
{
	local f=$LAB/$1.syslog lines p

	shift
	lines=$(cat "$f" 2>/dev/null) || return 1
	for p in "$@"; do
		lines=$(grep -E -- "$p" <<<"$lines") || return 1
	done
	printf '%s\n' "$lines"
}

logged()
{
	syslog_has "$@" >/dev/null
}

# From here on only new lines count: syslog_mark NODE; then syslog_since NODE.
declare -A LAB_MARK=()
syslog_mark()
{
	LAB_MARK[$1]=$(wc -l <"$LAB/$1.syslog" 2>/dev/null || echo 0)
}

syslog_since()
{
	tail -n "+$((${LAB_MARK[$1]:-0} + 1))" "$LAB/$1.syslog" 2>/dev/null
}

# Role changes that a node logged since its mark.
role_changes()
{
	syslog_since "$1" | grep -c 'event=role'
}

# --- the client ------------------------------------------------------------------------------

# ping_start ADDRESS [INTERVAL_MS]: one echo a millisecond from the client, in the background.
ping_start()
{
	: >"$LAB/ping.json"
	in_ns_bg c "$(lab_tool pinger)" "$1" "${2:-1}" >"$LAB/ping.json"
	LAB_PINGER=$!
	wait_for 10 grep -q ready "$LAB/ping.json"
}

# Prints the report. In a subshell the pinger is nobody's child: what it says is waited for, too.
ping_stop()
{
	kill -TERM "$LAB_PINGER"
	wait "$LAB_PINGER" 2> /dev/null
	wait_for 5 grep -q '^{.*}' "$LAB/ping.json"
	sed -n '/^{/p' "$LAB/ping.json"
}

# Does the client get an answer from ADDRESS within two seconds, on a fresh look at who has it?
client_reaches()
{
	in_ns c "$(lab_tool pinger)" "$1" 10 100 | grep -q '^ready'
}
