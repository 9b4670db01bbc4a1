# SPDX-License-Identifier: MIT
# The board: newlib for aarch64-none-elf, the EL2 monitor, its images and how QEMU boots them.
# Included by the top Makefile; everything built here goes below $(OUT)/board and $(OUT)/newlib.

OUT ?= build
CROSS ?= aarch64-linux-gnu-
QEMU ?= qemu-system-aarch64
NEWLIB_TAR ?= /usr/src/newlib/newlib-3.3.0.tar.xz
GUEST_BIN ?= $(OUT)/board/guest/guest.bin

BOARD_CC := $(CROSS)gcc
BOARD_OUT := $(OUT)/board
NEWLIB := $(abspath $(OUT))/newlib
NEWLIB_STAMP := $(OUT)/newlib/.built

# The virtual machine of every run. Virtual time counts instructions, so runs repeat bit for bit.
BOARD_QEMU_FLAGS := -M virt,virtualization=on,gic-version=3 -cpu cortex-a72 -smp 1 -m 1G \
	-display none -monitor none -serial stdio -parallel none -net none -icount shift=0,sleep=off

# newlib: once; `make clean` leaves it alone. Nothing of ours is in it, so it depends on its tarball only.
$(NEWLIB_STAMP): $(NEWLIB_TAR)
	@echo "  NEWLIB  $(OUT)/newlib (once, about 90 s; log in $(OUT)/newlib.log)"
	@rm -rf $(NEWLIB) && mkdir -p $(NEWLIB)/src $(NEWLIB)/obj
	@tar -xf $< -C $(NEWLIB)/src --strip-components=1
	@( cd $(NEWLIB)/obj && ../src/configure --target=aarch64-none-elf --prefix=$(NEWLIB)/root \
		--disable-multilib --disable-newlib-supplied-syscalls --enable-newlib-nano-malloc \
		--enable-newlib-nano-formatted-io --disable-nls --disable-newlib-multithread \
		CC_FOR_TARGET=$(CROSS)gcc AR_FOR_TARGET=$(CROSS)ar AS_FOR_TARGET=$(CROSS)as \
		LD_FOR_TARGET=$(CROSS)ld RANLIB_FOR_TARGET=$(CROSS)ranlib NM_FOR_TARGET=$(CROSS)nm \
		CFLAGS_FOR_TARGET="-Os -ffreestanding -fno-stack-protector -fno-pic -fno-pie \
		-ffunction-sections -fdata-sections" && \
		$(MAKE) MAKEINFO=true all-target-newlib && $(MAKE) MAKEINFO=true install-target-newlib ) \
		> $(OUT)/newlib.log 2>&1 || { tail -n 20 $(OUT)/newlib.log; exit 1; }
	@rm -rf $(NEWLIB)/src $(NEWLIB)/obj
	@touch $@
