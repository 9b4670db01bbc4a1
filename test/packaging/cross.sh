#!/bin/sh
# SPDX-License-Identifier: MIT
# The Buildroot package and the Yocto recipe, without Buildroot and Yocto: what they would run is run, as they
# say it, for the arm64 Linux of test/linux.
#
#	cross.sh DIR OUT MAKE CROSS SYSROOT	DIR: for intermediate files
set -eu
unset MAKEFLAGS MFLAGS MAKELEVEL

dir=$1
out=$2
make=$3
cross=$4
sysroot=$(realpath "$5")
here=$(dirname "$0")
rm -rf "$dir"
mkdir -p "$dir"
dir=$(realpath "$dir")
export PKG_CONFIG_LIBDIR="$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:$sysroot/usr/share/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$sysroot"

# check NAME COMMAND...: passes if the command succeeds; else shows what it said.
check() {
	name=$1
	shift
	if "$@" >"$dir/log" 2>&1; then
		echo "PASS: $name"
	else
		echo "FAIL: $name"
		tail -n 40 "$dir/log"
	fi
}

# is_arm64 ROOT yes|no: what has been installed is for arm64, and is linked with Xen's libraries or not.
is_arm64() {
	for program in sbin/poised bin/poisectl; do
		readelf -h "$1/usr/$program" | grep -q 'Machine: *AArch64' || return 1
	done
	xen=no
	if readelf -d "$1/usr/sbin/poised" | grep -q 'NEEDED.*libxen'; then
		xen=yes
	fi
	[ "$xen" = "$2" ]
}
has_library() {
	test -f "$1/usr/include/poise/poise.h" && test -f "$1/usr/lib/pkgconfig/poise.pc" &&
		"${cross}objdump" -f "$1/usr/lib/libpoise.a" | grep -q 'architecture: aarch64'
}

# --- Buildroot ---

# buildroot NAME VARIABLE=VALUE...
buildroot() {
	work=$dir/$1
	shift
	packaging/sources.sh "$work/source" "$out"
	"$make" -f "$here/buildroot.mk" SOURCE="$work/source" DIR="$work" CROSS="$cross" \
		SYSROOT="$sysroot" "$@" build
}
check 'Buildroot: library and daemon are built' buildroot all BR2_PACKAGE_POISE_DAEMON=y
check 'Buildroot: the staging folder has the library for arm64' has_library "$dir/all/staging"
check 'Buildroot: the target folder has the daemon for arm64, without Xen' is_arm64 "$dir/all/target" no
check 'Buildroot: library and daemon are built beside Xen' buildroot xen BR2_PACKAGE_POISE_DAEMON=y \
	BR2_PACKAGE_XEN_TOOLS=y
check 'Buildroot: beside Xen the daemon has its backend' is_arm64 "$dir/xen/target" yes
hashes() {
	sed -n 's/^sha256  //p' packaging/buildroot/poise/poise.hash >"$dir/sums"
	[ -s "$dir/sums" ] && sha256sum -c "$dir/sums"
}
check 'Buildroot: the licence files have the hashes that poise.hash says' hashes

# --- Yocto ---

recipe=$(echo packaging/yocto/poise_*.bb)
# What variable $1 of the recipe is, on one line.
variable() {
	sed -n "/^$1 =/,/\"\$/p" "$recipe" | tr -d '\\\n' | sed 's/^[^"]*"//; s/"$//'
}
# What PACKAGECONFIG[xen] says if it is on ($1 = 1) or off (2).
packageconfig() {
	sed -n 's/^PACKAGECONFIG\[xen\] = "\(.*\)"$/\1/p' "$recipe" | cut -d, -f"$1"
}
function_of() {
	sed -n "/^$1() {\$/,/^}\$/p" "$recipe"
}

# yocto NAME 1|2: the recipe's functions, with variables as bitbake.conf has them.
yocto() {
	mkdir -p "$dir/yocto-$1"
	(
		# shellcheck disable=SC2034 # The recipe uses them.
		S=$PWD B=$dir/yocto-$1/build D=$dir/yocto-$1/image BPN=poise
		# shellcheck disable=SC2034
		prefix=/usr libdir=/usr/lib sysconfdir=/etc docdir=/usr/share/doc mandir=/usr/share/man
		# shellcheck disable=SC2034
		systemd_system_unitdir=/usr/lib/systemd/system PACKAGECONFIG_CONFARGS=$(packageconfig "$2")
		export CC="${cross}gcc --sysroot=$sysroot" AR="${cross}ar" PKG_CONFIG=pkg-config
		export CFLAGS="-O2 -g -fstack-protector-strong" CPPFLAGS='' LDFLAGS='-Wl,-O1 -Wl,-z,relro,-z,now'
		# shellcheck disable=SC2317 # The recipe calls it.
		oe_runmake() {
			eval "$make $(variable EXTRA_OEMAKE) $*"
		}
		eval "$(function_of do_compile)"
		eval "$(function_of do_install)"
		do_compile && do_install
	)
}
check 'Yocto: library and daemon are built' yocto plain 2
check 'Yocto: the image has the library for arm64' has_library "$dir/yocto-plain/image"
check 'Yocto: the image has the daemon for arm64, without Xen' is_arm64 "$dir/yocto-plain/image" no
check 'Yocto: library and daemon are built with Xen' yocto xen 1
check 'Yocto: with Xen the daemon has its backend' is_arm64 "$dir/yocto-xen/image" yes
checksum() {
	sed -n 's/^LIC_FILES_CHKSUM = "file:\/\/\(.*\);md5=\(.*\)"$/\2  \1/p' "$recipe" >"$dir/sums"
	[ -s "$dir/sums" ] && md5sum -c "$dir/sums"
}
check 'Yocto: the licence has the checksum that the recipe says' checksum
rm -rf "$dir"/*/source "$dir"/yocto-*/build
