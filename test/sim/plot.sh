#!/bin/sh
# SPDX-License-Identifier: MIT
# `make plot`: every file that it names is there and is a figure with curves in it; what goes wrong
# is said with what to do next.
#
#	plot.sh POISE-SIM PLOT
set -eu

sim=$1
plot=$2
# shellcheck source=test/sim/lib.sh
. test/sim/lib.sh

# Whole SVG, and something drawn in it: gnuplot gives each curve a group of its own.
is_figure() {
	head -n 1 "$1" | grep -q '^<?xml' && tail -n 2 "$1" | grep -q '^</svg>' &&
		[ "$(grep -c '<g id="gnuplot_plot_' "$1")" -ge 2 ] &&
		[ "$(grep -cE '<(path|polygon|use|rect) ' "$1")" -ge 10 ]
}

"$sim" run --scenario test/scenario/hoarder.cfg --record "$dir/last.txt" >/dev/null
code=0
POLICIES=static,paper,poise "$plot" "$sim" "$dir/out" "$dir/last.txt" "$dir/none.txt" >"$dir/log.out" 2>"$dir/log.err" || code=$?
if [ "$code" -ne 0 ] || [ -s "$dir/log.err" ]; then
	code=1
	cat "$dir/log.err"
fi
result 'plot: runs' "$code"

for name in patterns gap forecast-web-paper forecast-web-resident forecast-game-paper forecast-game-resident \
	forecast-error performance swapping allocation sigma estimators lru emergency policies run-last; do
	code=0
	grep -q "^$dir/out/$name.svg	." "$dir/log.out" || code=1
	is_figure "$dir/out/$name.svg" || code=1
	result "plot: $name" "$code"
done
for name in table3.txt table3.json; do
	code=0
	grep -q "^$dir/out/$name	." "$dir/log.out" && grep -q arrays "$dir/out/$name" || code=1
	result "plot: $name" "$code"
done
code=0
cut -f 1 "$dir/log.out" | sort >"$dir/log.named"
find "$dir/out" -maxdepth 1 -type f | sort | cmp -s - "$dir/log.named" || code=1
result 'plot: names all files that it wrote, and no other' "$code"

# fails NAME WORDS COMMAND...: exit 2, and a last line that says what to do.
fails() {
	name=$1
	words=$2
	shift 2
	code=0
	"$@" >"$dir/log.out" 2>"$dir/log.err" || code=$?
	if [ "$code" -eq 2 ] && tail -n 1 "$dir/log.err" | grep -q "^plot: .*$words"; then
		code=0
	else
		code=1
	fi
	result "$name" "$code"
}
fails 'plot: no poise-sim' 'run: make sim' "$plot" "$dir/nowhere" "$dir/out2"
fails 'plot: poise-sim fails' 'try it alone' "$plot" false "$dir/out2"
fails 'plot: no gnuplot' 'make setup' env PATH=/nowhere /bin/sh "$plot" "$sim" "$dir/out2"
: >"$dir/file"
fails 'plot: no folder' 'OUT=FOLDER' "$plot" "$sim" "$dir/file"
