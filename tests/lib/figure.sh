# shellcheck shell=bash
# What the figures share: pings lost while something happens, the median of some runs, verdicts.
bad=0
vip=10.77.0.100

median()
{
	printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

figure()
{
	local name=$1 limit=$2 m verdict=ok

	shift 2
	m=$(median "$@")
	[ "$m" -le "$limit" ] || { verdict=FAIL; bad=1; }
	printf 'figure %s: median %s, limit %s (%s)\n%s figure %s\n' "$name" "$m" "$limit" "$*" $verdict "$name"
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

# measure STARTER ARG CAUSE...: leaves the values in $lost.
measure()
{
	local starter=$1 arg=$2 i

	shift 2
	lost=
	for ((i = 0; i < runs; i++)); do
		if $starter "$arg"; then
			lost="$lost $(lost_during "$@")"
		else
			lost="$lost 999999"
		fi
		stop_pair
	done
}

figure_of()
{
	local name=$1 limit=$2

	shift 2
	measure "$@"
	# shellcheck disable=SC2086
	figure "$name" "$limit" $lost
}
