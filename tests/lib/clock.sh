# shellcheck shell=bash
# A wall clock of its own for a node (tests/tools/wallclock.c), which can be set at any time. The
# kernel has one for all namespaces.
ten_years=315360000

# ahead NODE SECONDS: of the kernel's wall clock. First of all before anything runs by it.
ahead()
{
	local i bytes=

	for ((i = 0; i < 64; i += 8)); do bytes+=$(printf '\\x%02x' $(($2 >> i & 255))); done
	# shellcheck disable=SC2059
	printf "$bytes" > "$LAB/$1.new" && cat "$LAB/$1.new" 1<> "$LAB/$1.ahead" # in place: it is mapped
}

# with_clock NODE COMMAND...: sees the node's wall clock.
with_clock()
{
	local node=$1

	shift
	# A sanitizer's library would rather be the first one.
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 WALLCLOCK=$LAB/$node.ahead \
		LD_PRELOAD=$(lab_tool wallclock.so) "$@"
}

has_own_clock()
{
	grep -q "$LAB/$1.ahead" "/proc/$(process_pid "$1" "$2")/maps"
}
