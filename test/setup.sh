#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that are missing for the purposes named on the command line (the third
# column of test/packages). Says what and why first. Does nothing when nothing is missing. On another
# system it installs nothing and says what is missing there.
#
#	setup.sh PURPOSE...		installs
#	setup.sh --lacks WORD...	prints which commands, headers (of CC) and starts of paths are not there,
#					if they are not installed by this: on another system, or with SETUP=no
#
# OS_RELEASE	the file that says which system this is (/etc/os-release)
# Exit: 0 all there, or another system; 2 something is missing and cannot be installed.
set -eu

list=$(dirname "$0")/packages
# Seconds to wait for another apt: on a fresh machine the automatic upgrade holds the lock for minutes.
patience=900

# The value of a key of os-release.
os() {
	sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "${OS_RELEASE:-/etc/os-release}" 2>/dev/null |
		head -n 1
}

# The lines of the list for the purposes, "package<TAB>why<TAB>what shows that it is there".
wanted() {
	awk -F'\t' -v host="$1" -v purposes="$2" '
	/^#/ || NF < 4 || ($2 != "any" && $2 != host) { next }
	{
		n = split(purposes, want, " ")
		for (i = 1; i <= n; i++) {
			if (index("," $3 ",", "," want[i] ",") > 0) {
				print $1 "\t" $4 "\t" (NF > 4 ? $5 : $1)
				next
			}
		}
	}' "$list"
}

# Which of the words this machine does not have: commands, headers of CC, starts of paths.
lacks() {
	for sign; do
		case $sign in
		*.h) echo "#include <$sign>" | ${CC:-cc} -E -x c - ;;
		/*) ls "$sign"* ;;
		-) continue ;;
		*) command -v "$sign" ;;
		esac >/dev/null 2>&1 || printf ' %s' "$sign"
	done
}

# Another system has other names for the packages, and its archive need not have them all. Whoever
# builds there may not need them all either, so that make goes on.
elsewhere() {
	name=$(os PRETTY_NAME)
	case $(uname -m) in
	aarch64) host=arm64 ;;
	*) host=amd64 ;;
	esac
	# shellcheck disable=SC2046 # Words.
	absent=$(lacks $(wanted "$host" "$*" | sed 's/.*	//'))
	[ -z "$absent" ] || echo "setup: ${name:-This system} is no Debian, so nothing is installed; for" \
		"these goals it lacks:$absent ($list says what for; CC, CXX, CLANG, CROSS, QEMU and" \
		"NEWLIB_TAR name what is elsewhere)." >&2
	exit 0
}

here=elsewhere
if [ "$(os ID)" = debian ] && command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
	here=debian
fi
if [ "$1" = --lacks ]; then
	shift
	case $here${SETUP:-yes} in
	debianyes) ;;
	*) lacks "$@" ;;
	esac
	exit 0
fi
[ "$here" = debian ] || elsewhere "$@"

missing=
while IFS='	' read -r package why _; do
	status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
	if [ "$status" != installed ]; then
		[ -n "$missing" ] || echo "setup: these Debian packages are missing:"
		printf '    %-26s %s\n' "$package" "$why"
		missing="$missing $package"
	fi
done <<END
$(wanted "$(dpkg --print-architecture)" "$*")
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

# apt ARGUMENT...: what it has to say of a failure is in $said. apt itself waits for dpkg's lock, but not
# for those of the package lists and of what has been downloaded.
apt() {
	left=$patience
	# shellcheck disable=SC2086 # as_root may be empty.
	until said=$($as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 \
		-o DPkg::Lock::Timeout=$patience "$@" 2>&1 >/dev/null); do
		case $said in
		*'Could not get lock /var/lib/dpkg/'*) return 1 ;;
		*'Could not get lock'*) ;;
		*) return 1 ;;
		esac
		[ "$left" -gt 0 ] || return 1
		left=$((left - 5))
		sleep 5
	done
}

install() {
	# shellcheck disable=SC2086 # The list is meant to be split.
	apt -y --no-install-recommends install $missing
}

echo "setup: installing with apt-get; if another apt is at work, this waits for it, $((patience / 60)) minutes at most"
# A fresh machine has no package lists yet, an old one has outdated ones: fetch them on failure only.
if ! install; then
	case $said in
	*'Could not get lock'*) false ;;
	*) apt update && install ;;
	esac || {
		printf '%s\n' "$said" | sed 's/^/    /' >&2
		echo "setup: apt-get could not install:$missing" >&2
		exit 2
	}
fi
echo "setup: done"
