#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# The Linux module in a Xen domain: the script in dom0. The domain runs the commands that this one
# writes to its console (job), peer plays the hypervisor.
PATH=$(echo /usr/lib/xen-*/bin):$PATH
export PATH
log=/var/log/xen/console/guest-guest.log # what the domain says
id=

die() {
	echo "FAIL: xen: $*"
	exit 1
}

# await TENTHS COMMAND...: until the command succeeds. Fails when it has not by then.
await() {
	tenths=$1
	shift
	until "$@" >/dev/null 2>&1; do
		tenths=$((tenths - 1))
		[ "$tenths" -gt 0 ] || return 1
		usleep 100000
	done
}

said() {
	tr -d '\r' <"$log" | grep -q "$1"
}

# in_guest COMMAND: runs it there and waits for its end. Fails if it has failed.
in_guest() {
	: >"$log"
	tty=$(xenstore-read "/local/domain/$id/console/tty") || die "the domain has no console"
	echo "$1" >"$tty"
	await 1200 said '^@@[0-9]' || die "no answer from the domain to: $1"
	said '^@@0'
}

# heard TEXT: waits for a line of peer's, or for its end.
heard() {
	until grep -q "^$1" /tmp/peer; do
		[ -d "/proc/$peer_pid" ] || die "peer has ended before: $1; $(cat /tmp/peer)"
		usleep 100000
	done
}

mount -t xenfs xenfs /proc/xen
mkdir -p /etc/xen /run/xen /run/xenstored /var/lib/xen /var/lib/xenstored /var/lock "${log%/*}"
touch /etc/xen/xl.conf
xenstored || die "xenstored does not start"
await 600 xenstore-ls / || die "xenstored does not answer"
xen-init-dom0 >/dev/null || die "xen-init-dom0 fails"
xenconsoled --log=guest || die "xenconsoled does not start"
cat >/etc/xen/guest.cfg <<END
name = "guest"
kernel = "/boot/vmlinuz"
ramdisk = "/boot/domu.cpio"
memory = 128
maxmem = 128
vcpus = 1
extra = "console=hvc0 quiet panic=-1 cma=0"
END
: >"$log"
xl create -q /etc/xen/guest.cfg || die "the domain cannot be created"
await 1200 said '^@@ready' || die "the domain does not start"
id=$(xl domid guest)

in_guest "insmod /poise_guest.ko" || die "the module does not load"
mkfifo /tmp/go
peer stay "$id" </tmp/go >/tmp/peer 2>&1 &
peer_pid=$!
exec 9>/tmp/go
heard "now: short"
in_guest "echo 1 >/proc/sys/vm/overcommit_memory; ! dd if=/dev/zero of=/dev/null bs=1024M count=1"
heard "now: unload"
in_guest "rmmod poise_guest" || die "the module does not unload"
heard "now: use memory"
in_guest "! dd if=/dev/zero of=/dev/null bs=1024M count=1"
echo >&9
wait $peer_pid || echo "FAIL: xen: peer's status"
cat /tmp/peer
old=$(sed -n 's/^generation //p' /tmp/peer)

in_guest "insmod /poise_guest.ko" || die "the module does not load again"
peer show "$id" >/tmp/peer || echo "FAIL: xen: second peer's status"
cat /tmp/peer
new=$(sed -n 's/^generation //p' /tmp/peer)
if [ -n "$old" ] && [ -n "$new" ] && [ "$old" != "$new" ]; then
	echo "PASS: xen: loading again is a new generation"
else
	echo "FAIL: xen: generation $new after $old"
fi
# The kernel shows a call trace with each kill for lack of memory.
if in_guest "dmesg | grep -E 'BUG|WARN|Oops|hung|refcount|leak|still in use|Unable to handle'"; then
	echo "FAIL: xen: the domain's kernel complains"
	cat "$log"
else
	echo "PASS: xen: the domain's kernel has no complaint"
fi
