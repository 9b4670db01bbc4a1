#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots an initramfs on an emulated arm64 machine that has EL2, so that KVM works inside.
#	boot.sh [-m MB] [-c CPUS] [-t SECONDS] [-d SERIAL=IMAGE]... [-o DIRECTORY] [-l LOG] [-q] [-x XEN]
#		LINUX INITRAMFS [KERNEL ARGUMENT...]
# -m, -c	memory (1024) and CPUs (2)		-t	ends the run after that many seconds (600)
# -d	a raw disk image, found in the guest by its serial number (`disk SERIAL`, /sys/block/vd*/serial)
# -o	where the guest's /out is unpacked	-l	a copy of the console	-q	the copy only
# -x	the hypervisor XEN with the kernel as its dom0; XEN_ARGS: Xen's own arguments
# QEMU, QEMU_CPU, QEMU_EXTRA: the emulator, its CPU (cortex-a72), more of its options.
# Exit: the status of the guest's /job; 124 out of time or silent for 20 minutes, 125 the guest ended without saying a status.
set -u

fail() {
	echo "boot: $*" >&2
	exit 2
}

memory=1024
cpus=2
limit=600
out=
log=
quiet=
disks=
xen=
while getopts m:c:t:d:o:l:qx: option; do
	case $option in
	m) memory=$OPTARG ;;
	c) cpus=$OPTARG ;;
	t) limit=$OPTARG ;;
	d) disks="$disks $OPTARG" ;;
	o) out=$OPTARG ;;
	l) log=$OPTARG ;;
	q) quiet=1 ;;
	x) xen=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || fail "usage: boot.sh [OPTIONS] LINUX INITRAMFS [KERNEL ARGUMENT...]"
linux=$1
initramfs=$2
shift 2
[ -r "$linux/vmlinuz" ] || fail "no kernel in $linux: run 'make linux-root'"
[ -r "$initramfs" ] || fail "no $initramfs"
[ -z "$xen" ] || [ -r "$xen" ] || fail "no $xen"
qemu=${QEMU:-qemu-system-aarch64}
command -v "$qemu" >/dev/null || fail "$qemu is missing: run 'make setup'"

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
[ -n "$log" ] || log=$work/log
append="quiet panic=-1 $*"

# The options as words of "$@"; an image is attached without caching on this machine's side.
set -- -M virt,virtualization=on,gic-version=3 -cpu "${QEMU_CPU:-cortex-a72}" -smp "$cpus" \
	-m "$memory" -display none -monitor none -serial stdio -parallel none -nic none -no-reboot
if [ -n "$xen" ]; then
	# Xen takes its dom0 from where the loader puts it; QEMU keeps 0x48000000 for the device tree.
	set -- "$@" -kernel "$xen" -append "console=dtuart dtuart=/pl011@9000000 ${XEN_ARGS:-}" \
		-device "guest-loader,addr=0x49000000,kernel=$linux/vmlinuz,bootargs=console=hvc0 $append" \
		-device "guest-loader,addr=0x52000000,initrd=$initramfs"
else
	set -- "$@" -kernel "$linux/vmlinuz" -initrd "$initramfs" \
		-append "console=ttyAMA0 $append"
fi
if [ -n "$out" ]; then
	truncate -s 256M "$work/out.img" || exit 2
	disks="$disks out=$work/out.img"
fi
for disk in $disks; do
	image=${disk#*=}
	[ -r "$image" ] || fail "no $image"
	name=${disk%%=*}
	set -- "$@" -drive "file=$image,if=none,id=$name,format=raw,cache=unsafe" \
		-device "virtio-blk-pci,drive=$name,serial=$name"
done

exec 3>&1
[ -z "$quiet" ] || exec 3>/dev/null
# shellcheck disable=SC2086 # QEMU_EXTRA is a list of words.
"$(dirname "$0")/../qemu/guard.sh" -q 1200 -t "$limit" -l "$log" "$qemu" "$@" ${QEMU_EXTRA:-} >&3
status=$?

if [ "$status" -eq 124 ]; then
	exit 124
elif [ "$status" -ne 0 ]; then
	echo "boot: $qemu ended with status $status" | tee -a "$log" >&2
	exit 125
fi
if [ -n "$out" ]; then
	mkdir -p "$out"
	tar -xf "$work/out.img" -C "$out" --no-same-owner 2>>"$log"
fi
said=$(tr -d '\r' <"$log" | sed -n 's/^poise-exit: \([0-9]\{1,3\}\)$/\1/p' | tail -n 1)
if [ -z "$said" ]; then
	echo "boot: the guest ended without a status; its console is in $log" >&2
	exit 125
fi
exit "$said"
