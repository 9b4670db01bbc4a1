#!/bin/sh
# SPDX-License-Identifier: MIT
# The Smart TV scenario, run by the emulated host: three guests play a film, the web and a game, first
# with a fixed third of the memory each, then balanced by poised. Both times they do the same work.
# Leaves in /out: result (the closing line), balanced.txt (poised's recording), what everyone said.
# shellcheck source=/dev/null disable=SC2034,SC2154 # names are shared with host.sh
. /lib/host.sh

percent=$(sed -n 's/.*poise.percent=\([0-9]*\).*/\1/p' /proc/cmdline)
percent=${percent:-100}
live=$(sed -n 's/.*poise\.live.*/1/p' /proc/cmdline)
mkdir -p /out
RECORD=/out/balanced.txt

fail() {
	echo "error: $*"
	tail -n 20 /run/poise/poised.log 2>/dev/null
	cp "$VM"/*.log "$VM"/*.console "$VM"/*.qemu /run/poise/*.log /out 2>/dev/null
	exit 1
}

# ended NAME: whether the guest's program has come to its end, whatever that is.
ended() {
	said "$1" '^end \|^error \|^ran [1-9]' && return 0
	gone "$(guest_pid "$1")"
}

# show SECOND: a line with each guest's size, free memory and swap-out, in MiB and pages.
show() {
	line=$(printf '%3d s' "$1")
	sum=0
	for name in $NAMES; do
		size "$name"
		sum=$((sum + size))
		field "$name" free
		free=$((field / 256))
		field "$name" out
		line=$(printf '%s | %-6s %3d MiB, %3d free, %6d out' "$line" "$name" "$size" "$free" "$field")
	done
	echo "$line"
	[ "$sum" -le "$highest" ] || highest=$sum
}

# top: what poisectl shows, live on a terminal, one after the other into a file.
top() {
	if [ -n "$live" ]; then
		poisectl --socket "$SOCKET" top --count 1
	else
		poisectl --socket "$SOCKET" top --count 1 | cat
	fi
}

# play PHASE: lets all programs run to their end.
play() {
	now
	began=$now
	highest=0
	for name in $NAMES; do
		tell "$name" "start load $name $percent"
	done
	while :; do
		now
		$top
		show $((now - began))
		running=
		for name in $NAMES; do
			ended "$name" || running=1
		done
		[ -n "$running" ] || break
		[ $((now - began)) -lt 600 ] || fail "$1: no end after 600 s"
		sleep 1
	done
	took=$((now - began))
	for name in $NAMES; do
		said "$name" "^end $name " || fail "$1: $name says: $(tail -n 1 "$VM/$name.log")"
	done
	sleep 2 # one more report of each guest
}

# total KEY: sets $total to the sum over the guests.
total() {
	total=0
	for name in $NAMES; do
		field "$name" "$1"
		total=$((total + field))
	done
}

host_prepare
echo "static: $NAMES have ${SHARE_MIB} MiB each"
guests_start || fail "static"
top=
play static
total out && static_out=$total
total in && static_in=$total
total refault && static_refault=$total
static_took=$took
[ "$highest" -le "$POOL_MIB" ] || fail "static: guests had $highest MiB of $POOL_MIB"
guests_kill

echo "balanced: they share $POOL_MIB MiB"
guests_start || fail "balanced"
poised_conf "$POOL_MIB"
poised_start || fail "poised does not start"
await 30 all_managed || fail "poised does not manage all guests"
top=top
poised_cpu
before=$cpu
play balanced
poised_cpu
cpu=$((cpu - before))
total out && balanced_out=$total
total in && balanced_in=$total
total refault && balanced_refault=$total
balanced_took=$took
asked || fail "poised does not answer"
cp /run/poise/status.json /out/
status .check_failures && failures=$status
status .relief_count && reliefs=$status
status .relief_max_us && relief_us=$status
status '[.vms[].resizes] | add' && resizes=$status
status '[.vms[].alarms | length] | add' && alarms=$status
kill "$poised_pid"
await 20 gone "$poised_pid" || fail "poised does not end"
guests_kill

check=ok
if [ "$failures" != 0 ] || [ "$highest" -gt "$POOL_MIB" ]; then
	check=failed
fi
printf '\n%-26s %10s %12s\n' "pages" static balanced
printf '%-26s %10d %12d\n' "swapped out" "$static_out" "$balanced_out" \
	"swapped in" "$static_in" "$balanced_in" "refaulted" "$static_refault" "$balanced_refault"
printf '%-26s %10d %12d\n' "took, seconds" "$static_took" "$balanced_took" \
	"sizes asked for" 0 "$resizes" "emergency reliefs" 0 "$reliefs" "  slowest, us" 0 "$relief_us" \
	"alarms at the end" 0 "$alarms"
printf '%-26s %10s %12s\n' "poised, % of a 1 GHz CPU" "" \
	"$(awk -v us="$cpu" -v s="$balanced_took" 'BEGIN { printf "%.3f", us / s / 10000 }')"
printf '%-26s %10s %12d of %d\n\n' "most MiB at a time" "" "$highest" "$POOL_MIB"
reduction=$(awk -v s="$static_out" -v b="$balanced_out" \
	'BEGIN { printf "%.2f", (s > 0 ? 100 * (s - b) / s : 0) }')
echo "poise: swap-out static=$static_out balanced=$balanced_out reduction=$reduction% check=$check" \
	>/out/result
cp /run/poise/poised.log /out/
[ "$check" = ok ]
