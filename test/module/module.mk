# SPDX-License-Identifier: MIT
# Tests of poise_guest.ko in a real kernel, on an emulated machine. Included by the top Makefile.
MODULE_TEST := $(OUT)/san/test/module/test_module
MODULE_TEST_SRCS := $(addprefix test/module/,test_module.c common.c machine.c console.c) $(CORE_SRCS)
MODULE_INITRAMFS := $(OUT)/module/test.cpio
MODULE_NEWER_INITRAMFS := $(OUT)/module/newer/test.cpio

$(MODULE_TEST): $(MODULE_TEST_SRCS:%.c=$(OUT)/san/%.o)
	$(if $(Q),@echo "  LINK    $@")
	$(Q)$(CC) $(LDFLAGS_san) -o $@ $^ $(LIBS_san)

# zram: swap without a disk. virtio_blk: a disk to fill the page cache from.
$(MODULE_INITRAMFS): $(MODULE) test/module/job test/linux/init test/linux/initramfs.sh | $(LINUX_STAMP)
	$(if $(Q),@echo "  CPIO    $@")
	$(Q)$(LINUX_INITRAMFS) $@ $(LINUX) job=test/module/job file=$(MODULE):/poise_guest.ko \
		modules=virtio_pci,virtio_blk,virtio_balloon keep=zram,lzo-rle

$(MODULE_NEWER_INITRAMFS): $(MODULE_NEWER) test/module/job test/linux/init test/linux/initramfs.sh | $(LINUX_NEWER_STAMP)
	$(if $(Q),@echo "  CPIO    $@")
	$(Q)$(LINUX_INITRAMFS) $@ $(LINUX_NEWER) job=test/module/job file=$(MODULE_NEWER):/poise_guest.ko \
		modules=virtio_pci,virtio_blk,virtio_balloon keep=zram,lzo-rle
RUN_module-newer := $(MODULE_TEST) $(QEMU) $(LINUX_NEWER)/vmlinuz $(MODULE_NEWER_INITRAMFS) $(OUT)/test/module-newer.work

RUN_module := $(MODULE_TEST) $(QEMU) $(LINUX_KERNEL) $(MODULE_INITRAMFS) $(OUT)/test/module.work

# Under Xen: the module in a domain, peer in dom0 as the hypervisor's side.
MODULE_XEN := $(OUT)/module/xen
$(MODULE_XEN)/peer: test/module/peer.c $(OUT)/lib-a64/libpoise.a | $(LINUX_STAMP)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $@")
	$(Q)$(LINUX_CC) $(LINUX_CFLAGS) -O2 $(WARN_TEST) -Icore -o $@ $^ -lxengnttab -lxenevtchn -lxenstore
$(MODULE_XEN)/domu.cpio: $(MODULE) test/module/job test/linux/init test/linux/initramfs.sh | $(LINUX_STAMP)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CPIO    $@")
	$(Q)$(LINUX_INITRAMFS) $@ $(LINUX) job=test/module/job file=$(MODULE):/poise_guest.ko
$(MODULE_XEN)/dom0.cpio: test/module/xen.sh $(MODULE_XEN)/peer $(MODULE_XEN)/domu.cpio \
		test/linux/init test/linux/initramfs.sh | $(LINUX_STAMP)
	$(if $(Q),@echo "  CPIO    $@")
	$(Q)$(LINUX_INITRAMFS) $@ $(LINUX) job=$< \
		file=$(MODULE_XEN)/peer:/bin/peer file=$(MODULE_XEN)/domu.cpio:/boot/domu.cpio \
		file=$(LINUX_KERNEL):/boot/vmlinuz bin=/lib/aarch64-linux-gnu/libgcc_s.so.1 \
		$(foreach p,xl xenstored xenconsoled xen-init-dom0,bin=$(XEN_BIN)/$(p)) \
		$(foreach p,ls read write rm,bin=/usr/bin/xenstore-$(p)) \
		modules=xen_evtchn,xen_privcmd,xen_gntdev,xen_gntalloc,xenfs
RUN_module-xen := test/xen/boot.sh 600 $(OUT)/test/module-xen.work $(LINUX) $(MODULE_XEN)/dom0.cpio

TEST_GROUPS += module
.PHONY: test-module module-runs
module-runs: $(MODULE_TEST) $(MODULE_INITRAMFS) $(MODULE_NEWER_INITRAMFS) $(MODULE_XEN)/dom0.cpio
	$(call run_all,module module-newer module-xen,module)

test-module: module-runs ## the Linux guest module in a real kernel: emulated machine with ivshmem, with device tree, and under Xen
	@test/sum.sh total $(OUT)/test/module
