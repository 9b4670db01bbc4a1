# SPDX-License-Identifier: MIT
# The board: newlib for aarch64-none-elf, the EL2 monitor, its images and how QEMU boots them.
# Included by the top Makefile; everything built here goes below $(OUT)/board and $(OUT)/newlib.

OUT ?= build
CROSS ?= aarch64-linux-gnu-
QEMU ?= qemu-system-aarch64
NEWLIB_TAR ?= $(lastword $(sort $(wildcard /usr/src/newlib/newlib-*.tar.*)))

BOARD_CC := $(CROSS)gcc
BOARD_OUT := $(OUT)/board
NEWLIB := $(abspath $(OUT))/newlib
NEWLIB_STAMP := $(OUT)/newlib/.built

# The virtual machine of every run. Virtual time counts instructions, so runs repeat bit for bit.
BOARD_CPU ?= cortex-a72
BOARD_SMP ?= 1
BOARD_MEM ?= 1G
BOARD_QEMU_FLAGS := -M virt,virtualization=on,gic-version=3 -cpu $(BOARD_CPU) -smp $(BOARD_SMP) \
	-m $(BOARD_MEM) -display none -monitor none -serial stdio -parallel none -net none \
	-icount shift=0,sleep=off

# newlib: once; `make clean` leaves it alone. Nothing of ours is in it, so it depends on its tarball only.
# -O2, because -Os would choose a memcpy that goes byte by byte. Since 4.x stdio refers to functions for
# wide characters that the nano formatted io leaves out, unless it is told not to.
$(NEWLIB_STAMP): $(NEWLIB_TAR)
	@[ -n "$<" ] || { echo "newlib: no source in /usr/src/newlib: install newlib-source (make setup)," \
		"or name a tar file of newlib 3.3 or later: NEWLIB_TAR=..." >&2; exit 2; }
	@echo "  NEWLIB  $(OUT)/newlib (once, about 90 s; log in $(OUT)/newlib.log)"
	@rm -rf $(NEWLIB) && mkdir -p $(NEWLIB)/src $(NEWLIB)/obj
	@tar -xf $< -C $(NEWLIB)/src --strip-components=1
	@( cd $(NEWLIB)/obj && ../src/configure --target=aarch64-none-elf --prefix=$(NEWLIB)/root \
		--disable-multilib --disable-newlib-supplied-syscalls --enable-newlib-nano-malloc \
		--enable-newlib-nano-formatted-io --disable-newlib-wide-orient --disable-nls \
		--disable-newlib-multithread \
		CC_FOR_TARGET=$(CROSS)gcc AR_FOR_TARGET=$(CROSS)ar AS_FOR_TARGET=$(CROSS)as \
		LD_FOR_TARGET=$(CROSS)ld RANLIB_FOR_TARGET=$(CROSS)ranlib NM_FOR_TARGET=$(CROSS)nm \
		CFLAGS_FOR_TARGET="-O2 -ffreestanding -fno-stack-protector -fno-pic -fno-pie \
		-ffunction-sections -fdata-sections" && \
		$(MAKE) MAKEINFO=true all-target-newlib && $(MAKE) MAKEINFO=true install-target-newlib ) \
		> $(OUT)/newlib.log 2>&1 || { tail -n 20 $(OUT)/newlib.log; exit 1; }
	@rm -rf $(NEWLIB)/src $(NEWLIB)/obj
	@touch $@

BOARD_CFLAGS := -std=c11 -ffreestanding -fno-stack-protector -fno-pic -fno-pie -mgeneral-regs-only \
	-mstrict-align -Os -g -ffunction-sections -fdata-sections -Wall -Wextra -Wconversion -Wshadow \
	-Wvla -Wundef -Wmissing-prototypes -Werror
BOARD_INCLUDES = -nostdinc -isystem $(shell $(BOARD_CC) -print-file-name=include) \
	-isystem $(NEWLIB)/root/aarch64-none-elf/include -Icore -Iport/common -Iport/record -Iguestdrv
BOARD_LDFLAGS := -nostdlib -static -no-pie -Wl,--gc-sections -Wl,--build-id=none \
	-Wl,--no-warn-rwx-segments -Wl,-z,max-page-size=4096
BOARD_LIBS := $(NEWLIB)/root/aarch64-none-elf/lib/libc.a -lgcc

# What runs before the MMU is on, and the way out of a failure at any point: no library, not even one
# that the compiler would call by itself; test/objcode/early.sh checks it.
BOARD_EARLY_SOURCES := board/start.S board/vectors.S board/mmu.c board/panic.c board/uart.c board/semi.c
BOARD_EARLY_OBJECTS := $(patsubst %,$(BOARD_OUT)/%.o,$(BOARD_EARLY_SOURCES))
$(BOARD_EARLY_OBJECTS): BOARD_CFLAGS += -fno-builtin -fno-tree-loop-distribute-patterns

# The monitor: everything that every image has.
BOARD_SOURCES := $(BOARD_EARLY_SOURCES) board/boot.c board/args.c board/fdt.c board/gic.c board/timer.c \
	board/carve.c board/pool.c board/syscalls.c board/stage2.c board/memory.c board/context.c \
	board/vm_table.c board/vm.c board/vm_check.c board/sched.c board/monitor.c board/trap.c \
	board/hypercall.c board/blk.c board/swap.c
BOARD_OBJECTS := $(patsubst %,$(BOARD_OUT)/%.o,$(BOARD_SOURCES))

