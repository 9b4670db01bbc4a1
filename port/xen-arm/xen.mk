# SPDX-License-Identifier: MIT
# The Xen backend's tests, and the run on real Xen. Included by the top Makefile after
# port/daemon/daemon.mk, which has the backend's sources, and after test/test.mk.

# Unit tests: the backend on a fake Xen in place of its libraries.
XEN_TEST_SRCS := test/xen/bench.c test/xen/fake.c test/xen/fake_store.c port/daemon/clock.c port/common/setting.c port/common/text.c \
	$(XEN_SRCS) $(CORE_SRCS)
XEN_TESTS := backend boot faults parse
define xen_test
$(OUT)/daemonsan/test/xen/test_$(1): $(patsubst %.c,$(OUT)/daemonsan/%.o,test/xen/test_$(1).c $(XEN_TEST_SRCS))
	$$(if $$(Q),@echo "  LINK    $$@")
	$$(Q)$$(CC_daemonsan) $$(LDFLAGS_san) -o $$@ $$^ -lcmocka -levent_core -lconfig -lfdt
$(call unit_run,xen-$(1),$(OUT)/daemonsan/test/xen/test_$(1),cmocka.h $(XEN_TOOLS))
HOST_RUNS += xen-$(1)
endef
XEN_TOOLS := $(DAEMON_TOOLS) xenctrl.h libfdt.h
$(foreach t,$(XEN_TESTS),$(eval $(call xen_test,$(t))))
$(OUT)/daemonsan/test/xen/%.o: INCLUDES += -Iport/xen-arm

# The reader of xenstore's strings under libFuzzer, from a seed that is right.
FUZZ_XENSTORE := $(OUT)/fuzz/xenstore
$(FUZZ_XENSTORE): test/fuzz/fuzz_xenstore.c port/xen-arm/parse.c port/xen-arm/parse.h
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CLANG   $@")
	$(Q)$(CLANG) $(FUZZ_FLAGS) $(WARN_TEST) $(INCLUDES) -Iport/xen-arm -o $@ $(filter %.c,$^)
RUN_fuzz-xenstore := test/xen/fuzz.sh $(FUZZ_XENSTORE)
HOST_RUNS += fuzz-xenstore
NEEDS_fuzz-xenstore := $(FUZZ_XENSTORE)
TOOLS_fuzz-xenstore := $(CLANG)

# Real Xen in the emulated machine: dom0 with poised, three domains with the Linux module. The
# programs that they run are those of the KVM run.
XEN_DIR := $(OUT)/xen
XEN_BIN := /usr/lib/xen-*[0-9]/bin
XEN_DOM0_MODULES := xen_evtchn,xen_privcmd,xen_gntdev,xen_gntalloc,xenfs,xen_blkback,virtio_pci,virtio_blk

$(XEN_DIR)/load: test/kvm/load.c | $(LINUX_STAMP)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $@")
	$(Q)$(LINUX_CC) $(LINUX_CFLAGS) -static -O2 $(WARN) -D_GNU_SOURCE -o $@ $<
$(XEN_DIR)/look: test/xen/look.c | $(LINUX_STAMP)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $@")
	$(Q)$(LINUX_CC) $(LINUX_CFLAGS) -O2 $(WARN) -D_DEFAULT_SOURCE -o $@ $< -lxenctrl -lxenstore
$(XEN_DIR)/conflict.so: test/xen/conflict.c | $(LINUX_STAMP)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $@")
	$(Q)$(LINUX_CC) $(LINUX_CFLAGS) -shared -fPIC -O2 $(WARN) -o $@ $< -lxenstore
