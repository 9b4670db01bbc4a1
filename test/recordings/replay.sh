#!/bin/sh
# SPDX-License-Identifier: MIT
# Replays each recording of this folder: every decision that was made then and there is made again
# here. A recording in which one number has been changed must be found out, or nothing is proved.
#	replay.sh POISE-SIM
set -eu
sim=$1
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for file in "$here"/*.rec.gz; do
	[ -e "$file" ] || break
	name=$(basename "$file" .rec.gz)
	gzip -dc "$file" >"$work/rec"
	if "$sim" replay "$work/rec" >"$work/log" 2>&1; then
		echo "PASS: recording $name: $(tail -n 1 "$work/log")"
	else
		echo "FAIL: recording $name: $(tail -n 3 "$work/log" | tr '\n' ' ')"
	fi
	# The last size that was asked for, a page more.
	awk '{ line[NR] = $0 } / resize .* target=/ { at = NR }
		END { for (i = 1; i <= NR; i++) { if (i == at) {
			match(line[i], /target=[0-9]+/)
			number = substr(line[i], RSTART + 7, RLENGTH - 7) + 1
			line[i] = substr(line[i], 1, RSTART + 6) number substr(line[i], RSTART + RLENGTH)
		} print line[i] } }' "$work/rec" >"$work/forged"
	if ! cmp -s "$work/rec" "$work/forged" && ! "$sim" replay "$work/forged" >/dev/null 2>&1; then
		echo "PASS: recording $name: a forged one is found out"
	else
		echo "FAIL: recording $name: a forged one is not found out"
	fi
done
