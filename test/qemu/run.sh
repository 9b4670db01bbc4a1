#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots every stanza of a list and sums up.
#	run.sh LIST BOARD_OUT WORK_OUT QEMU [FLAGS...]
# A boot passes if it ends in time, its exit status is the expected one, and its output closes with
# the line that belongs to that status (or contains the expected text). Last line: N passed, N failed.
set -u

list=$1
images=$2
work=$3
qemu=$4
shift 4
mkdir -p "$work"
passed=0
failed=0

# start LOG FLAGS...: one boot of the stanza; its status is QEMU's, 124 at the time limit.
start() {
	output=$1
	shift
	semihosting=enable=on,target=native
	for argument in $args; do
		semihosting=$semihosting,arg=$argument
	done
	timeout "$limit" "$qemu" "$@" -semihosting-config "$semihosting" \
		-kernel "$images/$image" </dev/null >"$output" 2>&1
}

# Boots one stanza. Uses: name image args limit status expect again, and the QEMU flags in "$@".
boot() {
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

	if [ "$code" -eq 124 ]; then
		why="no end within $limit s"
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
		why=
	fi

	if [ -n "$expect" ] && [ -z "$why" ]; then
		echo "PASS $name"
		passed=$((passed + 1))
	elif [ -z "$why" ]; then
		echo "PASS $name ($checks_passed checks)"
		passed=$((passed + checks_passed))
	else
		grep '^FAIL' "$log"
		echo "FAIL $name: $why; see $log"
		passed=$((passed + checks_passed))
		failed=$((failed + (checks_failed > 0 ? checks_failed : 1)))
	fi
}

# Stanzas end at an empty line or at the end of the file. Relative paths: @OUT@ is the work folder.
name=
while IFS='	' read -r key value || [ -n "$key" ]; do
	case $key in
	name) name=$value image='' args='' limit=300 status=0 expect='' again='' ;;
	image) image=$value ;;
	args) args=$(printf '%s' "$value" | sed "s|@OUT@|$work|g") ;;
	limit) limit=$value ;;
	status) status=$value ;;
	expect) expect=$value ;;
	again) again=$value ;;
	'#'*) ;;
	'')
		[ -z "$name" ] || boot "$@"
		name=
		;;
	*)
		echo "$list: what is '$key'?" >&2
		exit 2
		;;
	esac
done <<END
$(cat "$list")

END
[ -z "$name" ] || boot "$@"

echo "$passed passed, $failed failed"
[ "$passed" -gt 0 ] && [ "$failed" -eq 0 ]
