#!/bin/sh
# SPDX-License-Identifier: MIT
# The first process of a UML guest: swap, the agent, and work while the host says so. The root is the
# host's own, read-only; poise.work= names the host's folder with what belongs to this guest, poise.agent=
# the agent's binary, poise.total= the guest's memory in MiB.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

mount -t proc proc /proc
mount -t sysfs sys /sys
[ -e /dev/ubda ] || mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp

word() {
	sed -n "s/.*poise\.$1=\([^ ]*\).*/\1/p" /proc/cmdline
}
work=$(word work)
agent=$(word agent)
total=$(word total)

mkswap /dev/ubda >/dev/null
swapon /dev/ubda
# The host's folder again, at a place that hides nothing. (The root may lie below /tmp.)
mkdir /tmp/host
mount -t hostfs -o "$work" none /tmp/host
cp /tmp/host/agent /tmp/agent 2>/dev/null || cp "$agent" /tmp/agent
/tmp/agent --total "$total" /dev/mmapper &
echo "guest: up"
while :; do
	if [ -e /tmp/host/go ]; then
		python3 /tmp/host/load.py "$(cat /tmp/host/go)" /tmp/host/go
		echo "guest: worked"
	fi
	sleep 0.2
done
