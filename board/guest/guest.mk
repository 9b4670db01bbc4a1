# SPDX-License-Identifier: MIT
# The board's guest: its raw binary, the traces it replays, and the object that carries both into
# the monitor's image. Included by the top Makefile; everything built here goes below $(OUT)/board.

OUT ?= build
CROSS ?= aarch64-linux-gnu-
Q ?= @

GUEST_OUT := $(OUT)/board/guest
GUEST_CC ?= $(CROSS)gcc
GUEST_OBJCOPY := $(CROSS)objcopy

# Memory management without a machine: also built for the host by test/unit/test_guest_*.c.
GUEST_KERNEL_SRCS := $(addprefix board/guest/kernel/,mm.c lru.c reclaim.c swap.c cache.c balloon.c)
GUEST_MM_SRCS := $(GUEST_KERNEL_SRCS) board/guest/workload.c
$(foreach t,guest_mm guest_balloon guest_workload,$(eval UNIT_SRCS_$(t) := test/unit/guest_fake.c $$(GUEST_MM_SRCS)))
GUEST_C_SRCS := $(GUEST_MM_SRCS) board/guest/main.c board/guest/machine.c board/guest/mmu.c \
	board/guest/irq.c board/guest/console.c board/guest/args.c board/guest/hostile.c \
	guestdrv/publish.c guestdrv/bare/bare.c
GUEST_S_SRCS := board/guest/start.S board/guest/vectors.S board/guest/string.S
GUEST_TRACES := play web game stream compile num script

GUEST_OBJS := $(GUEST_S_SRCS:%.S=$(GUEST_OUT)/%.o) $(GUEST_C_SRCS:%.c=$(GUEST_OUT)/%.o)
GUEST_BIN := $(OUT)/board/guest.bin
GUEST_TRACE_BINS := $(GUEST_TRACES:%=$(OUT)/board/traces/%.bin)
GUEST_BLOBS := $(OUT)/board/blobs.o

GUEST_WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wundef -Wmissing-prototypes -Werror
GUEST_CFLAGS := -std=c11 -Os -g -ffreestanding -fno-pic -fno-stack-protector -fno-common \
	-ffunction-sections -fno-asynchronous-unwind-tables -march=armv8-a -mgeneral-regs-only \
	-mstrict-align -Icore -Iboard/guest $(GUEST_WARNINGS)
GUEST_LDFLAGS := -nostdlib -static -no-pie -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments -Wl,-T,board/guest/guest.ld

$(GUEST_OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $< (guest)")
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(HERE_IS) -MMD -MP -c $< -o $@

$(GUEST_OUT)/%.o: %.S
	@mkdir -p $(@D)
	$(if $(Q),@echo "  AS      $< (guest)")
	$(Q)$(GUEST_CC) -march=armv8-a $(HERE_IS) -Iboard/guest -MMD -MP -c $< -o $@

$(GUEST_OUT)/guest.elf: $(GUEST_OBJS) board/guest/guest.ld
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(GUEST_CC) $(GUEST_LDFLAGS) $(GUEST_OBJS) -o $@

$(GUEST_BIN): $(GUEST_OUT)/guest.elf
	$(Q)$(GUEST_OBJCOPY) -O binary $< $@

# A trace: text to assembler data to bytes.
$(OUT)/board/traces/%.S: test/traces/p_%_u.csv board/guest/trace2asm.awk
	@mkdir -p $(@D)
	$(if $(Q),@echo "  TRACE   $<")
	$(Q)LC_ALL=C awk -f board/guest/trace2asm.awk $< > $@

$(OUT)/board/traces/%.bin: $(OUT)/board/traces/%.S
	$(Q)$(GUEST_CC) -c $< -o $(@:.bin=.o)
	$(Q)$(GUEST_OBJCOPY) -O binary -j .rodata $(@:.bin=.o) $@

$(GUEST_BLOBS): board/guest/blobs.S $(GUEST_BIN) $(GUEST_TRACE_BINS)
	$(if $(Q),@echo "  AS      $<")
	$(Q)$(GUEST_CC) -Wa,-I$(OUT)/board -c $< -o $@

.SECONDARY: $(GUEST_TRACES:%=$(OUT)/board/traces/%.S)
-include $(GUEST_OBJS:.o=.d)
