#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs an emulator that may hang, and passes on what it says: every run of QEMU here goes through it.
#
#	guard.sh [-q SECONDS] [-t SECONDS] [-l LOG] COMMAND...
#
# -q	the longest silence (GUARD_QUIET_S, 300)	-t	the longest run (GUARD_LIMIT_S, 1800)
# -l	where a copy of the output is kept
# Exit: that of the command; 124 if it was ended at a limit, which is said on stderr; 143 if somebody has
# ended it, since QEMU's own status is 0 then; 128 and the signal's number if guard.sh itself was.
# Nothing is left behind: the command ends with guard.sh, however that ends, and with the process
# GUARD_OWNER, which is the make that all of it belongs to; the caller if it is not set.
# The seconds are turns of a loop, so that a machine that sleeps or is busy makes them longer.
set -u

quiet=${GUARD_QUIET_S:-300}
limit=${GUARD_LIMIT_S:-1800}
owner=${GUARD_OWNER:-$PPID}
most=$((256 << 20)) # bytes of output
log=
while getopts q:t:l: option; do
	case $option in
	q) quiet=$OPTARG ;;
	t) limit=$OPTARG ;;
	l) log=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
if [ $# -eq 0 ]; then
	echo "usage: guard.sh [-q SECONDS] [-t SECONDS] [-l LOG] COMMAND..." >&2
	exit 2
fi

work=$(mktemp -d) || exit 2
: "${log:=$work/log}"
: >"$log" || exit 2
mkfifo "$work/output" || exit 2

# finish: ends the command, by force if it does not go.
finish() {
	kill "$command" 2>/dev/null
	turns=0
	while kill -0 "$command" 2>/dev/null && [ $turns -lt 50 ]; do
		sleep 0.1
		turns=$((turns + 1))
	done
	kill -9 "$command" 2>/dev/null
}

# interrupted NUMBER: guard.sh itself is to end.
# shellcheck disable=SC2317 # By a trap.
interrupted() {
	trap '' HUP INT TERM
	finish &
	wait "$command" 2>/dev/null
	wait "$copier"
	kill "$watcher" 2>/dev/null
	rm -rf "$work"
	exit $((128 + $1))
}

# reason: why the command has to end now; nothing if it may go on.
reason() {
	if [ $silent -ge "$quiet" ]; then
		echo "has said nothing for $quiet s: its last line says how far it came"
	elif [ $seconds -ge "$limit" ]; then
		echo "has not come to an end within $limit s: its last lines say what it was doing"
	elif [ "$bytes" -gt $most ]; then
		echo "has not come to an end within $most bytes of output: its last lines say why"
	elif ! kill -0 "$owner" 2>/dev/null || ! kill -0 $$ 2>/dev/null; then
		echo "was left alone: who started it has gone"
	fi
}

watch() {
	seconds=0
	silent=0
	before=0
	while sleep 1; do
		seconds=$((seconds + 1))
		silent=$((silent + 1))
		bytes=$(wc -c <"$log")
		[ "$bytes" -eq "$before" ] || silent=0
		before=$bytes
		why=$(reason)
		if [ -n "$why" ]; then
			echo "$why" >"$work/why"
			finish
			kill -0 $$ 2>/dev/null || rm -rf "$work"
			return
		fi
	done
}

tee "$log" <"$work/output" &
copier=$!
"$@" </dev/null >"$work/output" 2>&1 &
command=$!
watch >/dev/null 2>&1 &
watcher=$!
trap 'interrupted 1' HUP
trap 'interrupted 2' INT
trap 'interrupted 15' TERM

wait "$command" 2>/dev/null
status=$?
wait "$copier"
kill "$watcher" 2>/dev/null
if [ -e "$work/why" ]; then
	echo "guard: $(basename "$1") $(cat "$work/why")" | tee -a "$log" >&2
	status=124
elif [ "$status" -eq 0 ] && tail -n 5 "$log" | grep -q ': terminating on signal [0-9]'; then
	status=143
elif [ "$status" -ne 0 ] && ! [ -s "$log" ]; then
	echo "guard: $(basename "$1") ended with status $status and not a word: is its CPU one for this image?" |
		tee -a "$log" >&2
fi
rm -rf "$work"
exit "$status"
