# SPDX-License-Identifier: MIT
# poise-vmm: a small VMM on /dev/kvm with the dirty log and the core in it, for arm64 Linux, and its
# tests. Included by the top Makefile after its rule for objects.
#	vmm	objects of the program, static, so that it runs on any arm64 Linux
#	vmmsan	what of it runs on this machine, under the sanitizers: unit tests

KVM_DIRTY_SRCS := port/kvm-arm64/dirtylog/dirty.c port/kvm-arm64/dirtylog/working_set.c
VMM_DIR := port/kvm-arm64/vmm
VMM_SRCS := $(VMM_DIR)/main.c $(VMM_DIR)/machine.c $(VMM_DIR)/calls.c $(VMM_DIR)/balloon.c $(VMM_DIR)/experiment.c \
	$(VMM_DIR)/balance.c $(KVM_DIRTY_SRCS) port/record/record.c $(GUESTDRV_SRCS) $(CORE_SRCS)
VMM := $(OUT)/vmm/poise-vmm

CC_vmm := $(CROSS)gcc
CFLAGS_vmm = $(PROGRAM_CFLAGS) -D_GNU_SOURCE $(TARGET_USER_CFLAGS)
LINK_vmm = $(CC_vmm) $(PROGRAM_LDFLAGS) -static-pie $(TARGET_USER_LDFLAGS)
$(eval $(call flavour,vmm))

# The guest: freestanding, its image built into the program.
VMM_GUEST_OUT := $(OUT)/vmm/guest
VMM_GUEST_OBJS := $(patsubst %,$(VMM_GUEST_OUT)/%.o,$(VMM_DIR)/guest/start.S \
	$(VMM_DIR)/guest/guest.c guestdrv/publish.c board/guest/string.S)

$(VMM_GUEST_OUT)/%.c.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $< (guest)")
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(HERE_IS) -Iguestdrv -MMD -MP -c $< -o $@

$(VMM_GUEST_OUT)/%.S.o: %.S
	@mkdir -p $(@D)
	$(if $(Q),@echo "  AS      $< (guest)")
	$(Q)$(GUEST_CC) -march=armv8-a $(HERE_IS) -MMD -MP -c $< -o $@

$(VMM_GUEST_OUT)/guest.elf: $(VMM_GUEST_OBJS) $(VMM_DIR)/guest/guest.ld
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(GUEST_CC) -nostdlib -static -no-pie -Wl,--gc-sections -Wl,--build-id=none \
		-Wl,-z,noexecstack -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments \
		-Wl,-T,$(VMM_DIR)/guest/guest.ld $(VMM_GUEST_OBJS) -o $@

$(VMM_GUEST_OUT)/guest.bin: $(VMM_GUEST_OUT)/guest.elf
	$(Q)$(GUEST_OBJCOPY) -O binary $< $@

$(VMM_GUEST_OUT)/image.o: $(VMM_DIR)/image.S $(VMM_GUEST_OUT)/guest.bin
	$(Q)$(CC_vmm) -Wa,-I$(VMM_GUEST_OUT) -c $< -o $@

$(VMM): $(call objects,vmm,$(VMM_SRCS)) $(VMM_GUEST_OUT)/image.o
	$(if $(Q),@echo "  LINK    $@")
	@mkdir -p $(@D)
	$(Q)$(LINK_vmm) -o $@ $^
-include $(VMM_GUEST_OBJS:.o=.d)

.PHONY: vmm
vmm: $(VMM) ## poise-vmm, a small VMM for arm64 with Poise in it

# Unit tests: test/unit/test_NAME.c, with the sources VMM_TEST_NAME and the functions VMM_WRAP_NAME of
# the C library replaced by the test's.
VMM_TESTS := kvm_dirty kvm_working_set vmm_calls
VMM_TEST_kvm_dirty := port/kvm-arm64/dirtylog/dirty.c
VMM_WRAP_kvm_dirty := -Wl,--wrap=ioctl,--wrap=mmap,--wrap=munmap
VMM_TEST_kvm_working_set := port/kvm-arm64/dirtylog/working_set.c $(GUESTDRV_SRCS) $(CORE_SRCS)
VMM_TEST_vmm_calls := $(VMM_DIR)/calls.c $(VMM_DIR)/balloon.c port/kvm-arm64/dirtylog/dirty.c $(UNIT_BASE)
CC_vmmsan := $(CC)
CFLAGS_vmmsan := $(CFLAGS_san) -D_GNU_SOURCE -Iport/kvm-arm64/dirtylog -I$(VMM_DIR)
$(eval $(call flavour,vmmsan))

define vmm_test
$(OUT)/vmmsan/test/unit/test_$(1): $(call objects,vmmsan,test/unit/test_$(1).c $(VMM_TEST_$(1)))
	$$(if $$(Q),@echo "  LINK    $$@")
	$$(Q)$$(CC_vmmsan) $$(LDFLAGS_san) $$(VMM_WRAP_$(1)) -o $$@ $$^ $$(LIBS_san)
$(call unit_run,unit-$(1),$(OUT)/vmmsan/test/unit/test_$(1),cmocka.h)
endef
$(foreach t,$(VMM_TESTS),$(eval $(call vmm_test,$(t))))
HOST_RUNS += $(VMM_TESTS:%=unit-%)

# The program under real KVM in the emulated host: with the kernel of all such runs, then with a newer
# one, which has dirty rings.
VMM_CPIO := $(OUT)/vmm/initramfs.cpio
VMM_TEST := test/kvm/vmm.sh

$(VMM_CPIO): $(VMM) test/kvm/vmm.job test/linux/init test/linux/initramfs.sh | $(LINUX_STAMP)
	$(if $(Q),@echo "  CPIO    $@")
	$(Q)$(LINUX_INITRAMFS) $@ $(LINUX) job=test/kvm/vmm.job file=$(VMM):/bin/poise-vmm

# What can be said of the source of the dirty log, the program and its guest without running them.
RUN_vmm-source := test/kvm/vmm-source.sh $(LINUX_SYSROOT) $(CLANG) $(CC_vmm) $(VMM_DIR)/guest/guest.c \
	$(KVM_DIRTY_SRCS) $(filter $(VMM_DIR)/%,$(VMM_SRCS))

VMM_NEEDS := $(VMM_CPIO) $(LINUX_NEWER_STAMP) $(SIM)
VMM_RUNS := vmm-source vmm vmm-ring
RUN_vmm := $(VMM_TEST) log $(OUT)/test/vmm-results $(LINUX) $(VMM_CPIO) $(SIM)
RUN_vmm-ring := $(VMM_TEST) ring $(OUT)/test/vmm-results $(LINUX_NEWER) $(VMM_CPIO) $(SIM)

# One after the other: the last compares its results with those of the one before.
TEST_GROUPS += vmm
.PHONY: test-vmm vmm-runs
vmm-runs: $(VMM_NEEDS)
	$(call run_all,$(VMM_RUNS),vmm,1)

test-vmm: vmm-runs ## poise-vmm under KVM: dirty pages against the true numbers, two VMs balanced
	@test/sum.sh total $(OUT)/test/vmm
