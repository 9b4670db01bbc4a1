#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the fuzz targets in DIR for a fixed number of inputs from a fixed seed. What broke one is
# left in DIR; run the target with that file to see it again.
#
#	run.sh DIR
set -eu

cd "$1"
run() {
	if "./$1" -seed=1 -max_len=4096 -len_control=0 -artifact_prefix="$1-" -verbosity=0 "$2" \
		>"$1.log" 2>&1; then
		echo "PASS: fuzz $1: $2"
	else
		echo "FAIL: fuzz $1: $2"
		tail -n 40 "$1.log"
	fi
}
run api -runs=6000
run import -runs=100000
run page -runs=300000