# Poise itself: the library as everybody gets it, the recorder, what ports have in common, and the port
# between it and the monitor.
BOARD_POISE_SOURCES := board/port.c board/phase.c board/picture.c board/guests.c \
	port/common/port_kit.c port/record/record.c
BOARD_POISE_OBJECTS := $(patsubst %,$(BOARD_OUT)/%.o,$(BOARD_POISE_SOURCES)) \
	$(OUT)/lib-a64/libpoise.a

# The guest and its traces, as bytes.
include board/guest/guest.mk

# The image of `make run`: monitor, Poise, scenarios, guests.
BOARD_MAIN_SOURCES := board/main.c board/tv.c
BOARD_MAIN_OBJECTS := $(patsubst %,$(BOARD_OUT)/%.o,$(BOARD_MAIN_SOURCES))
BOARD_ELF := $(BOARD_OUT)/board.elf

$(BOARD_OUT)/%.c.o: %.c | $(NEWLIB_STAMP)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $< (board)")
	$(Q)$(BOARD_CC) $(BOARD_CFLAGS) $(HERE_IS) $(BOARD_INCLUDES) -MMD -MP -c $< -o $@

$(BOARD_OUT)/%.S.o: %.S
	@mkdir -p $(@D)
	$(Q)$(BOARD_CC) -g $(HERE_IS) -MMD -MP -DPROBE_BIN='"$(PROBE_BIN)"' -c $< -o $@

$(BOARD_ELF): $(BOARD_OBJECTS) $(BOARD_MAIN_OBJECTS) $(BOARD_POISE_OBJECTS) $(GUEST_BLOBS) board/virt.ld
	@echo "  LINK    $@"
	$(Q)$(BOARD_CC) $(BOARD_LDFLAGS) -T board/virt.ld -o $@ $(filter %.o %.a,$^) $(BOARD_LIBS)

.PHONY: board
board: $(BOARD_ELF)

# The scenarios, which are played on the host and at EL2, and the model machine that plays them.
SCENARIO_SRCS := $(addprefix test/scenario/,scenario.c scenarios.c scenarios_fault.c model_check.c \
	model_guest.c model_port.c)

# The image of the board's own tests: monitor, tests, and the probe guest that misbehaves for them.
PROBE_OBJECTS := $(patsubst %,$(BOARD_OUT)/%.o,test/qemu/guests/start.S test/qemu/guests/probe.c \
	test/qemu/guests/probe_calls.c)
PROBE_BIN := $(BOARD_OUT)/probe.bin
BOARD_TEST_SOURCES := test/qemu/bench.c test/qemu/report.c test/qemu/test_boot.c \
	test/qemu/test_memory.c test/qemu/test_faults.c test/qemu/test_sched.c \
	test/qemu/test_balance.c test/qemu/test_churn.c test/qemu/test_scenarios.c \
	test/same/record_all.c test/qemu/probe_image.S
BOARD_TEST_OBJECTS := $(patsubst %,$(BOARD_OUT)/%.o,$(BOARD_TEST_SOURCES)) \
	$(patsubst %.c,$(OUT)/a64/%.o,$(SCENARIO_SRCS) guestdrv/publish.c)
BOARD_TEST_ELF := $(BOARD_OUT)/test.elf

$(BOARD_OUT)/probe.elf: $(PROBE_OBJECTS) test/qemu/guests/probe.ld
	$(Q)$(BOARD_CC) $(BOARD_LDFLAGS) -T test/qemu/guests/probe.ld -o $@ $(filter %.o,$^)

$(PROBE_BIN): $(BOARD_OUT)/probe.elf
	$(Q)$(CROSS)objcopy -O binary $< $@

$(BOARD_OUT)/test/qemu/probe_image.S.o: $(PROBE_BIN)

$(BOARD_TEST_ELF): $(BOARD_OBJECTS) $(BOARD_TEST_OBJECTS) $(BOARD_POISE_OBJECTS) $(GUEST_BLOBS) board/virt.ld
	@echo "  LINK    $@"
	$(Q)$(BOARD_CC) $(BOARD_LDFLAGS) -T board/virt.ld -o $@ $(filter %.o %.a,$^) $(BOARD_LIBS)

# The image that fails before the MMU is on.
BOARD_FAULT_ELF := $(BOARD_OUT)/early.elf
BOARD_FAULT_OBJECTS := $(filter-out %/mmu.c.o,$(BOARD_EARLY_OBJECTS)) $(BOARD_OUT)/test/qemu/early.c.o

$(BOARD_FAULT_ELF): $(BOARD_FAULT_OBJECTS) board/virt.ld
	@echo "  LINK    $@"
	$(Q)$(BOARD_CC) $(BOARD_LDFLAGS) -T board/virt.ld -o $@ $(filter %.o,$^)

# The command that runs all boots of the list; its last line is `N passed, N failed`.
RUN_qemu := test/qemu/run.sh test/qemu/qemu.list $(BOARD_OUT) $(OUT)/test/qemu $(QEMU) $(BOARD_QEMU_FLAGS)

-include $(patsubst %.o,%.d,$(BOARD_OBJECTS) $(BOARD_MAIN_OBJECTS) \
	$(filter %.c.o,$(BOARD_POISE_OBJECTS)) $(BOARD_TEST_OBJECTS) $(BOARD_FAULT_OBJECTS) $(PROBE_OBJECTS))
