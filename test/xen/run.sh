#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# The Smart TV scenario in dom0: three domains with equal parts of the memory, then the same with
# poised. Swap-out is the guests' own pswpout. What it leaves in /out: recording, logs.
# shellcheck source=test/xen/dom0.sh
. /dom0.sh
# shellcheck source=test/xen/play.sh
. /play.sh

dom0_up
echo "Xen $(xl info | sed -n 's/^xen_version *: //p'), dom0 up after $(now) s"
for name in $NAMES; do
	domain_start "$name"
done
guests_ready
for name in $NAMES; do
	target_set "$name" $((SHARE_MIB * 1024))
done
for name in $NAMES; do
	await 60 size_is "$name" "$SHARE_MIB" || die "$name does not shrink to its share"
done
echo "three domains of $SHARE_MIB MiB after $(now) s"
play static
rest
poised_start
all_managed
play balanced
poisectl status
failures=$(status check_failures)
relief=$(status relief_max_us)
reliefs=$(status relief_count)
kill "$poised_pid"
wait "$poised_pid" || die "poised ended with an error: $(tail -n 3 /tmp/poised.log)"

echo
row "pages" static balanced
row "swapped out" "$(sum_of static_out)" "$(sum_of balanced_out)"
row "swapped in" "$(sum_of static_in)" "$(sum_of balanced_in)"
row "refaulted" "$(sum_of static_refault)" "$(sum_of balanced_refault)"
for name in $NAMES; do
	row "  $name, swapped out" "$(eval "echo \$static_out_$name")" "$(eval "echo \$balanced_out_$name")"
done
row "decisions" 0 "$(grep -c ' plan ' /out/xen.rec)"
row "emergency reliefs" 0 "${reliefs:-0}"
row "  slowest, us" 0 "${relief:-0}"
echo
cp /tmp/poised.log /out/
static=$(sum_of static_out)
balanced=$(sum_of balanced_out)
check=ok
[ "$failures" = 0 ] || check=failed
printf 'poise: swap-out static=%d balanced=%d reduction=%s%% check=%s\n' "$static" "$balanced" \
	"$(awk -v s="$static" -v b="$balanced" 'BEGIN { printf "%.2f", (s ? 100 * (s - b) / s : 0) }')" "$check"
[ "$check" = ok ] && [ "$static" -gt 0 ]
