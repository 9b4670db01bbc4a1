#!/bin/sh
# SPDX-License-Identifier: MIT
# The Smart TV scenario of `make run-xen`, shorter, and whether what it says holds.
#	tv.sh POISE-SIM RESULTS LINUX INITRAMFS
set -u
here=$(dirname "$0")
sim=$1
results=$2
shift 2
"$here/boot.sh" 1800 "$results" "$@" percent=25 >"$results.log" 2>&1
status=$?
line=$(grep '^poise: swap-out ' "$results.log" | tr -d '\r' | tail -n 1)

# holds WHAT COMMAND...
holds() {
	what=$1
	shift
	if "$@" >"$results.why" 2>&1; then
		echo "PASS: $what"
	else
		echo "FAIL: $what: $(tail -n 3 "$results.why" | tr '\n' ' ')$(tail -n 5 "$results.log")"
	fi
}

# fewer STATIC BALANCED
fewer() {
	[ "$1" -gt 0 ] && [ "$2" -lt "$1" ]
}

number() {
	echo "$line" | sed -n "s/.*$1=\\([0-9]*\\).*/\\1/p"
}
holds "the run comes to its end" [ "$status" -eq 0 ]
holds "its last line" sh -c "echo '$line' | grep -qE '^poise: swap-out static=[0-9]+ balanced=[0-9]+ reduction=-?[0-9.]+% check=ok\$'"
holds "balanced swaps less than static: $line" fewer "$(number static)" "$(number balanced)"
holds "its recording replays" "$sim" replay "$results/xen.rec"
