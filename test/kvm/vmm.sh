#!/bin/sh
# SPDX-License-Identifier: MIT
# poise-vmm under real KVM in an emulated arm64 host: dirty pages against the true numbers, two VMs
# balanced by the core, and what happens when something is wrong.
#
#	vmm.sh log|ring DIR LINUX INITRAMFS POISE-SIM
#
# log: the kernel of the other KVM runs, which may have no dirty ring; ring: a newer one, which has.
# DIR: for console and results; log's are there when ring runs, and have to be the same.
set -eu

kind=$1
dir=$2
linux=$3
initramfs=$4
sim=$5
mkdir -p "$dir"
log=$dir/$kind.log

result() {
	if [ "$2" -eq 0 ]; then
		echo "PASS: $kind: $1"
	else
		echo "FAIL: $kind: $1"
	fi
}

status=0
"$(dirname "$0")/../linux/boot.sh" -q -m 768 -c 1 -t 540 -l "$log" "$linux" "$initramfs" "vmm=$kind" ||
	status=$?
result 'the host booted and ended' "$status"
tr -d '\r' <"$log" >"$dir/$kind.text"

# part NAME: what stands between its two lines. ended NAME: its exit status, 99 if it has none.
part() {
	sed -n "/^begin $1\$/,/^end $1 /p" "$dir/$kind.text" | sed '1d;$d'
}
ended() {
	sed -n "s/^end $1 \([0-9]*\)\$/\1/p" "$dir/$kind.text" | grep . || echo 99
}

# The experiment's rows against what the jobs write by their nature: an array of 2^17 ints is 128
# pages, one of 2^16 is 64, and each interval has the guest's own page too.
rows() {
	part experiment | awk -v modes="$1" -v slots='512 8192 262144' '
	function min(a, b) { return a < b ? a : b }
	BEGIN {
		a = 2 ^ 17 * 4 / 4096; b = 2 ^ 16 * 4 / 4096; own = 1; image = 16
		ms = split(modes, mode, " "); ss = split(slots, slot, " ")
		for (s = 1; s <= ss; s++) for (m = 1; m <= ms; m++) {
			spread = min(8192, slot[s] - image)
			n = split("start 0 0,a " a " " a + b ",b " b " " a + b ",a " a " " a + b \
				",b " b " " a + b ",idle 0 0,spread 64 64,spread " spread " " \
				spread ",idle 0 0", job, ",")
			for (j = 1; j <= n; j++) {
				split(job[j], w, " ")
				want[++rows] = mode[m] " " w[1] " " (w[2] + own) "/" slot[s] " " \
					(w[2] + own) " " (w[2] + own) " " (w[3] + own) " 0 0"
			}
		}
	}
	$1 == "log" || $1 == "clear" || $1 == "ring" {
		if (NF != 10 || $10 != "ok" ||
		    $1 " " $2 " " $3 " " $4 " " $5 " " $6 " " $7 " " $8 != want[++seen]) {
			print "row " seen ": wanted " want[seen] "; is: " $0; bad++
		}
	}
	END {
		if (seen != rows) { print seen + 0 " rows, wanted " rows; bad++ }
		exit bad > 0
	}'
}

# Rows of a balanced run: no VM beyond what it has, both within the pool, the dirty log exact.
balanced_rows() {
	part "$1" | sed -n '/^balanced/,$p' | tr -d '|' | awk '
	function min(a, b) { return a < b ? a : b }
	function vm(need, has, dirty, lacking) {
		return dirty == min(need, has - 16) + 1 && lacking == need - (dirty - 1) && has >= 64
	}
	$1 ~ /^[0-9]+$/ && NF == 9 {
		rows++
		if (!vm($2, $3, $4, $5) || !vm($6, $7, $8, $9) || $3 + $7 > 640) {
			print; bad++
		}
	}
	END { exit bad > 0 || rows != 36 }'
}

