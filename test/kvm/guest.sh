#!/bin/sh
# SPDX-License-Identifier: MIT
# What a guest runs: swap, Poise's module, and then each line that the host sends through the port
# "ctl" as a shell command, with its output back to the host. A command that has to go on while the
# next one is read ends in &. The closing line of a command is "ran STATUS".
disk() {
	for block in /sys/block/vd*; do
		if [ "$(cat "$block/serial" 2>/dev/null)" = "$1" ]; then
			echo "/dev/${block##*/}"
			return 0
		fi
	done
	echo "no disk $1"
	return 1
}

ln -s "$(disk data)" /dev/data
swap=$(disk swap)
mkswap "$swap" >/dev/null && swapon "$swap" || exit 1
modprobe poise_guest || exit 1
# Whoever answers the host must not be the one the kernel kills.
echo -1000 >/proc/self/oom_score_adj

# start COMMAND...: goes on by itself; if the kernel has to kill, then this.
start() {
	(
		echo 500 >/proc/self/oom_score_adj
		exec "$@"
	) &
}

exec 3<>/dev/vport0p1 || exit 1
echo ready >&3
while read -r line <&3; do
	eval "$line" >&3 2>&3
	echo "ran $?" >&3
done
