#!/bin/sh
# SPDX-License-Identifier: MIT
# Draws the figures of the studies, and of recordings, as SVG. Makes the runs that it needs, with
# fixed seeds, so that equal sources give equal figures. To be started in the top folder.
#
#	plot.sh POISE-SIM OUT [RECORDING]...
#
# OUT/*.svg: the figures; OUT/*.txt, *.json: tables; OUT/data: what was drawn. RECORDING: of any
# port; the figure is OUT/run-NAME.svg. One that is not there is passed over. POLICIES, from the
# environment: those that are compared, with commas between (all).
set -eu

sim=$1
out=$2
shift 2

fail() {
	echo "plot: $1" >&2
	exit 2
}

command -v gnuplot >/dev/null ||
	fail 'gnuplot is missing; run: make setup, or: apt-get install gnuplot-nox'
here=$(cd "$(dirname "$0")" && pwd)
# In a locale of ASCII gnuplot would warn about its own degree sign.
export LC_ALL=C.UTF-8
study=test/study
traces=test/traces
policies=${POLICIES:-all}

command -v "$sim" >/dev/null || fail "$sim is missing; run: make sim"
[ -d "$study" ] || fail "$study is missing; start this in the top folder of the source"
mkdir -p "$out/data" || fail "$out cannot be written to; give another folder: make plot OUT=FOLDER"

# Runs poise-sim; its output becomes OUT/data/NAME.
data() {
	name=$1
	shift
	"$sim" "$@" >"$out/data/$name" ||
		fail "this failed for the reason above; try it alone: $sim $*"
}

# Draws figure NAME by SCRIPT.gp; further words are gnuplot's, before the script. gnuplot says
# nothing when all is well, and says it when a figure would be empty.
draw() {
	name=$1
	script=$2
	text=$3
	shift 3
	if ! (cd "$out" && gnuplot -e "figure='$name.svg.new'" "$@" "$here/style.gp" \
		"$here/$script.gp") >"$out/data/gnuplot.log" 2>&1 || [ -s "$out/data/gnuplot.log" ]; then
		cat "$out/data/gnuplot.log" >&2
		rm -f "$out/$name.svg.new"
		fail "gnuplot could not draw $name.svg; what it was to draw is in $out/data"
	fi
	mv "$out/$name.svg.new" "$out/$name.svg"
	wrote "$name.svg" "$text"
}

wrote() {
	printf '%s\t%s\n' "$out/$1" "$2"
}

# --- Kim et al. (2014) ---

for load in play stream web game; do
	grep -v '^#' $traces/p_${load}_u.csv >"$out/data/pattern-$load.csv"
done
draw patterns patterns 'figure 1: how four recorded workloads use memory'

data native.log run --scenario $study/native.cfg --policy static --series "$out/data/native.csv"
for policy in static poise; do
	data $policy.log run --scenario $study/virtual.cfg --policy $policy \
		--series "$out/data/virtual-$policy.csv"
done
draw gap gap 'figure 2: one system, two VMs, two VMs balanced'

: >"$out/data/forecast-error.txt"
for load in web game; do
	for basis in paper resident; do
		for alpha in 0.25 0.5 0.75 1; do
			file=forecast-$load-$basis-$alpha.txt
			data $file predict --alpha $alpha --basis $basis $traces/p_${load}_u.csv
			awk -v what="$load $basis $alpha" -F '[ ,]+' \
				'END { print what, $5, $7, $9 }' "$out/data/$file" \
				>>"$out/data/forecast-error.txt"
		done
	done
done
draw forecast-web-paper forecast 'figure 4: demand and forecast of the browser, as the paper counts' \
	-e "load='web'" -e "basis='paper'"
draw forecast-web-resident forecast 'figure 4 for kernels since 5.9: all anonymous memory counts' \
	-e "load='web'" -e "basis='resident'"
draw forecast-game-paper forecast 'figure 5: demand and forecast of the game, as the paper counts' \
	-e "load='game'" -e "basis='paper'"
draw forecast-game-resident forecast 'figure 5 for kernels since 5.9: all anonymous memory counts' \
	-e "load='game'" -e "basis='resident'"
draw forecast-error forecast-error 'figures 4 and 5 in numbers: too much and too little, by alpha'

data workloads.txt workloads --scenario $study/table3.cfg
data workloads.json workloads --scenario $study/table3.cfg --json
cp "$out/data/workloads.txt" "$out/table3.txt"
cp "$out/data/workloads.json" "$out/table3.json"
wrote table3.txt 'table 3: static, best case and balanced, by workload'
wrote table3.json 'the same for machines'
draw performance performance 'figure 6: work done, static, best case and balanced'
draw swapping swapping 'table 3: swapping that balancing saves'

for load in script compile arrays encode; do
	data allocation.log run --scenario $study/table3.cfg --workload $load \
		--record "$out/data/allocation-$load.rec"
	data allocation-$load.csv series "$out/data/allocation-$load.rec"
done
draw allocation allocation 'figure 7: memory of the VMs over time, from recordings'

# --- the other studies ---

data sigma.txt sigma --scenario $study/sigma.cfg
data sigma-feedback.txt sigma --scenario $study/sigma.cfg --feedback 1
draw sigma sigma 'guest counters: what a small sigma costs, without and with feedback'

data estimators.txt estimate --scenario $study/estimators.cfg
draw estimators estimators 'dirty and accessed pages: error and cost, from 100 frames to all'

: >"$out/data/lru-ratio.txt"
for n in 1 2 3; do
	line="test$n"
	for strategy in static recent:1 total; do
		data lru.log lru --frames 16 --strategy $strategy $study/wu$n.txt
		line="$line $(sed -n 's/^Page miss ratio of all VMs: .* = //p' "$out/data/lru.log")"
	done
	echo "$line" >>"$out/data/lru-ratio.txt"
done
data lru-sweep.txt lru --frames 16 --sweep $study/wu1.txt
draw lru lru 'LRU lists that share frames: miss ratios, and misses by how often frames move'

data emergency.log run --scenario test/scenario/launches.cfg --policy cagma \
	--series "$out/data/emergency-1.csv"
data emergency.log run --scenario test/scenario/launches.cfg --policy cagma:emergency=0 \
	--series "$out/data/emergency-0.csv"
draw emergency emergency 'critical memory amounts: with and without the emergency path'

data policies.txt compare --scenario test/scenario --policies "$policies"
draw policies policies 'all policies over all scenarios: time lost to memory'

# --- recordings of the last runs ---

runs=0
for recording in "$@"; do
	if [ -f "$recording" ]; then
		figure=run-$(basename "$recording" .txt | tr -c 'A-Za-z0-9._\n-' _)
		data recording.csv series "$recording"
		draw "$figure" recording "memory and swapping over time, from $recording"
		runs=$((runs + 1))
	fi
done
[ "$runs" -gt 0 ] || echo "plot: no recording of a run on the board; for that: make run plot"
