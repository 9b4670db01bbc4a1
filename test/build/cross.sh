#!/bin/sh
# SPDX-License-Identifier: MIT
# The cross build as distributions do it: the daemon for the arm64 Linux of the tests, its libraries found by
# pkg-config in that system's root; the small VMM and the module; equal bits where there are two of them.
#
#	cross.sh MAKE OUT LINUX CROSS QEMU_USER	OUT: of this make, not copied; LINUX: the packages' root
set -eu

make=$1
out=$2
linux=$(cd "$3" && pwd)
cross=$4
emulator=$5
root=$linux/root

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# shellcheck source=test/build/check.sh
. "$(dirname "$0")/check.sh"

here=$dir/one
there=$dir/another/place
packaging/sources.sh "$here" "$out"
packaging/sources.sh "$there" "$out"

# As Buildroot, Yocto or a Debian cross build say it.
libraries=$root/usr/lib/aarch64-linux-gnu
cross_make() {
	quietly env PKG_CONFIG=pkg-config PKG_CONFIG_LIBDIR="$libraries/pkgconfig:$root/usr/share/pkgconfig" \
		PKG_CONFIG_SYSROOT_DIR="$root" "$make" --no-print-directory -j2 SETUP=no "$@"
}
install_daemon() {
	cross_make -C "$here" CROSS_COMPILE="$cross" CFLAGS="--sysroot=$root" XEN="$1" OUT="build-$1" \
		DESTDIR="$dir/xen-$1" PREFIX=/usr LIBDIR=/usr/lib/aarch64-linux-gnu install-lib install-daemon
}
is_arm64() {
	"${cross}readelf" -h "$1" | grep -q 'Machine:.*AArch64'
}
needs() {
	"${cross}readelf" -dW "$1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p'
}
with_xen() {
	needs "$dir/xen-yes/usr/sbin/poised" | grep -q libxenctrl
}
without_xen() {
	! needs "$dir/xen-no/usr/sbin/poised" | grep -E 'xen|fdt'
}
runs() {
	"$emulator" -L "$root" "$dir/xen-no/usr/sbin/poised" --help >"$dir/help" 2>&1 || true
	grep -q poised "$dir/help" || cat "$dir/help"
}
check 'CROSS_COMPILE and PKG_CONFIG_*: the daemon, XEN=yes' install_daemon yes
check 'the same, XEN=no' install_daemon no
check 'it is for AArch64' is_arm64 "$dir/xen-no/usr/sbin/poised"
check 'so is the library, in LIBDIR' is_arm64 "$dir/xen-no/usr/lib/aarch64-linux-gnu/libpoise.a"
check 'XEN=yes: it needs libraries of Xen' with_xen
check 'XEN=no: it needs none' without_xen
check 'it runs' runs

# Programs for any arm64 Linux, and the module: in both places.
for tree in "$here" "$there"; do
	check "poise-vmm and poise_guest.ko: ${tree#"$dir/"}" quietly "$make" --no-print-directory -C "$tree" -j2 SETUP=no \
		CROSS="$cross" LINUX="$linux" vmm module
done
for product in vmm/poise-vmm module/poise_guest.ko; do
	check "equal bits: $product" cmp "$here/build/$product" "$there/build/$product"
done
# All but what the kernel's build writes for itself.
unnamed() {
	! grep -rlaF "$dir" "$here/build/vmm" "$here/build/module/poise_guest.ko" --include='*.o' --include='*.ko' \
		--include=poise-vmm
}
check 'they do not have the path of their build in them' unnamed
hardened() {
	"${cross}readelf" -h "$1" | grep -q 'Type:.*DYN' || echo "not position independent"
	"${cross}readelf" -lW "$1" | grep -q GNU_RELRO || echo "no RELRO"
	"${cross}readelf" -dW "$1" | grep -q 'FLAGS.*NOW' || echo "symbols are bound late"
	"${cross}readelf" -sW "$1" | grep -q '__stack_chk_fail' || echo "no stack protector"
	"${cross}readelf" -sW "$1" | grep -qE '__[a-z]+_chk(@|$| )' || echo "no FORTIFY"
	! "${cross}readelf" -lW "$1" | grep -E 'GNU_STACK.*RWE'
}
check 'hardened: poise-vmm' hardened "$here/build/vmm/poise-vmm"
check 'hardened: poised' hardened "$dir/xen-yes/usr/sbin/poised"
check 'hardened: poisectl' hardened "$dir/xen-yes/usr/bin/poisectl"

kernel="ARCH=arm64 CROSS_COMPILE=$cross"
# shellcheck disable=SC2086 # A list of words.
module_by_kdir() {
	quietly "$make" --no-print-directory -C "$here" SETUP=no OUT=build-kdir KDIR="$linux/headers" $kernel module &&
		is_arm64 "$here/build-kdir/module/poise_guest.ko"
}
check 'the module with KDIR, ARCH, CROSS_COMPILE' module_by_kdir
# shellcheck disable=SC2086
module_by_dkms() {
	quietly "$make" --no-print-directory -C "$here" SETUP=no DESTDIR="$dir/dkms" install-dkms &&
		quietly "$make" --no-print-directory -C "$dir"/dkms/usr/src/poise-guest-*/guestdrv/linux \
			KDIR="$linux/headers" $kernel modules &&
		is_arm64 "$dir"/dkms/usr/src/poise-guest-*/guestdrv/linux/poise_guest.ko
}
check 'the module from what install-dkms installs' module_by_dkms
