#!/bin/sh
# SPDX-License-Identifier: MIT
# Unpacks the arm64 packages listed in a file into a directory, without running any of them and
# without a change to this machine's own package system.
#	root.sh PACKAGES DIRECTORY
# Packages come from where this machine's apt gets its own, through the same proxy if it has one.
# In DIRECTORY, which is replaced, afterwards: root/ (also a sysroot), and the links vmlinuz, headers
# (for `make -C`) and the file version of the kernel. Exit: 0 done, 2 not possible.
set -eu

fail() {
	echo "linux: $*" >&2
	exit 2
}

list=$1
out=$2
[ -r "$list" ] || fail "cannot read $list"
for tool in mmdebstrap apt-get dpkg tar; do
	command -v "$tool" >/dev/null || fail "$tool is missing: run 'make setup' on Debian 12"
done

host=$(dpkg --print-architecture)
case $host in
arm64) architectures=arm64 ;;
*) architectures=arm64,$host ;;
esac
packages=$(awk -F'\t' -v host="$host" '
	/^#/ || NF != 2 { next }
	{ sub(/@HOST@/, host, $1); printf "%s%s", separator, $1; separator = "," }' "$list")

rm -rf "$out/root" "$out/unpack"
mkdir -p "$out/root" "$out/unpack"

# Only Debian's own archives: others that this machine uses need not know arm64.
# shellcheck disable=SC2016 # apt's variables, not the shell's
apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
	'Origin: Debian' 'Component: main' | sort -u | grep ' bookworm' >"$out/unpack/sources" ||
	fail "apt knows no Debian 12 archive: check /etc/apt/sources.list, run 'apt-get update' as root"
apt-config dump | grep -E '^Acquire::(http|https|Check-Valid-Until|Retries)[: ]' \
	>"$out/unpack/apt.conf" || true

echo "  DEBS    $out/root (once; arm64 kernel, QEMU, Xen, libraries; log in $out/root.log)"
# As a tar file, so that whoever builds owns what comes out, in each of mmdebstrap's modes.
if ! mmdebstrap --arch="$architectures" --variant=extract --include="$packages" --format=tar \
	--aptopt="$out/unpack/apt.conf" bookworm - - <"$out/unpack/sources" \
	>"$out/unpack/root.tar" 2>"$out/root.log"; then
	grep -E '^(E|W|Err):' "$out/root.log" | tail -n 5 >&2
	rm -rf "$out/unpack"
	echo "linux: mmdebstrap could not fetch or unpack the packages; $out/root.log says why." >&2
	echo "linux: package lists out of date: 'apt-get update' as root. No user namespaces here:" >&2
	fail "install fakechroot and fakeroot, or run make as root. Then run make again."
fi
tar -xf "$out/unpack/root.tar" -C "$out/root" --no-same-owner --exclude='./dev/*' \
	--exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
	--exclude='./usr/lib/gcc/*' --exclude='./usr/share/info/*' --exclude='./usr/lib/python3*' ||
	fail "no room for the unpacked packages in $out (700 MB)?"
chmod -R u+rwX "$out/root"
rm -rf "$out/unpack"

# A sysroot must be self-contained: links that start at / would leave it.
find "$out/root" -type l -lname '/*' | while IFS= read -r link; do
	target=$(readlink "$link")
	ln -snf "$(realpath -m -s --relative-to="$(dirname "$link")" "$out/root$target")" "$link"
done

version=$(basename "$out"/root/boot/vmlinuz-*-cloud-arm64 | sed 's/^vmlinuz-//')
[ -s "$out/root/boot/vmlinuz-$version" ] || fail "no kernel in $out/root/boot; see $out/root.log"
headers=root/usr/src/linux-headers-$version
# It includes the common headers by their place in an installed system.
# shellcheck disable=SC2016 # make's variables, not the shell's
sed -i 's|^include /usr/src/|include $(dir $(abspath $(lastword $(MAKEFILE_LIST))))../|' \
	"$out/$headers/Makefile"
PATH=$PATH:/sbin:/usr/sbin depmod -b "$(realpath "$out/root")" "$version" ||
	fail "depmod failed: is kmod installed ('make setup')?"
ln -snf "root/boot/vmlinuz-$version" "$out/vmlinuz"
ln -snf "$headers" "$out/headers"
echo "$version" >"$out/version"