# Guests that misbehave.
XEN_BAD := $(XEN_DIR)/bad/poise_liar.ko $(XEN_DIR)/bad/poise_deaf.ko
$(XEN_BAD) &: $(wildcard test/module/bad/*) | $(LINUX_STAMP)
	$(if $(Q),@echo "  KBUILD  $(XEN_BAD)")
	$(Q)rm -rf $(XEN_DIR)/bad
	$(Q)mkdir -p $(XEN_DIR)
	$(Q)cp -r test/module/bad $(XEN_DIR)
	+$(Q)$(LINUX_KBUILD) $(if $(Q),-s) CONFIG_DEBUG_INFO_BTF_MODULES= M=$(abspath $(XEN_DIR))/bad modules
$(XEN_DIR)/domu.cpio: test/xen/domu.sh $(XEN_DIR)/load $(XEN_BAD) $(MODULE) test/linux/init test/linux/initramfs.sh | $(LINUX_STAMP)
	$(if $(Q),@echo "  PACK    $@")
	$(Q)$(LINUX_INITRAMFS) $@ $(LINUX) job=test/xen/domu.sh file=$(XEN_DIR)/load:/bin/load \
		module=$(MODULE) $(XEN_BAD:%=module=%) modules=xen_blkfront
# What Xen builds itself, before dom0.
$(XEN_DIR)/early.cpio: test/xen/early.sh $(MODULE) test/linux/init test/linux/initramfs.sh | $(LINUX_STAMP)
	$(if $(Q),@echo "  PACK    $@")
	$(Q)$(LINUX_INITRAMFS) $@ $(LINUX) job=test/xen/early.sh module=$(MODULE)
# dom0 with the job test/xen/NAME.sh.
XEN_DOM0 := $(foreach j,run test dom0less,$(XEN_DIR)/$(j).cpio)
$(XEN_DOM0): $(XEN_DIR)/%.cpio: test/xen/%.sh $(addprefix test/xen/,dom0.sh play.sh judge.sh block-poise) \
		test/xen/poised.conf $(POISED_ARM64) $(POISECTL_ARM64) $(XEN_DIR)/domu.cpio \
		$(XEN_DIR)/look $(XEN_DIR)/conflict.so test/linux/init test/linux/initramfs.sh | $(LINUX_STAMP)
	$(if $(Q),@echo "  PACK    $@")
	$(Q)$(LINUX_INITRAMFS) $@ $(LINUX) job=$< file=test/xen/dom0.sh:/dom0.sh file=test/xen/play.sh:/play.sh \
		file=test/xen/judge.sh:/judge.sh file=$(XEN_DIR)/conflict.so:/lib/conflict.so \
		file=test/xen/block-poise:/etc/xen/scripts/block-poise \
		file=test/xen/poised.conf:/etc/poised.conf \
		file=$(POISED_ARM64):/bin/poised file=$(POISECTL_ARM64):/bin/poisectl \
		file=$(XEN_DIR)/look:/bin/look file=$(XEN_DIR)/domu.cpio:/boot/domu.cpio \
		file=$(LINUX_KERNEL):/boot/vmlinuz bin=/lib/aarch64-linux-gnu/libgcc_s.so.1 \
		$(foreach p,xl xenstored xenconsoled xen-init-dom0 init-dom0less,bin=$(XEN_BIN)/$(p)) \
		$(foreach p,ls read write rm,bin=/usr/bin/xenstore-$(p)) modules=$(XEN_DOM0_MODULES) keep=brd

.PHONY: run-xen test-xen xen-runs
run-xen: $(XEN_DIR)/run.cpio ## the Smart TV scenario under real Xen: static, then balanced; recording in build/run-xen
	@QEMU=$(QEMU) test/xen/boot.sh 600 $(OUT)/run-xen $(LINUX) $<

RUN_xen := test/xen/boot.sh 1800 $(OUT)/test-xen $(LINUX) $(XEN_DIR)/test.cpio
RUN_xen-dom0less := test/xen/boot-dom0less.sh 1800 $(OUT)/test-xen-dom0less $(LINUX) \
	$(XEN_DIR)/dom0less.cpio $(XEN_DIR)/early.cpio
RUN_xen-tv := test/xen/tv.sh $(SIM) $(OUT)/test-xen-tv $(LINUX) $(XEN_DIR)/run.cpio
xen-runs: $(XEN_DOM0) $(XEN_DIR)/early.cpio $(SIM)
	$(call run_all,xen-tv xen xen-dom0less,xen)
TEST_GROUPS += xen
test-xen: xen-runs ## poised under real Xen, and what may go wrong there
	@test/sum.sh total $(OUT)/test/xen
