#!/bin/sh
# SPDX-License-Identifier: MIT
# Measures what Poise costs, prints it against its budgets and writes OUT/bench.json.
#
#	run.sh write|check OUT CROSS QEMU [FLAGS...]
#
# write: puts the table into README.md between its two bench marks. check: compares it with what is
# there, and reports in PASS and FAIL lines. A budget that is missed is shown, and is no failure.
set -eu

mode=$1
out=$2
cross=$3
shift 3
dir=$out/bench
rm -rf "$dir/core"
mkdir -p "$dir/core"

# --- size and stack: the core as a library for AArch64, all of it linked ---

sources=$(sed -n '/^CORE_SRCS :=/,/[^\\]$/p' core/core.mk | sed 's/^CORE_SRCS :=//; s/\\$//')
flags='-std=c11 -Os -ffreestanding -mgeneral-regs-only -fno-asynchronous-unwind-tables
	-fno-unwind-tables -fno-stack-protector -fno-pic -fno-pie -Icore'
for source in $sources; do
	# shellcheck disable=SC2086 # Options are meant to be split.
	"${cross}gcc" $flags -fcallgraph-info=su -c "$source" \
		-o "$dir/core/$(basename "$source" .c).o"
done
"${cross}ld" -r -o "$dir/core.o" "$dir"/core/*.o
"${cross}size" "$dir/core.o" | awk 'NR == 2 { print "text " $1 "\ndata " $2 "\nbss " $3 }' >"$dir/figures"
"${cross}size" "$dir/core/err.o" | awk 'NR == 2 { print "strings " $1 }' >>"$dir/figures"

for vms in 1 64; do
	echo '#include "poise.h"
	char state[sizeof(struct poise)];' |
		"${cross}gcc" -Icore -DPOISE_VM_MAX=$vms -x c -c - -o "$dir/state.o"
	"${cross}nm" -S -t d "$dir/state.o" | awk '$4 == "state" { print $2 + 0 }'
done | awk 'NR == 1 { one = $1 } NR == 2 { print "state_per_vm " ($1 - one) / 63; print "state_1 " one }' \
	>>"$dir/figures"

# Public entry points: the global names that the public headers declare.
entries=$("${cross}nm" -g --defined-only "$dir/core.o" | while read -r _ _ name; do
	! grep -q "$name(" core/poise.h core/poise_err.h || echo "$name"
done)
cat "$dir"/core/*.ci | awk -v entries="$entries" -f test/bench/stack.awk >"$dir/stacks"
awk '$2 > most { most = $2 } END { print "stack " most }' "$dir/stacks" >>"$dir/figures"
sed 's/^/stack./' "$dir/stacks" >>"$dir/figures"

# --- instructions: at EL2 on the board ---

for image in a64 a64vm32 a64vm64; do
	"$@" -semihosting-config enable=on,target=native -kernel "$dir/$image.elf" </dev/null |
		tr -d '\r' >"$dir/$image.log"
	if ! grep -q '^bench: end' "$dir/$image.log"; then
		cat "$dir/$image.log"
		exit 1
	fi
	sed -n 's/^bench \([a-z]\)/\1/p' "$dir/$image.log" >>"$dir/figures"
done

# --- urgent latency: what the board's test of balancing measured ---

urgent=$out/test/qemu/balance.log
if [ ! -e "$urgent" ] || [ -n "$(find "$out/board/test.elf" -newer "$urgent")" ]; then
	mkdir -p "$out/test/qemu"
	"$@" -semihosting-config enable=on,target=native,arg=test=balance \
		-kernel "$out/board/test.elf" </dev/null >"$urgent" || true
fi
sed -n 's/.*urgent latency: .* to \([0-9]*\) ns .*/\1/p' "$urgent" |
	awk '{ printf "urgent_us %.1f\n", $1 / 1000 }' >>"$dir/figures"

# --- results ---

awk -f test/bench/json.awk "$dir/figures" >"$out/bench.json"
awk -f test/bench/table.awk "$dir/figures" >"$dir/table.md"

# Prints README.md with its bench block replaced by the table.
readme() {
	awk -v table="$dir/table.md" '
		/<!-- bench:begin -->/ {
			print
			while ((getline line < table) > 0) print line
			skip = 1
		}
		/<!-- bench:end -->/ { skip = 0 }
		!skip' README.md | awk '!/<!-- bench:begin -->/ || !seen++'
}

if [ "$mode" = write ]; then
	cat "$dir/table.md"
	readme >"$dir/README.md"
	cat "$dir/README.md" >README.md
	echo "written: $out/bench.json, README.md"
elif readme | diff README.md - >"$dir/diff"; then
	echo "PASS: README.md's figures are those that were measured"
else
	echo "FAIL: README.md's figures are not those that were measured; make bench writes them anew"
	cat "$dir/diff"
	exit 1
fi
