# shellcheck shell=bash
# What tests/lib/watch has seen of a pair, from outside of it: who spoke, who held the address, when.
# Reads VIP and VRID; "since" is a moment in seconds since the epoch, all times told are ms after it.

# watch_start [--ask]: with it, both nodes are asked by ARP for the address all the time.
watch_start()
{
	: > "$LAB/watch.log"
	"$LAB_TOP/tests/lib/watch" "$@" "$LAB/watch.log" "$VIP" $VRID "$(ns sw)" \
		"n1=n1.eth0@$(ns n1)" "n2=n2.eth0@$(ns n2)" &
	watcher=$!
	LAB_PIDS+=($!)
	wait_for 10 grep -q ready "$LAB/watch.log"
}

watch_stop()
{
	kill -TERM "$watcher"
	wait "$watcher" 2> /dev/null
}

# first NODE KIND [PATTERN]: ms from $since to the first such event; nothing when there is none.
first()
{
	awk -v since="$since" -v node="$1" -v kind="$2" -v pattern="${3:-.}" \
		'$1 >= since && $2 == node && $3 == kind && $0 ~ pattern { printf "%.0f", ($1 - since) * 1000; exit }' \
		"$LAB/watch.log"
}

seen()
{
	[ -n "$(first "$@")" ]
}

# How long since $since both nodes have held the address, in ms.
both_held()
{
	awk -v since="$since" -v now="$EPOCHREALTIME" '
		$3 != "hold" && $3 != "drop" { next }
		{ if (has["n1"] && has["n2"]) { from = last > since ? last : since; if ($1 > from) both += $1 - from }
		  has[$2] = $3 == "hold"; last = $1 }
		END { if (has["n1"] && has["n2"]) both += now - (last > since ? last : since); printf "%.0f", both * 1000 }' \
		"$LAB/watch.log"
}

holds()
{
	[ "$(awk -v node="$1" '$2 == node && ($3 == "hold" || $3 == "drop") { last = $3 } END { print last }' "$LAB/watch.log")" = hold ]
}

only()
{
	local other=n1

	[ "$1" = n2 ] || other=n2
	holds "$1" && ! holds $other
}
