#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the fuzz target of the simulator's readers for a fixed number of inputs from a fixed seed.
# Leaks are left to the unit tests: libconfig itself loses a few bytes at an unfinished string.
#
#	readers.sh TARGET
set -eu

if ASAN_OPTIONS=detect_leaks=0 "$1" -seed=1 -max_len=64 -len_control=0 -runs=10000 -detect_leaks=0 -artifact_prefix="$1-" -verbosity=0 \
	>"$1.log" 2>&1; then
	echo "PASS: fuzz readers: 10000 inputs"
else
	echo "FAIL: fuzz readers: see $1.log"
	tail -n 40 "$1.log"
fi
