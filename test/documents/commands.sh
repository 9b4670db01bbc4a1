#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the commands of CONTRIBUTING.md that stand in a fence below `<!-- run -->`, in this tree. What they build
# in `build` is built in OUT, a folder of its own, as others run beside this.
#
#	commands.sh OUT MAKE
set -eu
unset MAKEFLAGS MFLAGS MAKELEVEL

out=$1
make=$2
rm -rf "$out"
mkdir -p "$out"

awk '/^<!-- run -->$/ { armed = 1; next }
	/^```/ { inside = armed && !inside; armed = inside; next }
	inside' CONTRIBUTING.md |
	sed "s|build/|$out/|g; s|^make |$make -s OUT=$out |" >"$out/commands"
count=0
while IFS= read -r command; do
	count=$((count + 1))
	if sh -c "$command" >"$out/commands.log" 2>&1 </dev/null; then
		echo "PASS: CONTRIBUTING.md: $command"
	else
		echo "FAIL: CONTRIBUTING.md: $command"
		tail -n 20 "$out/commands.log"
	fi
done <"$out/commands"
[ "$count" -gt 3 ] || echo "FAIL: CONTRIBUTING.md has no commands to run"
