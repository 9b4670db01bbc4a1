#!/bin/sh
# SPDX-License-Identifier: MIT
# The tables in the simulator's README and in STUDIES.md: made by the commands that these name, and
# held against them.
# They are narrowed to the width of a document (narrow.awk). A table stands in a fence between `<!-- NAME -->`
# and `<!-- end NAME -->`.
#
#	tables.sh write|check POISE-SIM NAME...		NAME: as in make_table
set -eu

verb=$1
sim=$2
shift 2
study=test/study
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Where a table stands.
document() {
	case $1 in
	compare | turns | validate) echo port/sim/README.md ;;
	*) echo port/sim/STUDIES.md ;;
	esac
}

make_table() {
	case $1 in
	compare) "$sim" compare --scenario test/scenario --policies all ;;
	turns)
		list=cagma,hyperv,oracle,oracle:ahead=20:move=1
		for band in 5 10 20 30 40; do
			list=$list,poise:dead_band=$band
		done
		for period in 2 4 8 16; do
			list=$list,oracle:period=$period:ahead=20:move=1
		done
		"$sim" compare --scenario test/scenario --policies "$list" >"$dir/turns"
		awk 'NR == 1 { print "turns  stall s"; next } { printf "%5s %8s  %s\n", $7, $2, $1 }' \
			"$dir/turns"
		;;
	validate) "$sim" validate test/traces ;;
	workloads) "$sim" workloads --scenario $study/table3.cfg ;;
	forecast)
		for load in web game; do
			for basis in paper resident; do
				for alpha in 0.25 0.5 0.75 1; do
					"$sim" predict --alpha $alpha --basis $basis \
						test/traces/p_${load}_u.csv >"$dir/forecast"
					echo "$load, $basis, alpha $alpha: $(tail -n 1 "$dir/forecast")"
				done
			done
		done
		;;
	sigma)
		for feedback in 0 1; do
			"$sim" sigma --scenario $study/sigma.cfg --feedback $feedback >"$dir/sigma"
			echo "feedback $feedback"
			sed -n 's/^[a-z-]*: /    &/p' "$dir/sigma"
		done
		;;
	estimate) "$sim" estimate --scenario $study/estimators.cfg --samples 100,1000,all ;;
	importance)
		"$sim" compare --scenario $study/importance.cfg --vms \
			--policies static,accessed:sample=0:headroom=0.5
		;;
	cagma)
		"$sim" compare --scenario test/scenario/launches.cfg \
			--policies cagma,cagma:emergency=0
		;;
	lru)
		for n in 1 2 3; do
			for strategy in static recent:1 total; do
				"$sim" lru --frames 16 --strategy $strategy $study/wu$n.txt >"$dir/lru"
				echo "test $n, $strategy: $(tail -n 1 "$dir/lru")"
			done
		done
		;;
	esac
}

for name; do
	readme=$(document "$name")
	make_table "$name" >"$dir/raw"
	awk -f "$(dirname "$0")/narrow.awk" "$dir/raw" | sed 's/ *$//' >"$dir/made"
	case $verb in
	write)
		awk -v name="$name" -v made="$dir/made" '
			$0 == "<!-- " name " -->" {
				print
				print "```"
				while ((getline line < made) > 0) {
					print line
				}
				print "```"
				inside = 1
			}
			$0 == "<!-- end " name " -->" { inside = 0; found = 1 }
			!inside
			END { exit !found }' "$readme" >"$dir/readme"
		cat "$dir/readme" >"$readme"
		cat "$dir/raw"
		;;
	check)
		sed -n "/^<!-- $name -->\$/,/^<!-- end $name -->\$/p" "$readme" |
			sed '1,/^```$/d; /^```$/,$d' >"$dir/written"
		if diff "$dir/written" "$dir/made" >"$dir/difference"; then
			echo "PASS: $readme: table $name"
		else
			echo "FAIL: $readme: table $name is not what it was; make compare writes it anew"
			cat "$dir/difference"
		fi
		;;
	esac
done
