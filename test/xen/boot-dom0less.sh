#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots Xen as boot.sh does, with two domains that Xen builds itself before dom0 runs (dom0less): 1 has
# no xenstore, 2 has ("enhanced"). They are described as an integrator does it, in the device tree.
#	boot-dom0less.sh SECONDS RESULTS LINUX INITRAMFS EARLY	EARLY: the initramfs of both
set -eu
here=$(dirname "$0")
seconds=$1
results=$2
linux=$3
initramfs=$4
early=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
MIB=96 # of each

# The machine's own device tree, with dom0 in it.
QEMU_EXTRA="-machine dumpdtb=$work/machine.dtb" \
	"$here/boot.sh" 60 "$work/out" "$linux" "$initramfs" >"$work/log" 2>&1 || true
[ -s "$work/machine.dtb" ] || {
	cat "$work/log"
	exit 2
}

# domain NAME KERNEL-ADDRESS EARLY-ADDRESS PROPERTY
domain() {
	cat <<-END
		$1 {
			compatible = "xen,domain";
			#address-cells = <2>;
			#size-cells = <2>;
			cpus = <1>;
			memory = <0 $((MIB * 1024))>;
			$4
			module@$2 {
				compatible = "multiboot,kernel", "multiboot,module";
				reg = <0 0x$2 0 $(stat -Lc %s "$linux/vmlinuz")>;
				bootargs = "console=hvc0 quiet panic=-1 cma=0";
			};
			module@$3 {
				compatible = "multiboot,ramdisk", "multiboot,module";
				reg = <0 0x$3 0 $(stat -Lc %s "$early")>;
			};
		};
	END
}

{
	dtc -q -I dtb -O dts "$work/machine.dtb"
	echo '/ { chosen {'
	domain bare 58000000 5a000000 ''
	domain enhanced 5c000000 5e000000 'xen,enhanced = "enabled";'
	echo '}; };'
} >"$work/machine.dts"
dtc -q -I dts -O dtb -o "$work/machine.dtb" "$work/machine.dts"

QEMU_EXTRA="-dtb $work/machine.dtb"
for address in 58000000 5c000000; do
	QEMU_EXTRA="$QEMU_EXTRA -device loader,file=$linux/vmlinuz,addr=0x$address,force-raw=on"
done
for address in 5a000000 5e000000; do
	QEMU_EXTRA="$QEMU_EXTRA -device loader,file=$early,addr=0x$address,force-raw=on"
done
export QEMU_EXTRA
"$here/boot.sh" "$seconds" "$results" "$linux" "$initramfs"
