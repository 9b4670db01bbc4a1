# SPDX-License-Identifier: MIT
# Tests of poise_guest.ko in a real kernel, on an emulated machine. Included by the top Makefile.
MODULE_TEST := $(OUT)/san/test/module/test_module
MODULE_TEST_SRCS := $(addprefix test/module/,test_module.c machine.c console.c) $(CORE_SRCS)
MODULE_INITRAMFS := $(OUT)/module/test.cpio

$(MODULE_TEST): $(MODULE_TEST_SRCS:%.c=$(OUT)/san/%.o)
	$(if $(Q),@echo "  LINK    $@")
	$(Q)$(CC) $(LDFLAGS_san) -o $@ $^ $(LIBS_san)

# zram: swap without a disk. virtio_blk: a disk to fill the page cache from.
$(MODULE_INITRAMFS): $(MODULE) test/module/job test/linux/init test/linux/initramfs.sh | $(LINUX_STAMP)
	$(if $(Q),@echo "  CPIO    $@")
	$(Q)$(LINUX_INITRAMFS) $@ $(LINUX) job=test/module/job file=$(MODULE):/poise_guest.ko \
		modules=virtio_pci,virtio_blk keep=zram,lzo-rle

RUN_module := $(MODULE_TEST) $(QEMU) $(LINUX_KERNEL) $(MODULE_INITRAMFS) $(OUT)/test/module.work

.PHONY: test-module module-runs
module-runs: $(MODULE_TEST) $(MODULE_INITRAMFS)
	$(call run_all,module,module)

test-module: module-runs ## the Linux guest module in a real kernel on an emulated machine
	@test/sum.sh total $(OUT)/test/module
