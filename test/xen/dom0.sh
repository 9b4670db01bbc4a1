#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# What the jobs in dom0 have in common; sourced. Everything waits for a condition, with a limit.
#	dom0_up			xenstored, dom0's own entry, the consoles
#	domain_start NAME MIB ROLE [WORD...]	a domain; its swap is a virtual block device of 64 MiB
#	domain_id NAME		its number, or nothing
#	domain_say NAME WORD...	a command for the job in it; domain_wait NAME KEY [SECONDS] its answer
export PATH=/usr/lib/xen-4.17/bin:$PATH
SWAP_MIB=${SWAP_MIB:-96}

die() {
	echo "FAIL: $*"
	exit 1
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
	limit=$(($(cut -d. -f1 /proc/uptime) + $1))
	what=$2
	shift 2
	while ! "$@" >/dev/null 2>&1; do
		if [ "$(cut -d. -f1 /proc/uptime)" -ge "$limit" ]; then
			echo "FAIL: $what: not within the limit"
			return 1
		fi
		sleep 0.1
	done
}

dom0_up() {
	mount -t xenfs xenfs /proc/xen
	mkdir -p /run/xen /run/xenstored /var/lib/xen /var/lib/xenstored /var/log/xen/console /var/lock \
		/run/poise
	touch /etc/xen/xl.conf
	xenstored || die "xenstored does not start"
	wait_for 30 xenstored xenstore-ls / || exit 1
	xen-init-dom0 >/dev/null || die "xen-init-dom0"
	xenconsoled --log=guest || die "xenconsoled"
}

domain_id() {
	xl domid "$1" 2>/dev/null
}

# The swap's image is in dom0's memory: what counts are pages moved, not a disk's speed.
swap_device() {
	if [ ! -e "/tmp/swap.$1" ]; then
		dd if=/dev/zero of="/tmp/swap.$1" bs=1M count=0 seek="$SWAP_MIB" 2>/dev/null
		losetup -f "/tmp/swap.$1" || die "no loop device for $1"
	fi
	losetup -a | sed -n "s|^\(/dev/loop[0-9]*\):.*/tmp/swap\.$1\$|\1|p"
}

domain_start() {
	name=$1
	mib=$2
	shift 2
	cat >"/etc/xen/$name.cfg" <<END
name = "$name"
kernel = "/boot/vmlinuz"
ramdisk = "/boot/domu.cpio"
memory = $mib
maxmem = $mib
vcpus = 1
extra = "console=hvc0 quiet panic=-1 cma=0 name=$name $*"
disk = ["format=raw,vdev=xvda,access=rw,script=block-poise,target=$(swap_device "$name")"]
on_poweroff = "destroy"
on_reboot = "restart"
on_crash = "destroy"
END
	xl create -q "/etc/xen/$name.cfg" || die "$name cannot be created"
}
