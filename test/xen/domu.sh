#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# What a domain runs: swap on its Xen block device, Poise's module, its kernel's counters once a
# second, and then each line that dom0 writes to its console, as a command. The closing line of a
# command is "ran STATUS". One that is to go on while the next is read ends in &.
i=0
while [ ! -b /dev/xvdb ] && [ $i -lt 300 ]; do
	sleep 0.1
	i=$((i + 1))
done
ln -s xvdb /dev/data
stty -F /dev/console -echo
mkswap /dev/xvda >/dev/null && swapon /dev/xvda || exit 1
modprobe poise_guest || exit 1
# Swap on flash: no read-ahead, as televisions and telephones have it.
echo 0 >/proc/sys/vm/page-cluster
# Whoever answers dom0 must not be the one the kernel kills.
echo -1000 >/proc/self/oom_score_adj

# start COMMAND...: goes on by itself; if the kernel has to kill, then this.
start() {
	(
		echo 500 >/proc/self/oom_score_adj
		exec "$@"
	) &
}

load watch &
echo ready
while read -r line; do
	eval "$line"
	echo "ran $?"
done
