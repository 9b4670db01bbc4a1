#!/bin/sh
# SPDX-License-Identifier: MIT
# Holds catalogue.txt against the tests: every fault has a line, every test that is named exists.
set -eu

cd "$(dirname "$0")/.."
tab=$(printf '\t')
next=1
while IFS=$tab read -r number fault tests; do
	case $number in
	'#'*) continue ;;
	esac
	missing=
	[ "$number" = "$(printf 'F%02d' "$next")" ] || missing=" (out of order)"
	next=$((next + 1))
	for name in $tests; do
		case $name in
		ports) ;;
		board)
			grep -rqE "\"[^\"]*\\b$number\\b" qemu --include='*.c' ||
				missing="$missing board:$number"
			;;
		*)
			grep -rqE "^static void $name\\(void \\*\\*state\\)|^SCENE\\($name, " . \
				--include='*.c' || missing="$missing $name"
			;;
		esac
	done
	[ -n "$tests" ] || missing="$missing (no test)"
	if [ -z "$missing" ]; then
		echo "PASS: $number $fault"
	else
		echo "FAIL: $number $fault: not found:$missing"
	fi
done <fault/catalogue.txt
if [ "$next" -eq 77 ]; then
	echo "PASS: all 76 faults are listed"
else
	echo "FAIL: $((next - 1)) of 76 faults are listed"
fi
