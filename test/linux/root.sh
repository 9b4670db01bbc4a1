#!/bin/sh
# SPDX-License-Identifier: MIT
# Unpacks a set of the arm64 packages listed in a file into a directory, without running any of them and
# without a change to this machine's own package system.
#	root.sh PACKAGES SET DIRECTORY
# LINUX_RELEASE	code name of the release of Debian; default: this machine's own
# Packages come from where this machine's apt gets its own, through the same proxy if it has one.
# In DIRECTORY, which is replaced, afterwards: root/ (also a sysroot), the links vmlinuz, headers (for
# `make -C`), xen and xen-bin (Xen itself, its programs; where the set has them), and the file version
# of the kernel. Exit: 0 done, 2 not possible.
set -eu

fail() {
	echo "linux: $*" >&2
	exit 2
}

list=$1
set=$2
out=$3
[ -r "$list" ] || fail "cannot read $list"
for tool in mmdebstrap apt-get dpkg tar; do
	command -v "$tool" >/dev/null ||
		fail "$tool is missing: the arm64 Linux is made of Debian's packages, on Debian ('make setup')"
done
# shellcheck source=test/linux/archive.sh
. "$(dirname "$0")/archive.sh"
release=${LINUX_RELEASE:-$(archive_release)}

host=$(dpkg --print-architecture)
case $host in
arm64) architectures=arm64 ;;
*) architectures=arm64,$host ;;
esac
packages=$(awk -F'\t' -v set="$set" -v release="$release" '
	/^#/ || NF != 4 || $1 != set || ($2 != "any" && $2 != release) { next }
	{ printf "%s%s", separator, $3; separator = "," }' "$list")
suites=$(printf '%s' "$packages" | tr , '\n' | sed -n 's|.*/||p' | sort -u)
[ "$set" = root ] || case $packages in
*linux-image*) ;;
*) fail "no kernel for release ${release:-unknown} in set $set of $list" ;;
esac

trap 'rm -rf "$out/unpack"' EXIT
for file in root unpack newer vmlinuz headers xen xen-bin version root.log .built; do
	rm -rf "${out:?}/$file"
done
mkdir -p "$out/root" "$out/unpack"

archive_sources "$release" >"$out/unpack/sources"
[ -s "$out/unpack/sources" ] || fail "$archive_none"
for suite in $suites; do
	sed -n "s/ $release / $suite /p" "$out/unpack/sources"
done >"$out/unpack/more"
cat "$out/unpack/more" >>"$out/unpack/sources"
archive_conf >"$out/unpack/apt.conf"

echo "  DEBS    $out/root (once; arm64 packages of $release; log in $out/root.log)"
# As a tar file, so that whoever builds owns what comes out, in each of mmdebstrap's modes. The kernel's
# build programs are run by this machine: theirs is the one package that is not taken for arm64.
pin=true
if [ "$host" != arm64 ]; then
	pin="printf 'Package: linux-kbuild-*\nPin: release b=arm64\nPin-Priority: -1\n'"
	pin="$pin >\"\$1/etc/apt/preferences.d/kbuild\""
fi
if ! mmdebstrap --arch="$architectures" --variant=extract --include="$packages" --format=tar \
	--aptopt="$out/unpack/apt.conf" --setup-hook="$pin" "$release" - - <"$out/unpack/sources" \
	>"$out/unpack/root.tar" 2>"$out/root.log"; then
	grep -E '^(E|W|Err):|No space' "$out/root.log" | tail -n 5 >&2
	echo "linux: mmdebstrap could not fetch or unpack the packages; $out/root.log says why." >&2
	echo "linux: package lists out of date: 'apt-get update' as root. No user namespaces here:" >&2
	fail "install fakechroot and fakeroot, or run make as root. Then run make again."
fi
tar -xf "$out/unpack/root.tar" -C "$out/root" --no-same-owner --exclude='./dev/*' \
	--exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
	--exclude='./usr/lib/gcc/*' --exclude='./usr/share/info/*' --exclude='./usr/lib/python3*' ||
	fail "no room for the unpacked packages in $out (1 GB)?"
chmod -R u+rwX "$out/root"
rm -rf "$out/unpack"
# The links of a merged /usr are in no package that is wanted here.
for directory in bin lib sbin; do
	[ -e "$out/root/$directory" ] || ln -s "usr/$directory" "$out/root/$directory"
done

# A sysroot must be self-contained: links that start at / would leave it.
find "$out/root" -type l -lname '/*' | while IFS= read -r link; do
	target=$(readlink "$link")
	ln -snf "$(realpath -m -s --relative-to="$(dirname "$link")" "$out/root$target")" "$link"
done

# one PATTERN...: the one path below root/ that matches one of them. Nothing here knows a version.
one() {
	found=
	for pattern; do
		for path in "$out"/root/$pattern; do
			[ -e "$path" ] || continue
			[ -z "$found" ] || fail "more than one $* in $out/root: $found $path"
			found=${path#"$out/"}
		done
	done
	[ -n "$found" ] || fail "no $* in $out/root"
	echo "$found"
}
# Since Linux 7 Debian's kernels lie beside their modules.
kernel=$(one 'boot/vmlinuz-*-cloud-arm64' 'usr/lib/modules/*-cloud-arm64/vmlinuz')
case $kernel in
*/vmlinuz) version=$(basename "${kernel%/vmlinuz}") ;;
*) version=${kernel#root/boot/vmlinuz-} ;;
esac
headers=root/usr/src/linux-headers-$version
# It names itself and the common headers by their place in an installed system.
# shellcheck disable=SC2016 # make's variables, not the shell's
sed -i 's|^KBUILD_OUTPUT *=.*|KBUILD_OUTPUT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))|
	s|^include /usr/src/|include $(dir $(abspath $(lastword $(MAKEFILE_LIST))))../|' \
	"$out/$headers/Makefile"
PATH=$PATH:/sbin:/usr/sbin depmod -b "$(realpath "$out/root")" "$version" ||
	fail "depmod failed: is kmod installed ('make setup')?"
ln -snf "$kernel" "$out/vmlinuz"
ln -snf "$headers" "$out/headers"
if [ "$set" = root ]; then
	ln -snf "$(one 'boot/xen-*-arm64')" "$out/xen"
	ln -snf "$(one 'usr/lib/xen-*[0-9]/bin')" "$out/xen-bin"
fi
echo "$version" >"$out/version"
