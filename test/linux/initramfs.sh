#!/bin/sh
# SPDX-License-Identifier: MIT
# Packs an initramfs (uncompressed cpio) out of the unpacked packages and own files.
#	initramfs.sh OUTPUT LINUX PART...
# LINUX is the directory that root.sh has filled. OUTPUT gets busybox, test/linux/init as /init, and:
#	job=FILE		FILE as /job: what /init runs
#	file=FILE:PATH		FILE as PATH, with its permissions; with the libraries it needs
#	bin=PATH		PATH of the packages, a pattern may stand for it; with the libraries it needs
#	tree=PATH		the directory PATH of the packages; programs in it with their libraries
#	modules=NAME,...	kernel modules with those they need; /init loads them in this order
#	keep=NAME,...		the same, but /init does not load them
#	module=FILE		a module built out of tree; not loaded (modprobe NAME does)
#	dir=PATH		an empty directory
#	link=PATH:TARGET	a symbolic link
# Exit: 0 done, 2 something is missing.
set -eu
here=$(dirname "$0")
PATH=$PATH:/sbin:/usr/sbin

fail() {
	echo "initramfs: $*" >&2
	exit 2
}

[ $# -ge 2 ] || fail "usage: initramfs.sh OUTPUT LINUX PART..."
output=$1
linux=$2
shift 2
root=$linux/root
[ -s "$linux/version" ] || fail "no packages in $linux: run 'make linux-root'"
version=$(cat "$linux/version")
stage=$output.stage
rm -rf "$stage"
mkdir -p "$stage/bin" "$stage/lib/modules/$version" "$stage/etc"
trap 'rm -rf "$stage"' EXIT

# Where Xen's version has libraries of its own.
xen_places=
for place in "$root"/usr/lib/xen-*[0-9]/lib "$root"/usr/lib/xen-*[0-9]/lib/aarch64-linux-gnu; do
	xen_places="$xen_places ${place#"$root"}"
done

# copy FROM PATH: a file or link into the initramfs, links with what they point to.
copy() {
	[ -e "$1" ] || [ -L "$1" ] || fail "no $1"
	[ ! -e "$stage$2" ] || return 0
	mkdir -p "$stage$(dirname "$2")"
	cp -L --preserve=mode "$1" "$stage$2"
}

# libraries FILE: the shared libraries that a program needs, and those that they need.
libraries() {
	for name in $(readelf -d "$1" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		for place in /lib/aarch64-linux-gnu /usr/lib/aarch64-linux-gnu $xen_places \
			/usr/lib/aarch64-linux-gnu/pulseaudio /usr/lib/aarch64-linux-gnu/samba none; do
			[ ! -e "$root$place/$name" ] || break
		done
		[ "$place" != none ] || fail "$1 needs $name, which is not in $root"
		case $name in ld-linux-*) continue ;; esac
		if [ ! -e "$stage$place/$name" ]; then
			copy "$root$place/$name" "$place/$name"
			libraries "$root$place/$name"
		fi
	done
}

# program FROM PATH: copies it, with the loader and libraries if it is linked to any.
program() {
	copy "$1" "$2"
	if readelf -d "$1" 2>/dev/null | grep -q NEEDED; then
		copy "$root/lib/ld-linux-aarch64.so.1" /lib/ld-linux-aarch64.so.1
		libraries "$1"
	fi
}

# modules NAME,...: prints the names; copies the files.
modules() {
	for module in $(printf '%s' "$1" | tr , ' '); do
		needed=$(modprobe -d "$(realpath "$root")" -S "$version" --show-depends "$module") ||
			fail "the kernel has no module $module"
		for file in $(printf '%s\n' "$needed" | sed -n 's/^insmod \([^ ]*\).*/\1/p'); do
			copy "$file" "${file#"$(realpath "$root")"}"
		done
		echo "$module"
	done
}

program "$root/bin/busybox" /bin/busybox
copy "$here/init" /init
for part; do
	value=${part#*=}
	case $part in
	job=*) program "$value" /job && chmod +x "$stage/job" ;;
	file=*:*) program "${value%%:*}" "${value#*:}" ;;
	bin=*)
		for file in "$root"$value; do
			program "$file" "${file#"$root"}"
		done
		;;
	tree=*)
		[ -d "$root$value" ] || fail "no directory $root$value"
		list=$(cd "$root" && find ".$value" ! -type d)
		for file in $list; do
			program "$root${file#.}" "${file#.}"
		done
		;;
	modules=*) modules "$value" >>"$stage/etc/modules" ;;
	keep=*) modules "$value" >/dev/null ;;
	module=*) copy "$value" "/lib/modules/$version/extra/$(basename "$value")" ;;
	dir=*) mkdir -p "$stage$value" ;;
	link=*:*)
		mkdir -p "$stage$(dirname "${value%%:*}")"
		ln -snf "${value#*:}" "$stage${value%%:*}"
		;;
	*) fail "what is '$part'?" ;;
	esac
done

cp "$root/lib/modules/$version"/modules.builtin* "$root/lib/modules/$version/modules.order" \
	"$stage/lib/modules/$version/"
depmod -b "$stage" "$version"
(cd "$stage" && find . | sort | cpio -o -H newc -R 0:0 --quiet) >"$output.new"
mv "$output.new" "$output"
