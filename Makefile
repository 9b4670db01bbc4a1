# SPDX-License-Identifier: MIT
# Builds, tests and runs everything. `make help` lists the targets.
#
# OUT	where everything built goes		CROSS	prefix of the AArch64 tools
# JOBS	how much is done at a time; default: as many as there are processors
# QEMU	the system emulator			V=1	shows commands and test output
# CC, CLANG	the two compilers of this machine; each must accept the code without a warning

OUT ?= build
CROSS ?= aarch64-linux-gnu-
QEMU ?= qemu-system-aarch64
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin CXX),default)
CXX := g++
endif
CLANG ?= clang
PREFIX ?= /usr/local
V ?=
export V
# V=0 means the same as no V.
override V := $(filter-out 0,$(V))
Q := $(if $(V),,@)
WERROR ?= -Werror

# One goal is built, and tests are run, on all processors, unless -j says otherwise.
JOBS ?= $(shell nproc)
ifeq ($(word 2,$(MAKECMDGOALS))$(filter -j% --jobserver%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(JOBS)
endif

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all run test test-host test-board bench lib lib-aarch64 install check format coverage help \
	clean distclean setup
all:

# What a goal needs is installed before make looks at any rule, so that rules need not know of it.
GOALS := $(or $(MAKECMDGOALS),all)
PURPOSES := $(sort \
	$(if $(filter lib install,$(GOALS)),lib $(if $(filter command,$(origin CROSS)),lib-aarch64)) \
	$(if $(filter lib-aarch64,$(GOALS)),lib-aarch64) \
	$(if $(filter format,$(GOALS)),format) \
	$(if $(filter sbom,$(GOALS)),licences) \
	$(if $(filter run bench all,$(GOALS)),run) \
	$(if $(filter sim compare all,$(GOALS)),sim) \
	$(if $(filter daemon install-daemon all,$(GOALS))$(if $(filter command,$(origin CROSS)),,$(filter install,$(GOALS))),daemon) \
	$(if $(filter daemon-arm64,$(GOALS)),linux) \
	$(if $(filter plot setup,$(GOALS)),sim plot) \
	$(if $(filter test test-host test-board check bench setup,$(GOALS)),run sim daemon test) \
	$(if $(filter test,$(GOALS)),linux) \
	$(if $(filter coverage setup,$(GOALS)),test coverage) \
	$(if $(filter linux-root module vmm run-xen setup,$(GOALS)),linux) \
	$(if $(filter run-kvm,$(GOALS)),linux sim) \
	$(if $(filter test-vmm test-kvm test-xen,$(GOALS)),linux sim test) \
	$(if $(filter module-check test-module,$(GOALS)),linux test))
ifneq ($(PURPOSES),)
ifeq ($(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),)
ifneq ($(shell test/setup.sh $(PURPOSES) >&2; echo $$?),0)
$(error set-up is not complete; see above)
endif
endif
endif

CPPFLAGS := -Icore -Iguestdrv -Iport/record -Iport/common
WARN_BOTH := -std=c11 -Wall -Wextra -Wshadow -Wvla -Wundef -Wmissing-prototypes -Wstrict-prototypes \
	$(WERROR)
WARN := $(WARN_BOTH) -Wconversion
WARN_TEST := $(WARN_BOTH) -D_DEFAULT_SOURCE
# The core on its target: no library, no vector registers, no table of unwinding.
TARGET_CFLAGS := -Os -ffreestanding -mgeneral-regs-only -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -fomit-frame-pointer \
	-fno-stack-protector -fno-pic -fno-pie

include core/core.mk
include board/board.mk
include test/test.mk

# One rule builds all objects. A flavour is a compiler with its flags; its objects are in $(OUT)/FLAVOUR.
#	host	the library for this machine
#	a64	the same for AArch64, as it is linked into a hypervisor
#	san	under the address and undefined behaviour sanitizers: unit tests
#	arm	32-bit: the same unit tests
#	cov	with counters of lines and branches
#	vm1 vm64	as san, with the smallest and the largest table of VMs
#	a64vm32 a64vm64	as a64, with larger tables: the bench
FLAVOURS := host a64 san arm cov vm1 vm64 a64vm32 a64vm64
CC_host := $(CC)
CFLAGS_host := -O2 -g
CC_a64 := $(CROSS)gcc
CFLAGS_a64 := $(TARGET_CFLAGS) -g
CC_san := $(CC)
CFLAGS_san := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CC_arm := arm-linux-gnueabihf-gcc
CFLAGS_arm := -O1 -g -Itest/unit/arm
CC_cov := $(CC)
CFLAGS_cov := -O0 -g --coverage -DPLAN_RUNS_PART=10
CC_vm1 := $(CC)
CFLAGS_vm1 := $(CFLAGS_san) -DPOISE_VM_MAX=1
CC_vm64 := $(CC)
CFLAGS_vm64 := $(CFLAGS_san) -DPOISE_VM_MAX=64

$(foreach n,32 64,$(eval CC_a64vm$(n) := $$(CC_a64))$(eval CFLAGS_a64vm$(n) := $$(CFLAGS_a64) -DPOISE_VM_MAX=$(n)))

define flavour
$(OUT)/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(if $$(Q),@echo "  CC      $$@")
	$$(Q)$$(CC_$(1)) $$(CFLAGS_$(1)) $$(if $$(filter test/%,$$<),$$(WARN_TEST),$$(WARN)) \
		$$(CPPFLAGS) -MMD -MP -c -o $$@ $$<
-include $$(shell find $(OUT)/$(1) -name '*.d' 2>/dev/null)
endef
$(foreach f,$(FLAVOURS),$(eval $(call flavour,$(f))))
objects = $(patsubst %.c,$(OUT)/$(1)/%.o,$(2))

include port/sim/sim.mk
include test/linux/linux.mk
include port/kvm-arm64/vmm/vmm.mk
include guestdrv/linux/module.mk
include test/module/module.mk
include port/daemon/daemon.mk
include port/xen-arm/xen.mk
include test/kvm/kvm.mk
include packaging/packaging.mk

# One group after another, as each uses all processors by itself.
test: $(TEST_GROUPS:%=%-runs) ## everything
	@test/sum.sh total $(TEST_GROUPS:%=$(OUT)/test/%)
ifneq ($(filter test,$(MAKECMDGOALS)),)
before :=
$(foreach g,$(TEST_GROUPS),$(if $(before),$(eval $(g)-runs: | $(before)))$(eval before := $(g)-runs))
endif

# The library: for this machine, or for the target if CROSS is given on the command line.
LIB_FLAVOUR := $(if $(filter command,$(origin CROSS)),a64,host)
LIB := $(OUT)/lib-$(LIB_FLAVOUR)
VERSION := $(shell sed -n 's/^.define POISE_VERSION "\(.*\)"/\1/p' core/poise.h)

$(OUT)/lib-host/libpoise.a: $(call objects,host,$(CORE_SRCS))
$(OUT)/lib-a64/libpoise.a: $(call objects,a64,$(CORE_SRCS))
$(OUT)/lib-%/libpoise.a:
	@mkdir -p $(@D)
	$(if $(Q),@echo "  AR      $@")
	$(Q)rm -f $@
	$(Q)$(if $(filter a64,$*),$(CROSS))ar rcsD $@ $^

lib: $(LIB)/libpoise.a ## libpoise.a for this machine (with CROSS=...: for the target)
lib-aarch64: $(OUT)/lib-a64/libpoise.a ## libpoise.a for AArch64

# For a hypervisor of one's own (CROSS=...) there is no daemon.
install: $(if $(filter command,$(origin CROSS)),,install-daemon)
install: $(LIB)/libpoise.a ## library, headers, pkg-config file, poised and poisectl to $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/poise
	install -m 644 $(LIB)/libpoise.a $(DESTDIR)$(PREFIX)/lib
	install -m 644 $(CORE_HEADERS) $(DESTDIR)$(PREFIX)/include/poise
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: poise' \
		'Description: Memory manager component for embedded ARM hypervisors' \
		'Version: $(VERSION)' 'Cflags: -I$${prefix}/include/poise' \
		'Libs: -L$${prefix}/lib -lpoise' >$(DESTDIR)$(PREFIX)/lib/pkgconfig/poise.pc

run: $(BOARD_ELF) ## three TV guests on the board: static partitions, then balanced; recording in build/run
	@mkdir -p $(OUT)/run
	$(Q)$(QEMU) $(BOARD_QEMU_FLAGS) -kernel $< -semihosting-config \
		enable=on,target=native,arg=scenario=tv,arg=record=$(OUT)/run/tv.txt </dev/null

all: lib lib-aarch64 board ## the libraries and the board's image

setup: ## installs the Debian packages that are missing for building and testing
	@echo "setup: everything is installed"

format: ## applies the house layout to all C files
	$(Q)find core guestdrv board port test -name '*.[ch]' -exec clang-format -i {} +

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

clean: ## removes what was built, but not newlib and the unpacked packages
	rm -rf $(filter-out $(OUT)/newlib $(OUT)/newlib.log $(LINUX),$(wildcard $(OUT)/* $(OUT)/.[!.]*))

distclean: ## removes everything that was built
	rm -rf $(OUT)
