#!/bin/sh
# SPDX-License-Identifier: MIT
# Fetches the arm64 kernel of Debian 13 for the one run that needs it: dirty rings, which Debian 12's
# does not have. Unpacks it as test/linux/root.sh does its packages; nothing is installed.
#	newer-kernel.sh DIRECTORY	afterwards there: vmlinuz, version
# Exit: 0 done, 2 not possible.
set -eu

fail() {
	echo "newer-kernel: $*" >&2
	exit 2
}

out=$1
rm -rf "$out"
mkdir -p "$out/root"
# The archives that this machine's apt uses, one release on.
# shellcheck disable=SC2016 # apt's variables, not the shell's
apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
	'Origin: Debian' 'Component: main' | sort -u | sed -n 's/ bookworm/ trixie/p' >"$out/sources" ||
	true
[ -s "$out/sources" ] || fail "apt knows no Debian 12 archive: check /etc/apt/sources.list"
apt-config dump | grep -E '^Acquire::(http|https|Check-Valid-Until|Retries)[: ]' >"$out/apt.conf" || true

echo "  DEBS    $out (once; arm64 kernel of Debian 13; log in $out/root.log)"
if ! mmdebstrap --arch=arm64 --variant=extract --include=linux-image-cloud-arm64 --format=tar \
	--aptopt="$out/apt.conf" trixie - - <"$out/sources" >"$out/root.tar" 2>"$out/root.log"; then
	grep -E '^(E|W|Err):' "$out/root.log" | tail -n 5 >&2
	fail "mmdebstrap could not fetch or unpack it; $out/root.log says why."
fi
tar -xf "$out/root.tar" -C "$out/root" ./boot --no-same-owner || fail "no ./boot in the package"
mv "$out"/root/boot/vmlinuz-* "$out/vmlinuz" || fail "no kernel in the package"
basename "$out"/root/boot/config-* | sed 's/^config-//' >"$out/version"
rm -rf "$out/root" "$out/root.tar" "$out/sources" "$out/apt.conf"
