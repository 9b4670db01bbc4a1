#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that are missing for the purposes named on the command line (the third
# column of test/packages). Says what and why first. Does nothing when nothing is missing.
# Exit: 0 all there, 2 something is missing and cannot be installed.
set -eu

list=$(dirname "$0")/packages

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "setup: this is no Debian; the tools listed in $list have to be there already." >&2
	exit 0
fi

host=$(dpkg --print-architecture)
# Each wanted package once: "package<TAB>why".
wanted=$(awk -F'\t' -v host="$host" -v purposes="$*" '
	/^#/ || NF != 4 || ($2 != "any" && $2 != host) { next }
	{
		n = split(purposes, want, " ")
		for (i = 1; i <= n; i++) {
			if (index("," $3 ",", "," want[i] ",") > 0) {
				print $1 "\t" $4
				next
			}
		}
	}' "$list")

missing=
while IFS='	' read -r package why; do
	status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
	if [ "$status" != installed ]; then
		[ -n "$missing" ] || echo "setup: these Debian packages are missing:"
		printf '    %-26s %s\n' "$package" "$why"
		missing="$missing $package"
	fi
done <<END
$wanted
END
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null; then
	as_root=sudo
	echo "setup: installing them needs root; sudo may ask for your password."
else
	echo "setup: neither root nor sudo. Have an administrator run:" >&2
	echo "    apt-get install --no-install-recommends$missing" >&2
	exit 2
fi

install() {
	# shellcheck disable=SC2086 # The list is meant to be split, and as_root may be empty.
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
		-o Dpkg::Use-Pty=0 install $missing >/dev/null
}

echo "setup: installing with apt-get"
# A fresh machine has no package lists yet, an old one has outdated ones: fetch them on failure only.
if ! install 2>/dev/null; then
	# shellcheck disable=SC2086
	if ! $as_root apt-get -qq update || ! install; then
		echo "setup: apt-get could not install:$missing" >&2
		exit 2
	fi
fi
echo "setup: done"
