#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots the emulated host with one of its jobs and shows its console.
#	run.sh LINUX INITRAMFS DIRECTORY LIMIT_S [KERNEL ARGUMENT...]
# DIRECTORY, which is replaced, gets console.log and what the job leaves. Exit: that of the job;
# 124 no end within LIMIT_S, 125 the host ended without saying a status.
#
# Instructions are time here, one nanosecond each: host and guests live through the same seconds on
# a fast and on a busy machine, and nothing idle takes time.
set -u

linux=$1
initramfs=$2
out=$3
limit=$4
shift 4
here=$(dirname "$0")
QEMU_EXTRA="-icount shift=0,sleep=off"
# With virtualisation host extensions, so that the host's kernel itself runs at EL2.
QEMU_CPU=${QEMU_CPU:-cortex-a76}
export QEMU_EXTRA QEMU_CPU

[ ! -t 1 ] || set -- "$@" poise.live
rm -rf "$out"
mkdir -p "$out"
{
	"$here/../linux/boot.sh" -c 1 -m 2048 -t "$limit" -o "$out" -l "$out/console.log" \
		"$linux" "$initramfs" "$@"
	echo $? >"$out/status"
} 2>&1 | sed -u -e 's/\r$//' -e '/^poise-exit: /d' -e '/^\[ *[0-9.]*\] reboot: /d'
read -r status <"$out/status"
exit "$status"
