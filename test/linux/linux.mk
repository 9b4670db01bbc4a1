# SPDX-License-Identifier: MIT
# The arm64 Linux that the KVM and Xen runs and the Linux module are built against and booted with.
# Included by the top Makefile; README.md here says how to use it.
#
# LINUX		where the packages are unpacked, once		LINUX_STAMP	depend on it to have them
# LINUX_KERNEL, LINUX_HEADERS, LINUX_SYSROOT, LINUX_CC, LINUX_CFLAGS, LINUX_KBUILD, LINUX_INITRAMFS, LINUX_BOOT

LINUX ?= $(OUT)/linux
LINUX_STAMP := $(LINUX)/.built
LINUX_KERNEL := $(LINUX)/vmlinuz
LINUX_HEADERS := $(LINUX)/headers
LINUX_SYSROOT := $(LINUX)/root

# Programs for the arm64 Linux: $(LINUX_CC) $(LINUX_CFLAGS) ... compiles and links.
LINUX_CC := $(CROSS)gcc
LINUX_CFLAGS := --sysroot=$(abspath $(LINUX_SYSROOT))

# Modules for its kernel: $(LINUX_KBUILD) M=DIRECTORY modules.
LINUX_KBUILD = $(MAKE) -C $(abspath $(LINUX_HEADERS)) ARCH=arm64 CROSS_COMPILE=$(CROSS)

# Commands; the arguments are explained in the scripts.
LINUX_INITRAMFS := test/linux/initramfs.sh
LINUX_BOOT := QEMU=$(QEMU) test/linux/boot.sh

$(LINUX_STAMP): test/linux/packages test/linux/root.sh
	@test/linux/root.sh test/linux/packages $(LINUX)
	@touch $@

.PHONY: linux-root
linux-root: $(LINUX_STAMP) ## the arm64 Debian packages for the KVM and Xen runs, unpacked (once)
