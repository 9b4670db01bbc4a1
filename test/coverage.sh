#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the unit tests that are built with counters, and reports which lines and branches they reach.
#
#	coverage.sh OUT TEST...		reports to OUT/coverage
set -eu

out=$1
shift

# Counts add up over runs, so old ones go first.
find "$out/cov" -name '*.gcda' -delete
for test in "$@"; do
	if ! "$test" >"$out/cov/log" 2>&1; then
		echo "FAIL: $test"
		cat "$out/cov/log"
	fi
done

mkdir -p "$out/coverage"
gcovr -r . --object-directory "$out/cov" -f core/ -f guestdrv/publish.c \
	--html-details "$out/coverage/index.html" --json "$out/coverage/coverage.json" "$out/cov"
test/coverage.py "$out/coverage/coverage.json" test/coverage-exceptions.txt