# balanced NAME PERCENT: what is lacking is down to PERCENT of the static halves or less. Static, a
# VM that needs 400 pages has 320 less 16, in each of 36 rounds.
balanced() {
	part "$1" | tail -n 1 | awk -v most="$2" '
	/^poise-vmm: lacking static=[0-9]+ balanced=[0-9]+ check=ok$/ {
		split($3, s, "="); split($4, b, "=")
		ok = s[2] == 36 * (400 - (320 - 16)) && b[2] > 0 && b[2] * 100 <= s[2] * most
	}
	END { exit !ok }'
}

code() {
	"$@" && echo 0 || echo 1
}

if [ "$kind" = ring ]; then
	result 'the kernel has all modes' "$(code test "$(part modes | tail -n 1)" = \
		'poise-vmm: modes log clear ring wrong=0 check=ok')"
	expected=ring
elif [ "$(printf '%s\n' 6.2 "$(cat "$linux/version")" | sort -V | head -n 1)" = 6.2 ]; then
	# The first arm64 kernel with dirty rings.
	expected='log clear ring'
else
	expected='log clear'
fi
result "experiment ends well" "$(ended experiment)"
result "experiment has the modes $expected" "$(code test "$(part experiment | tail -n 1)" = \
	"poise-vmm: modes $expected wrong=0 check=ok")"
if rows "$expected"; then bad=0; else bad=1; fi
result 'dirty pages are the true numbers: 2 MiB, 32 MiB, 1 GiB' $bad
part experiment >"$dir/experiment-$kind.txt"

runs=balance
[ "$kind" = ring ] || runs='balance guest'
for run in $runs; do
	result "$run ends well" "$(ended "$run")"
	if balanced_rows "$run"; then bad=0; else bad=1; fi
	result "$run: sizes within the pool, dirty pages exact" $bad
done
result 'by dirty pages, three quarters or less are lacking' "$(code balanced balance 75)"
part balance | grep -v ', log by ' >"$dir/balance-$kind.txt"

if [ "$kind" = ring ]; then
	result 'decisions are those that the other modes led to' \
		"$(code cmp -s "$dir/balance-log.txt" "$dir/balance-ring.txt")"
	part experiment | grep -q 'the ring of [0-9]* entries was full [1-9]' && bad=0 || bad=1
	result 'the ring was full in between' $bad
	exit 0
fi

result 'a program that gets signals all the time ends well' "$(ended signals)"
result 'and counts as it should' "$(code test "$(part signals | tail -n 1)" = \
	"poise-vmm: modes $expected wrong=0 check=ok")"

# A guest that touches its balloon is ended; the other one gets what it needs out of what comes free.
result 'cheat ends well' "$(ended cheat)"
part cheat | sed -n '/^balanced/,$p' | tr -d '|' | awk '
	/^vm 1 has ended: it touched what is in its balloon$/ { over = 1 }
	!over && $1 ~ /^[0-9]+$/ { both += NF == 9 }
	over && $1 ~ /^[0-9]+$/ { alone += NF == 5; last = $5 }
	END { exit !(both == 25 && alone == 11 && last == 0) }' && bad=0 || bad=1
result 'who takes from his balloon is ended, the other goes on' "$bad"

result 'by what the guests publish, two fifths or less' "$(code balanced guest 40)"
part recording >"$dir/recording"
if "$sim" replay "$dir/recording"; then bad=0; else bad=1; fi
result 'the recording replays' $bad

# What is wrong gets one line that says so, and exit status 2.
bad() {
	code=1
	if [ "$(ended "$1")" -eq 2 ] && [ "$(part "$1" | wc -l)" -eq 1 ] &&
		part "$1" | grep -q "^poise-vmm: .*$2"; then
		code=0
	else
		part "$1"
	fi
	result "refused: $1" $code
}
bad slot-0 'slot 0: not 1M to 1G'
bad slot-text 'slot 2X: not a size'
bad slot-small 'slot 1020K: not 1M to 1G'
bad slot-odd 'slot 2097153: not 1M to 1G'
bad slot-large 'slot 1025M: not 1M to 1G'
bad device-gone '/dev/nothing: No such file'
bad device-other '/dev/null: not KVM'
[ "$expected" != 'log clear' ] ||
	bad ring-missing 'mode ring of dirty logging: this kernel does not have it'
bad record-gone '/nowhere/recording: cannot be written'
