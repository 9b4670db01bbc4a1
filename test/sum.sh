#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs test programs and adds up what they report.
#
#	sum.sh run DIR NAME COMMAND...	runs one; its output goes to DIR/NAME.log, its counts to
#					DIR/NAME.count; always succeeds, so that the others run too
#	sum.sh all DIR JOBS		runs all "NAME COMMAND..." of standard input, a line each, as
#					`run` does, JOBS at a time
#	sum.sh total DIR...		prints "N passed, N failed, N skipped" over all counts; exit 1
#					if one failed or nothing ran
#
# A program reports in TAP (cmocka), or by lines that start with PASS, FAIL or SKIP, or by a last line
# "N passed, N failed", which then is what counts. One that dies, or reports nothing, is a failure.
# V=1 shows all output.
set -eu

verb=$1
dir=$2

case $verb in
run)
	name=$3
	shift 3
	mkdir -p "$dir"
	log=$dir/$name.log
	status=0
	CMOCKA_MESSAGE_OUTPUT=TAP "$@" >"$log" 2>&1 </dev/null || status=$?
	awk -v status="$status" '
		{ sub(/\r$/, ""); last = $0 }
		/^not ok / || /^FAIL[: ]/ { failed++; next }
		/^ok .*# SKIP/ || /^SKIP[: ]/ { skipped++; next }
		/^ok / || /^PASS[: ]/ { passed++; next }
		END {
			if (last ~ /^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/) {
				split(last, word, " ")
				passed = word[1]
				failed = word[3]
				skipped = word[5]
			}
			if (failed == 0 && (status != 0 || passed + skipped == 0)) {
				failed = 1
			}
			print passed + 0, failed + 0, skipped + 0
		}' "$log" >"$dir/$name.count"
	read -r passed failed skipped <"$dir/$name.count"
	# In one piece, as others may be reporting too.
	report=$(
		if [ "${V:-0}" = 1 ]; then
			cat "$log"
		elif [ "$failed" -ne 0 ]; then
			grep -Ev '^(ok |PASS[: ])' "$log" | tail -n 60 || true
			[ "$status" -eq 0 ] || echo "$name: exit status $status; all output is in $log"
		else
			grep -E '^(ok .*# SKIP|SKIP[: ])' "$log" || true
		fi
		printf '  %-24s %5d passed, %d failed, %d skipped\n' "$name" "$passed" "$failed" "$skipped"
	)
	printf '%s\n' "$report"
	;;
all)
	# The commands come from the Makefile and are meant to be split into words.
	xargs -d '\n' -P "$3" -I '{}' sh -c "exec '$0' run '$dir' {}"
	;;
total)
	shift
	for d in "$@"; do
		cat "$d"/*.count 2>/dev/null || true
	done | awk '
		{ passed += $1; failed += $2; skipped += $3 }
		END {
			printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
			exit failed > 0 || passed == 0
		}'
	;;
esac
