#!/bin/sh
# SPDX-License-Identifier: MIT
# Holds catalogue.txt against the tests: every fault has a line, every test that is named exists.
set -eu

cd "$(dirname "$0")/.."
tab=$(printf '\t')
next=1
simulated='01 11 12 14 16 19 20 21 22 23 27 32 33 34 35 36 38 39 40 43 44 45 46 49 52 53 55 67 68 69 71 76'
while IFS=$tab read -r number fault tests; do
	case $number in
	'#'*) continue ;;
	esac
	missing=
	[ "$number" = "$(printf 'F%02d' "$next")" ] || missing=" (out of order)"
	next=$((next + 1))
	for name in $tests; do
		case $name in
		board)
			grep -rqE "\"[^\"]*\\b$number\\b" qemu --include='*.c' ||
				missing="$missing board:$number"
			;;
		*)
			grep -rqE "^static void $name\\(void \\*\\*state\\)|^SCENE\\($name, |^def $name\\(bench\\)" . \
				--include='*.c' --include='*.py' || missing="$missing $name"
			;;
		esac
	done
	[ -n "$tests" ] || missing="$missing (no test)"
	# What is a fault of the simulator's level too has a test there.
	case " $simulated " in
	*" ${number#F} "*)
		case " $tests" in
		*" sim_f${number#F}_"*) ;;
		*) missing="$missing (no test in the simulator)" ;;
		esac
		;;
	esac
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
