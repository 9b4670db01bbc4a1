# SPDX-License-Identifier: MIT
# The arm64 Linux that the KVM and Xen runs and the Linux module are built against and booted with.
# Included by the top Makefile; README.md here says how to use it.
#
# LINUX		where the packages are unpacked, once		LINUX_STAMP	depend on it to have them
# LINUX_RELEASE	release of Debian (default: this machine's); another one is best built with an OUT of its own
# LINUX_NEWER	a newer kernel of the same release, LINUX_NEWER_STAMP; laid out as LINUX
# LINUX_KERNEL, LINUX_SYSROOT, LINUX_CC, LINUX_CFLAGS, LINUX_KBUILD, LINUX_INITRAMFS, LINUX_BOOT

LINUX_RELEASE ?=
export LINUX_RELEASE
LINUX ?= $(OUT)/linux$(LINUX_RELEASE:%=-%)
LINUX_STAMP := $(LINUX)/.built
LINUX_KERNEL := $(LINUX)/vmlinuz
LINUX_SYSROOT := $(LINUX)/root
LINUX_NEWER := $(LINUX)/newer
LINUX_NEWER_STAMP := $(LINUX_NEWER)/.built

# Programs for the arm64 Linux: $(LINUX_CC) $(LINUX_CFLAGS) ... compiles and links.
LINUX_CC := $(CROSS)gcc
LINUX_CFLAGS := --sysroot=$(abspath $(LINUX_SYSROOT))

# Modules for its kernel: $(LINUX_KBUILD) M=DIRECTORY modules.
linux_kbuild = $(MAKE) -C $(abspath $(1)/headers) ARCH=arm64 CROSS_COMPILE=$(CROSS)
LINUX_KBUILD = $(call linux_kbuild,$(LINUX))

# Commands; the arguments are explained in the scripts.
LINUX_INITRAMFS := test/linux/initramfs.sh
LINUX_BOOT := QEMU=$(QEMU) test/linux/boot.sh

$(LINUX_STAMP): test/linux/packages test/linux/root.sh
	@test/linux/root.sh test/linux/packages root $(LINUX)
	@touch $@

$(LINUX_NEWER_STAMP): $(LINUX_STAMP)
	@test/linux/root.sh test/linux/packages newer $(LINUX_NEWER)
	@touch $@

.PHONY: linux-root
linux-root: $(LINUX_STAMP) ## the arm64 Debian packages for the KVM and Xen runs, unpacked (once)
