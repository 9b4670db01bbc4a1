# SPDX-License-Identifier: MIT
# poise-vmm: a small VMM on /dev/kvm with the dirty log and the core in it, for arm64 Linux, and its
# tests. Included by the top Makefile after its rule for objects.
#	vmm	objects of the program, static, so that it runs on any arm64 Linux

KVM_DIRTY_SRCS := port/kvm-arm64/dirty.c port/kvm-arm64/working_set.c
VMM_DIR := port/kvm-arm64/vmm
VMM_SRCS := $(VMM_DIR)/main.c $(VMM_DIR)/machine.c $(VMM_DIR)/calls.c $(VMM_DIR)/experiment.c \
	$(VMM_DIR)/balance.c $(KVM_DIRTY_SRCS) port/record/record.c $(GUESTDRV_SRCS) $(CORE_SRCS)
VMM := $(OUT)/vmm/poise-vmm

CC_vmm := $(CROSS)gcc
CFLAGS_vmm := -O2 -g -D_GNU_SOURCE
$(eval $(call flavour,vmm))

# The guest: freestanding, its image built into the program.
VMM_GUEST_OUT := $(OUT)/vmm/guest
VMM_GUEST_OBJS := $(patsubst %,$(VMM_GUEST_OUT)/%.o,$(VMM_DIR)/guest/start.S \
	$(VMM_DIR)/guest/guest.c guestdrv/publish.c board/guest/string.S)

$(VMM_GUEST_OUT)/%.c.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $< (guest)")
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -Iguestdrv -MMD -MP -c $< -o $@

$(VMM_GUEST_OUT)/%.S.o: %.S
	@mkdir -p $(@D)
	$(if $(Q),@echo "  AS      $< (guest)")
	$(Q)$(GUEST_CC) -march=armv8-a -MMD -MP -c $< -o $@

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
	$(Q)$(CC_vmm) -static -o $@ $^
-include $(VMM_GUEST_OBJS:.o=.d)

.PHONY: vmm
vmm: $(VMM) ## poise-vmm, a small VMM for arm64 with Poise in it
