#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the fuzz target of xenstore's strings for a fixed number of inputs, from right ones.
#	fuzz.sh PROGRAM
set -eu
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
printf '1\37710\37711\37712\37700000000000000ff' >"$corpus/right"
printf '%s\377%s' -4096 17179869184 >"$corpus/ends"
if "$1" -seed=1 -runs=200000 -max_len=256 -artifact_prefix="$1-" -verbosity=0 "$corpus" \
	>"$1.log" 2>&1; then
	echo "PASS: fuzz xenstore: 200000 inputs"
else
	echo "FAIL: fuzz xenstore"
	tail -n 40 "$1.log"
fi
