# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the jobs of the emulated host share: guests under KVM, and what they report. Read by `.`.
# A guest NAME lives in $VM/NAME.*: ctl.in and ctl.out lead to its shell (guest.sh), log is what it
# has said there, console its console, mon.in QEMU's own monitor, qmp the socket for poised, pid.
VM=/vm
SHARE_MIB=112 # a guest's part of the pool when all get the same
GUEST_MIB=192 # what a guest could grow to
NAMES="stream web game"

# guests_prepare: a place for the guests' files. It takes memory only for what has been written.
guests_prepare() {
	mkdir -p "$VM" /run/poise
	mount -t tmpfs -o size=75% vm "$VM"
	truncate -s 1G "$VM/data"
}

# qemu_run NAME: QEMU itself, in the background.
qemu_run() {
	qemu-system-aarch64 -name "$1" -M virt,gic-version=3 -accel kvm -cpu host -smp 1 -m "$GUEST_MIB" \
		-display none -nic none -serial "file:$VM/$1.console" -parallel none \
		-kernel /boot/vmlinuz -initrd /boot/guest.cpio -append "console=ttyAMA0 quiet panic=1" \
		-chardev "pipe,id=ctl,path=$VM/$1.ctl" -device virtio-serial-pci \
		-device virtserialport,chardev=ctl,name=ctl \
		-drive "file=$VM/data,if=none,id=data,format=raw,readonly=on" \
		-device virtio-blk-pci,drive=data,serial=data \
		-drive "file=$VM/$1.swap,if=none,id=swap,format=raw" \
		-device virtio-blk-pci,drive=swap,serial=swap \
		-object "memory-backend-file,id=page,mem-path=/dev/shm/poise-$1,size=1M,share=on" \
		-device ivshmem-plain,memdev=page -device virtio-balloon-pci,id=balloon \
		-qmp "unix:$VM/$1.qmp,server=on,wait=off" -pidfile "$VM/$1.pid" \
		-chardev "pipe,id=mon,path=$VM/$1.mon" -mon chardev=mon,mode=readline \
		>"$VM/$1.qemu" 2>&1 &
}

# guest_start NAME: a new guest with empty swap, asked at once to leave all but its share.
guest_start() {
	for pipe in ctl.in ctl.out mon.in mon.out; do
		[ -p "$VM/$1.$pipe" ] || mkfifo "$VM/$1.$pipe"
	done
	rm -f "$VM/$1.swap" "$VM/$1.pid" "/dev/shm/poise-$1"
	truncate -s 512M "$VM/$1.swap"
	: >"$VM/$1.log"
	qemu_run "$1"
	cat "$VM/$1.ctl.out" >>"$VM/$1.log" &
	cat "$VM/$1.mon.out" >"$VM/$1.monitor" &
	monitor "$1" "balloon $SHARE_MIB"
}

# monitor NAME COMMAND: to QEMU's own monitor.
monitor() {
	echo "$2" >"$VM/$1.mon.in"
}

# tell NAME COMMAND: to the guest's shell.
tell() {
	echo "$2" >"$VM/$1.ctl.in"
}

# await SECONDS CONDITION...: until the command succeeds. Fails when it has not by then.
await() {
	await_end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt "$await_end" ] || return 1
		usleep 200000
	done
}

# said NAME PATTERN: whether the guest has said such a line.
said() {
	grep -q -- "$2" "$VM/$1.log"
}

# field NAME KEY: a number of the guest's latest report; 0 before there is one.
field() {
	sed -n "s/^stat .*\\b$2=\\([0-9]*\\).*/\\1/p" "$VM/$1.log" | tail -n 1 | grep . || echo 0
}

# size_mib NAME: what the guest's own kernel says it has, balloon off. It starts at GUEST_MIB less what
# the kernel took before it counted.
at_most() {
	total=$(field "$1" total)
	[ "$total" -gt 0 ] && [ "$((total / 256))" -le "$2" ]
}
