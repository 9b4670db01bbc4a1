#!/bin/sh
# SPDX-License-Identifier: MIT
# What the tests of poise-sim's command line share; to be read with `.`. $sim is the program, $dir a
# folder that goes when the test ends.
: "${sim:?is the program under test}"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

result() {
	if [ "$2" -eq 0 ]; then
		echo "PASS: $1"
	else
		echo "FAIL: $1"
	fi
}

# Bad input: exit 2, one line that has the given words, nothing on stdout, no new file.
bad() {
	name=$1
	words=$2
	shift 2
	find "$dir" ! -name 'log.*' | sort >"$dir/log.before"
	code=0
	"$sim" "$@" >"$dir/log.out" 2>"$dir/log.err" || code=$?
	find "$dir" ! -name 'log.*' | sort >"$dir/log.after"
	ok=0
	[ "$code" -eq 2 ] && [ "$(wc -l <"$dir/log.err")" -eq 1 ] && ! [ -s "$dir/log.out" ] &&
		grep -q -- "$words" "$dir/log.err" && cmp -s "$dir/log.before" "$dir/log.after" || ok=1
	result "$name" "$ok"
}

good() {
	name=$1
	words=$2
	shift 2
	code=0
	"$sim" "$@" >"$dir/log.out" 2>"$dir/log.err" || code=$?
	ok=0
	[ "$code" -eq 0 ] && ! [ -s "$dir/log.err" ] && grep -q -- "$words" "$dir/log.out" || ok=1
	result "$name" "$ok"
}
