#!/bin/sh
# SPDX-License-Identifier: MIT
# Measures what Poise costs, prints it against its budgets and writes OUT/bench.json; plays `make run`
# too, for what it ends with.
#
#	run.sh write|check OUT CROSS QEMU [FLAGS...]
#
# write: puts both into README.md between their marks. check: compares them with what is there, and
# reports in PASS and FAIL lines. A budget that is missed is shown, and is no failure.
set -eu

mode=$1
out=$2
cross=$3
shift 3
dir=$out/bench
guard=$(dirname "$0")/../qemu/guard.sh
rm -rf "$dir/core"
mkdir -p "$dir/core"

# --- size and stack: the core as a library for AArch64, all of it linked ---

sources=$(sed -n '/^CORE_SRCS :=/,/[^\\]$/p' core/core.mk | sed 's/^CORE_SRCS :=//; s/\\$//')
flags='-std=c11 -Os -ffreestanding -mgeneral-regs-only -fno-asynchronous-unwind-tables
	-fno-unwind-tables -fomit-frame-pointer -fno-stack-protector -fno-pic -fno-pie -Icore'
for source in $sources; do
	# Names are linked by who prints records; nothing in the core refers to them.
	[ "$source" != core/names.c ] || continue
	# shellcheck disable=SC2086 # Options are meant to be split.
	"${cross}gcc" $flags -fcallgraph-info=su -c "$source" \
		-o "$dir/core/$(basename "$source" .c).o"
done
# What only those link who call it, apart.
mkdir -p "$dir/extra"
# shellcheck disable=SC2086
"${cross}gcc" $flags -fcallgraph-info=su -c core/export.c -o "$dir/extra/export.o"
# shellcheck disable=SC2086
"${cross}gcc" $flags -c core/names.c -o "$dir/extra/names.o"
"${cross}ld" -r -o "$dir/core.o" "$dir"/core/*.o
"${cross}size" "$dir/core.o" | awk 'NR == 2 { print "text " $1 "\ndata " $2 "\nbss " $3 }' >"$dir/figures"
"${cross}size" "$dir/core/err.o" | awk 'NR == 2 { print "strings " $1 }' >>"$dir/figures"
for extra in export names; do
	"${cross}size" "$dir/extra/$extra.o" | awk -v name=$extra 'NR == 2 { print name, $1 }' >>"$dir/figures"
done

# What one struct poise takes, with a table for $1 VMs.
state() {
	echo '#include "poise.h"
	char state[sizeof(struct poise)];' |
		"${cross}gcc" -ffreestanding -Icore -DPOISE_VM_MAX="$1" -x c -c - -o "$dir/state.o"
	"${cross}nm" -S -t d "$dir/state.o" | awk '$4 == "state" { print $2 + 0 }'
}
state_1=$(state 1)
state_64=$(state 64)
echo "state_1 $state_1
state_per_vm $(((state_64 - state_1) / 63))" >>"$dir/figures"

# Public entry points: the global names that the public headers declare.
entries=$("${cross}nm" -g --defined-only "$dir/core.o" "$dir/extra/export.o" | while read -r _ _ name; do
	! grep -q "$name(" core/poise.h core/poise_err.h || echo "$name"
done)
cat "$dir"/core/*.ci "$dir"/extra/*.ci | awk -v entries="$entries" -f test/bench/stack.awk >"$dir/stacks"
awk '$2 > most { most = $2 } END { print "stack " most }' "$dir/stacks" >>"$dir/figures"
sed 's/^/stack./' "$dir/stacks" >>"$dir/figures"

# --- instructions: at EL2 on the board ---

for image in a64 a64vm32 a64vm64; do
	"$guard" -l "$dir/$image.out" "$@" -semihosting-config enable=on,target=native \
		-kernel "$dir/$image.elf" >/dev/null
	tr -d '\r' <"$dir/$image.out" >"$dir/$image.log"
	if ! grep -q '^bench: end' "$dir/$image.log"; then
		cat "$dir/$image.log"
		exit 1
	fi
	sed -n 's/^bench \([a-z]\)/\1/p' "$dir/$image.log" >>"$dir/figures"
done

# --- what the board's tests have measured, or are asked to now ---

# Boots image $2 with the arguments that follow, unless its log $1 is younger than the image.
fresh() {
	log=$1
	image=$2
	shift 2
	if [ ! -e "$log" ] || [ -n "$(find "$image" -newer "$log")" ]; then
		mkdir -p "$(dirname "$log")"
		"$guard" -l "$log" "$@" -kernel "$image" >/dev/null
	fi
}

urgent=$out/test/qemu/balance.log
fresh "$urgent" "$out/board/test.elf" "$@" -semihosting-config enable=on,target=native,arg=test=balance
latency=$(sed -n 's/.*urgent latency: .* to \([0-9]*\) ns .*/\1/p' "$urgent")
if [ -z "$latency" ]; then
	echo "$urgent says nothing of the urgent latency" >&2
	exit 1
fi
echo "$latency" | awk '{ printf "urgent_us %.1f\n", $1 / 1000 }' >>"$dir/figures"

# The Smart TV scenario, as `make run` plays it.
tv=$out/test/qemu/smart-tv.log
fresh "$tv" "$out/board/board.elf" "$@" \
	-semihosting-config "enable=on,target=native,arg=scenario=tv,arg=record=$out/test/qemu/smart-tv.rec"
{
	echo '```'
	tr -d '\r' <"$tv" | sed -n '/^pages /,$p'
	echo '```'
} >"$dir/run.md"

# --- results ---

awk -f test/bench/json.awk "$dir/figures" >"$out/bench.json"
awk -f test/bench/table.awk "$dir/figures" >"$dir/bench.md"

ended=no
if tail -n 2 "$dir/run.md" | grep -q '^poise: .* check=ok$'; then
	ended=yes
fi

if [ "$mode" = write ]; then
	if [ $ended = no ]; then
		echo "$tv does not end with check=ok" >&2
		exit 1
	fi
	cat "$dir/bench.md"
	test/bench/readme.sh write "$dir"
	echo "written: $out/bench.json, README.md"
	exit 0
fi

if [ $ended = yes ]; then
	echo "PASS: the Smart TV scenario ends with check=ok"
else
	echo "FAIL: the Smart TV scenario does not end with check=ok"
fi
test/bench/readme.sh check "$dir"
