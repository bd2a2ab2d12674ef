# shellcheck shell=bash
# What the figures share: pings lost while something happens, the median of some runs, verdicts, and
# keepalived beside it.
. "$(dirname "${BASH_SOURCE[0]}")/witness.sh"
. "$(dirname "${BASH_SOURCE[0]}")/peers.sh"
bad=0
vip=10.77.0.100
# shellcheck disable=SC2034
VIP=$vip LENGTH=24 VRID=51 VERSION=3 FAMILY=IPv4 CAST=multicast PEER_SUM=rfc5798

median()
{
	printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

# figure NAME LIMIT VALUE...: leaves the median in $last.
figure()
{
	local name=$1 limit=$2 verdict=ok

	shift 2
	last=$(median "$@")
	[ "$last" -le "$limit" ] || { verdict=FAIL; bad=1; }
	printf 'figure %s: median %s, limit %s (%s)\n%s figure %s\n' "$name" "$last" "$limit" "$*" $verdict "$name"
}

verdict()
{
	local name=$1

	shift
	if "$@"; then
		printf 'ok figure %s\n' "$name"
	else
		printf 'FAIL figure %s\n' "$name"
		bad=1
	fi
}

stop_pair()
{
	local n

	stop_node n1
	stop_node n2
	cable_plug n1 eth0
	for n in n1 n2; do silent_heal $n eth0; done
	sleep 0.2
}

# lost_during COMMAND...: pings lost while COMMAND happens.
lost_during()
{
	local out=$LAB/pinger.out

	: > "$out"
	in_ns_bg c "$(lab_tool pinger)" $vip 1 "${pings:-2000}" > "$out" 2>&1
	local pid=$!

	wait_for 5 grep -q ready "$out" || return 1
	sleep 0.$((RANDOM % 300 + 300)) # anywhere between two advertisements
	"$@" > /dev/null 2>&1
	wait $pid
	sed -n '/^{/p' "$out" | jq .lost
}

# measure STARTER ARG CAUSE...: leaves the values in $lost. Between two runs the pair is stopped and
# started anew, unless $back makes of it what it was.
measure()
{
	local starter=$1 arg=$2 i

	shift 2
	lost=
	for ((i = 0; i < runs; i++)); do
		if { [ $i -gt 0 ] && ${back:-false}; } || { stop_pair; $starter "$arg"; }; then
			lost="$lost $(lost_during "$@")"
		else
			lost="$lost 999999"
		fi
	done
	stop_pair
}

figure_of()
{
	local name=$1 limit=$2

	shift 2
	measure "$@"
	# shellcheck disable=SC2086
	figure "$name" "$limit" $lost
}

keepalived_pair() # INTERVAL_MS
{
	INTERVAL_MS=$1
	keepalived_start n1 150
	wait_for 10 has_address n1 $vip || return 1
	keepalived_start n2 100
	sleep 1
}

# beside WHAT INTERVAL_MS CAUSE...: the same with keepalived, which loses more than the last figure's median.
beside()
{
	local what=$1 interval=$2 ours=$last back=false seconds

	shift 2
	seconds=$(awk "BEGIN { print $interval / 1000 }")
	measure keepalived_pair "$interval" "$@"
	echo "figure keepalived, $what, $seconds s: pings lost$lost"
	# shellcheck disable=SC2086
	verdict "keyed beside keepalived, $what, $interval ms: fewer pings lost" [ "$ours" -lt "$(median $lost)" ]
}

# Stopped as an operator stops it.
term()
{
	kill -TERM "${LAB_DAEMON[n1]}"
}
