#!/bin/sh
# SPDX-License-Identifier: MIT
# The README's commands on another release of Debian: makes a minimal system of it below DIR, clones the
# tree into it, runs make there and removes it. Packages come from where this machine's apt gets its own.
#
#	run.sh RELEASE DIR GOAL...	RELEASE: a code name, such as trixie
#
# SECONDS_EACH	limit of each goal (3600). All that is said is in DIR/RELEASE.log.
# Needs root, or user namespaces. Prints a line for each goal, what failed or was skipped, and as the last
# line "N passed, N failed, N skipped"; a goal counts as one, with its tests on top. Exit: 0 all passed,
# 1 something failed, 2 cannot be done here.
set -eu

fail() {
	echo "release: $*" >&2
	exit 2
}

release=$1
dir=$2
shift 2
here=$(dirname "$0")
# shellcheck source=test/linux/archive.sh
. "$here/../linux/archive.sh"
case $release in
'' | *[!a-z]*) fail "RELEASE='$release' is no code name of Debian; for example: make test-release RELEASE=trixie" ;;
esac
for tool in mmdebstrap apt-get git timeout; do
	command -v $tool >/dev/null || fail "$tool is missing: it takes a Debian machine ('make setup')"
done
# What mmdebstrap mounts is not to be seen by whoever clears DIR meanwhile.
if [ "$(id -u)" -eq 0 ]; then
	mode=root
	apart='unshare --mount'
elif grep -q "^$(id -un):" /etc/subuid 2>/dev/null && unshare --user --map-root-user true 2>/dev/null; then
	mode=unshare
	apart=
else
	fail "neither root, nor user namespaces with a range in /etc/subuid (package uidmap): run it as root"
fi
git rev-parse --verify -q HEAD >/dev/null || fail "this tree is no git repository, so it cannot be cloned"
[ -z "$(git status --porcelain)" ] || echo "release: what is not committed is not in the clone"

mkdir -p "$dir"
log=$dir/$release.log
work=$(mktemp -d "$dir/$release.XXXXXX")
group=
# All that has been started is told to end, and mmdebstrap removes its system itself.
# shellcheck disable=SC2317 # A trap calls it.
interrupted() {
	trap '' INT TERM HUP
	if [ -n "$group" ]; then
		kill -TERM "-$group" || true
		wait || true
	fi
	echo "release: interrupted" >&2
	exit 130
}
trap 'rm -rf --one-file-system "$work"' EXIT
trap interrupted INT TERM HUP
archive_sources "$release" >"$work/sources"
[ -s "$work/sources" ] || fail "$archive_none"
archive_conf >"$work/apt.conf"
git clone -q --no-local . "$work/poise"
cp "$here/inside.sh" "$work/poise/.inside"
# The user of the namespace is another one.
chmod -R go+rX "$work"
chmod 1777 "$work"

echo "release: minimal $release, then make $*; log in $log"
work=$(realpath "$work")
status=0
mkfifo "$work/said"
tee "$log" <"$work/said" | grep -aE --line-buffered '^(release: |FAIL[: ]|SKIP[: ]|not ok |E: )' &
report=$!
# In the background, as a shell takes no signal while it waits for a command in the foreground. What it starts
# there ignores SIGINT, unless it is told otherwise.
# shellcheck disable=SC2086 # apart is two words or none.
TMPDIR=$work env --default-signal setsid $apart mmdebstrap --mode=$mode --variant=apt \
	--include=make,git,ca-certificates --format=null --aptopt="$work/apt.conf" \
	--customize-hook="copy-in $work/poise /root" \
	--customize-hook="HOME=/root chroot \"\$1\" sh /root/poise/.inside ${SECONDS_EACH:-3600} $*" \
	"$release" /dev/null - <"$work/sources" >"$work/said" 2>&1 &
group=$!
wait "$group" || true
wait "$report" || true
awk -v goals=$# '
	/^release: make .*: passed/ { passed++; ended++ }
	/^release: make .*: failed/ { failed++; ended++ }
	/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { passed += $1; failed += $3; skipped += $5 }
	END {
		if (ended < goals) {
			print "release: " goals - ended " goals have not ended; the log says why"
			failed += goals - ended
		}
		printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
		exit failed > 0
	}' "$log" || status=1
exit $status
