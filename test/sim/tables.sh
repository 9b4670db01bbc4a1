#!/bin/sh
# SPDX-License-Identifier: MIT
# The tables in the simulator's README: made by the commands that it names, and held against them.
# A table stands between `<!-- NAME -->` and `<!-- end NAME -->`.
#
#	tables.sh write|check POISE-SIM NAME...		NAME: compare, validate
set -eu

verb=$1
sim=$2
shift 2
readme=port/sim/README.md
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

make_table() {
	case $1 in
	compare) "$sim" compare --scenario test/scenario --policies all ;;
	validate) "$sim" validate test/traces ;;
	esac
}

for name; do
	make_table "$name" >"$dir/raw"
	sed 's/^/    /; s/ *$//' "$dir/raw" >"$dir/made"
	case $verb in
	write)
		awk -v name="$name" -v made="$dir/made" '
			$0 == "<!-- " name " -->" {
				print
				print ""
				while ((getline line < made) > 0) {
					print line
				}
				print ""
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
			grep '^    ' >"$dir/written" || true
		if diff "$dir/written" "$dir/made" >"$dir/difference"; then
			echo "PASS: README: table $name"
		else
			echo "FAIL: README: table $name is not what it was; make compare writes it anew"
			cat "$dir/difference"
		fi
		;;
	esac
done
