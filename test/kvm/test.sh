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

# waits RECORDING WORDS: for each call for help, how long until poised saw it, and of those that a plan followed
# at once, until the first request. Prints both in ms, worst and median; fails above 50, or if nobody called.
# Who notes the calls is a process like poised, and may look a little later than that: so a call is known by the number
# of the sample that came with it.
waits() {
	awk '
	function median(list, n,   i, j, t) {
		for (i = 2; i <= n; i++) {
			for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
				t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
			}
		}
		return list[int((n + 1) / 2)]
	}
	function since(ms) {
		return $1 > ms ? $1 - ms : 0
	}
	FNR == NR { call[++calls] = $1; vm[calls] = $2; with[calls] = $3; next }
	$2 == "sample" {
		split($3, v, "=")
		match($0, / sample=[0-9]+/)
		sample[v[2]] = substr($0, RSTART + 8, RLENGTH - 8) + 0
	}
	$2 == "urgent" {
		split($3, v, "=")
		for (i = 1; i <= calls; i++) {
			if (vm[i] == v[2] && with[i] <= sample[v[2]] && !(i in done)) {
				done[i] = 1
				saw[++seen] = since(call[i])
				first = $4 == "due=1" && (first == "" || call[i] < first) ? call[i] : first
			}
		}
	}
	$2 == "resize" && first != "" { helped[++helps] = since(first); first = "" }
	$2 == "tick" { first = "" }
	END {
		printf "calls for help: %d; seen after %d ms, %d at worst; ", calls,
			median(saw, seen), saw[seen]
		printf "first request after %d ms, %d at worst (%d)\n",
			median(helped, helps), helped[helps], helps
		exit !(seen > 0 && helps > 0 && saw[seen] <= 50 && helped[helps] <= 50)
	}' "$2" "$1"
}

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
	if [ -s "$out/history" ]; then
		read -r second <"$out/history"
		awk -f "$here/../recordings/join.awk" "$out/cases-$((second - 1)).txt" "$out/cases-$second.txt" \
			>"$out/joined.rec"
		"$simulator" replay "$out/joined.rec"
		result "poised has decided after its restart as it would have without" $?
	fi
	if [ -s "$out/words.log" ]; then
		waits "$out/cases-1.txt" "$out/words.log"
		result "relief starts within 50 ms" $?
	fi
	;;
esac
