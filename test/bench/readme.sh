#!/bin/sh
# SPDX-License-Identifier: MIT
# The README's figures and those that were measured: DIR/bench.md and DIR/run.md, which belong between
# `<!-- bench:begin -->` and `<!-- bench:end -->`, `<!-- run:begin -->` and `<!-- run:end -->`.
#
#	readme.sh write DIR	puts them there
#	readme.sh check DIR	compares (see compare.awk), and shows that every wrong figure is found;
#				PASS and FAIL lines
set -eu

mode=$1
dir=$2

# Prints what README.md has between the marks named $1.
stated() {
	awk -v name="$1" '
		$0 == "<!-- " name ":end -->" { inside = 0 }
		inside
		$0 == "<!-- " name ":begin -->" { inside = 1 }' README.md
}

if [ "$mode" = write ]; then
	awk -v dir="$dir" '
		!name || $0 == "<!-- " name ":end -->" { print; name = "" }
		/^<!-- (bench|run):begin -->$/ {
			name = substr($2, 1, index($2, ":") - 1)
			while ((getline line <(dir "/" name ".md")) > 0) {
				print line
			}
		}' README.md >"$dir/README.md"
	cat "$dir/README.md" >README.md
	exit 0
fi

compare() {
	awk -f test/bench/compare.awk "$1" "$2"
}

# Prints file $1 with its $2-th figure changed by $3 percent, up and at least by 3; labels and budgets
# are no figures. Fails if there is no such figure.
change() {
	awk -v which="$2" -v percent="$3" '
		{
			line = $0
			head = tail = ""
			if (split(line, part, "|") == 5) {
				head = "|" part[2] "|"
				line = part[3]
				tail = "|" part[4] "|"
			} else if (line !~ /  [0-9]|^poise: /) {
				print
				next
			}
			for (out = head; match(line, /[0-9][0-9,]*(\.[0-9]+)?/);) {
				number = substr(line, RSTART, RLENGTH)
				out = out substr(line, 1, RSTART - 1)
				line = substr(line, RSTART + RLENGTH)
				if (++seen == which) {
					gsub(/,/, "", number)
					number = number * (100 + percent) / 100 + (percent < 5 ? 0 : 3)
					found = 1
				}
				out = out number
			}
			print out line tail
		}
		END { exit !found }' "$1"
}

for name in run bench; do
	stated "$name" >"$dir/stated"
	if compare "$dir/stated" "$dir/$name.md" >"$dir/wrong"; then
		echo "PASS: README.md's figures of the $name are those that were measured"
	else
		echo "FAIL: README.md's figures of the $name are not those that were measured; \`make bench\` writes them anew"
		cat "$dir/wrong"
	fi

	# The comparison itself: it finds every figure that is wrong, and every budget that is.
	figures=0
	missed=
	while change "$dir/$name.md" $((figures + 1)) 120 >"$dir/changed"; do
		figures=$((figures + 1))
		! compare "$dir/changed" "$dir/$name.md" >"$dir/wrong" || missed="$missed $figures"
	done
	if [ "$figures" -ge 15 ] && [ -z "$missed" ]; then
		echo "PASS: a wrong figure is found in each of $figures places of the $name"
	else
		echo "FAIL: of $figures figures of the $name these may be wrong unnoticed:$missed"
	fi
done

sed 's/, \*\*missed\*\*/, met/' "$dir/bench.md" >"$dir/changed"
sed 's/, met/, **missed**/' "$dir/bench.md" >"$dir/changed.too"
if compare "$dir/changed" "$dir/bench.md" >"$dir/wrong" || compare "$dir/changed.too" "$dir/bench.md" >"$dir/wrong"; then
	echo "FAIL: a budget that is said to be met, or missed, and is not, goes unnoticed"
else
	echo "PASS: a budget that is said to be met, or missed, and is not, is found"
fi
