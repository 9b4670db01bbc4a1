#!/bin/sh
# SPDX-License-Identifier: MIT
# Carries the recordings of this folder over to the core and the format of now: each is replayed, and
# what the core does is recorded anew. Only names may differ from before (format 1 had numbers where
# there are names now, and a plan may name another rule); times, sizes, goals, targets, epochs and
# errors are compared line by line. Changes nothing unless all are the same.
#	carry.sh POISE-SIM
set -eu
sim=$1
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What has to be the same: all but heads, rules, values that have names now, and plans that leave a VM
# as it is: cores before 0.2.0 did not say which rule held it.
numbers() {
	grep -v '^#' "$1" | sed -E '/ plan .* size=([0-9]+) .* goal=\1$/d; s/ (rule|policy|rules_off|basis|flags|from|to)=[^ ]*//g'
}

for file in "$here"/*.rec.gz; do
	name=$(basename "$file" .rec.gz)
	gzip -dc "$file" >"$work/old"
	"$sim" replay --sizes --record "$work/new" "$work/old"
	numbers "$work/old" >"$work/old.numbers"
	numbers "$work/new" >"$work/new.numbers"
	cmp "$work/old.numbers" "$work/new.numbers"
	"$sim" replay "$work/new"
	gzip -9nc "$work/new" >"$work/$name.rec.gz"
	echo "$name: $(wc -l <"$work/new.numbers") events, equal but for names"
done
cp "$work"/*.rec.gz "$here"
