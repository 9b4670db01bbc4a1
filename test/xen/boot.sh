#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots Xen with a dom0 on the emulated machine, and shows what its job says, without Xen's own talk.
#	boot.sh SECONDS RESULTS LINUX INITRAMFS [KERNEL ARGUMENT...]	exit: the status of the job
# Instructions are time here, one nanosecond each: Xen and all its domains live through the same
# seconds on a fast and on a busy machine, and nothing idle takes time.
set -u
here=$(dirname "$0")
seconds=$1
results=$2
linux=$3
initramfs=$4
shift 4
export QEMU_EXTRA="-icount shift=0,sleep=off ${QEMU_EXTRA:-}"
rm -rf "$results"
mkdir -p "$results"
{
	XEN_ARGS="dom0_mem=512M dom0_max_vcpus=1" "$here/../linux/boot.sh" -c 1 -m 1536 -t "$seconds" \
		-x "$linux/xen" -l "$results/console.log" -o "$results" \
		"$linux" "$initramfs" "$@"
	echo $? >"$results/status"
} 2>&1 | grep -av --line-buffered '^(XEN)\|pci 0000:\|poise-exit'
status=$(cat "$results/status")
rm -f "$results/status"
exit "$status"
