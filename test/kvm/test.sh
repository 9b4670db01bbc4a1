#!/bin/sh
# SPDX-License-Identifier: MIT
# `make test-kvm`: one of the emulated host's jobs, and what this machine can say about its results.
#	test.sh tv|cases DIRECTORY LINUX INITRAMFS SIMULATOR [KERNEL ARGUMENT...]
# poise.cases=NAME,...: only these cases. poise.percent=N: a shorter scenario.
# A line PASS or FAIL for each expectation.
set -u

job=$1
out=$2
linux=$3
initramfs=$4
simulator=$5
shift 5
here=$(dirname "$0")

# result NAME STATUS
result() {
	if [ "$2" -eq 0 ]; then
		echo "PASS $job: $1"
	else
		echo "FAIL $job: $1"
	fi
}

"$here/run.sh" "$linux" "$initramfs" "$out" 3000 "$@"
result "the host's job went well" $?

# Decisions made under KVM are made again here, bit for bit.
recordings=0
for recording in "$out"/*.txt; do
	[ -s "$recording" ] || continue
	recordings=$((recordings + 1))
	"$simulator" replay "$recording"
	result "$(basename "$recording") replays with no difference" $?
done

case $job in
tv)
	[ "$recordings" -eq 1 ]
	result "poised left its recording" $?
	line=$(cat "$out/result" 2>/dev/null)
	echo "$line"
	printf '%s\n' "$line" | grep -qE '^poise: swap-out static=[0-9]+ balanced=[0-9]+ reduction=[0-9.]+% check=ok$'
	result "the closing line is as it should be" $?
	printf '%s\n' "$line" | awk -F'[= ]' '{ exit !($4 >= 2000 && $6 * 10 <= $4) }'
	result "static guests swap, and balanced ones less than a tenth of that" $?
	;;
cases)
	[ "$recordings" -eq "$(cat "$out/recordings")" ]
	result "each poised left its recording" $?
	;;
esac
