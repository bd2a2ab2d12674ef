# shellcheck shell=bash
# What a bare Debian needs to build and test tandem, and building it out of tree. Sourced by
# tests/check and tests/demo; wants $top, the checkout.

packages="autoconf automake libtool pkg-config make gcc libc6-dev xz-utils libnl-3-dev libnl-route-3-dev libnl-genl-3-dev
	libev-dev libconfig-dev libnet1-dev libsystemd-dev libssl-dev libcap-ng-dev libseccomp-dev libnftnl-dev libmnl-dev libcmocka-dev
	libjansson-dev libpcre2-dev iproute2 iputils-ping procps python3 jq curl mandoc keepalived haproxy nginx-light ipvsadm iputils-arping nftables
	linux-image-amd64 qemu-system-x86 busybox-static cpio kmod util-linux strace openssl"

missing_packages()
{
	local p

	for p in $packages; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p"
	done
}

# Installing a package must not start a daemon on this machine.
install_packages()
{
	local missing policy=/usr/sbin/policy-rc.d made=

	missing=$(missing_packages)
	[ -n "$missing" ] || return 0
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' > $policy
		chmod +x $policy
		made=1
	fi
	# shellcheck disable=SC2086
	apt-get update -q && apt-get install -y -q --no-install-recommends $missing
	local status=$?
	[ -z "$made" ] || rm -f $policy
	return $status
}

configure_in()
{
	local dir=$1

	shift
	[ -x "$top/configure" ] && [ "$top/configure" -nt "$top/configure.ac" ] &&
		[ "$top/Makefile.in" -nt "$top/Makefile.am" ] || (cd "$top" && autoreconf -fi) || return 1
	mkdir -p "$dir" && cd "$dir" || return 1
	[ -e Makefile ] || "$top/configure" --enable-werror --sysconfdir=/etc "$@"
}

build()
{
	(configure_in "$top/build-check" && make -j2 all) || return 1
	(cd "$top/build-check" && make -j2 check TESTS=) # the programs of the tests, without running them
}
