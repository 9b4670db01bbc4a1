#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots every stanza of a list, as many at a time as there are processors (or $JOBS), and sums up.
#
#	run.sh LIST BOARD_OUT WORK_OUT QEMU [FLAGS...]
#
# A boot passes if its exit status is the expected one, and its output closes with the line that
# belongs to that status (or contains the expected text). guard.sh ends a boot that hangs.
# Last line: N passed, N failed.
set -u

# start LOG QEMU FLAGS...: one boot of the stanza; its status is that of guard.sh.
start() {
	output=$1
	shift
	if [ -n "$machine" ]; then
		set -- "$1" -M "$machine" -display none -serial stdio
	fi
	semihosting=enable=on,target=native
	for argument in $args; do
		semihosting=$semihosting,arg=$argument
	done
	# shellcheck disable=SC2086 # Options are meant to be split.
	"$(dirname "$0")/guard.sh" "$@" $options -semihosting-config "$semihosting" \
		-kernel "$images/$image" >"$output" 2>&1
}

# Says whether the boot went as it should; leaves the reason in `why` if not.
judge() {
	if [ "$code" -eq 124 ]; then
		why=$(tail -n 1 "$log")
	elif [ "$code" -ne "$status" ]; then
		why="exit status $code instead of $status"
	elif [ -n "$expect" ] && ! grep -qF "$expect" "$log"; then
		why="not in the output: $expect"
	elif [ -z "$expect" ] && [ -z "$closing" ]; then
		why="no closing line"
	elif [ -z "$expect" ] && [ $((checks_passed > 0 && checks_failed == 0)) -ne 1 ]; then
		why="the closing line does not agree with the status"
	elif [ -n "$again" ] && ! { start "$log.again" "$@"; cmp -s "$log" "$log.again"; }; then
		why="a second boot says something else, see $log.again"
	else
		return 0
	fi
	return 1
}

# memory_of QEMU FLAGS...: the last size of memory among the flags.
memory_of() {
	size=
	for word; do
		[ "${before-}" != -m ] || size=$word
		before=$word
	done
	echo "$size"
}

# boot LIST BOARD_OUT WORK_OUT NAME QEMU [FLAGS...]: boots one stanza; counts go to WORK_OUT/NAME.count.
boot() {
	images=$2
	work=$3
	name=$4
	image='' args='' status=0 expect='' again='' options='' machine=''
	eval "$(stanzas "$1" "$name")"
	shift 4
	# shellcheck disable=SC2086 # Options are meant to be split.
	args=$(printf '%s' "$args" | sed "s|@OUT@|$work|g; s|@MEMORY@|$(memory_of "$@" $options)|g")
	log=$work/$name.log
	start "$log" "$@"
	code=$?

	checks_passed=0
	checks_failed=0
	closing=$(tail -n 1 "$log" | grep -E '^[0-9]+ passed, [0-9]+ failed$')
	if [ -n "$closing" ]; then
		checks_passed=${closing%% *}
		checks_failed=${closing#*, }
		checks_failed=${checks_failed%% *}
	fi
	if ! judge "$@"; then
		[ "$checks_failed" -gt 0 ] || checks_failed=1
		report=$(grep '^FAIL' "$log"; echo "FAIL $name: $why; see $log")
		printf '%s\n' "$report"
	elif [ -n "$expect" ]; then
		checks_passed=1
		echo "PASS $name"
	else
		echo "PASS $name ($checks_passed checks)"
	fi
	echo "$checks_passed $checks_failed" >"$work/$name.count"
}

# Prints the names of a list's stanzas; or with a name, that stanza as assignments of the shell.
# A stanza ends at an empty line; a line is a key, a tab and a value.
stanzas() {
	awk -F '\t' -v list="$1" -v only="${2-}" '
		/^#/ || /^$/ { next }
		$1 == "name" { name = $2; if (!only) print name; next }
		NF != 2 || $1 !~ /^(image|args|status|expect|again|options|machine)$/ {
			print list ":" FNR ": what is " $0 "?" > "/dev/stderr"
			exit 2
		}
		only && name == only {
			gsub(/\047/, "\047\\\\\047\047", $2)
			print $1 "=\047" $2 "\047"
		}' "$1"
}

if [ "$1" = --boot ]; then
	shift
	boot "$@"
	exit 0
fi

list=$1
work=$3
rm -rf "$work"
mkdir -p "$work"
names=$(stanzas "$list") || exit 2
images=$2
shift 3
echo "$names" | xargs -P "${JOBS:-$(nproc)}" -I '{}' "$0" --boot "$list" "$images" "$work" '{}' "$@"

# A boot that has left no count has failed.
for name in $names; do
	cat "$work/$name.count" 2>/dev/null || echo "0 1"
done | awk '
	{ passed += $1; failed += $2 }
	END {
		printf "%d passed, %d failed\n", passed, failed
		exit failed > 0 || passed == 0
	}'
