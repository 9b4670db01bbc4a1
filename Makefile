# SPDX-License-Identifier: MIT
# Builds, tests and runs everything. `make help` lists the targets.
#
# OUT	where everything built goes		CROSS	prefix of the AArch64 tools
# JOBS	how much is done at a time; default: as many as there are processors
# QEMU	the system emulator			V=1	shows commands and test output
# BOARD_CPU, BOARD_SMP, BOARD_MEM	the board's CPU (cortex-a72), how many (1), memory (1G)
# GUARD_QUIET_S, GUARD_LIMIT_S	seconds without output, and in all, after which a run on QEMU has failed
# CC, CLANG	the two compilers of this machine; each must accept the code without a warning
# ARM_CC, QEMU_ARM	32-bit ARM Linux: compiler of the unit tests, and what runs them
#
# For packages and other machines (all may also stand in the environment):
#
# CFLAGS, CPPFLAGS, LDFLAGS	added to the project's own, in what runs on Linux and in the library
# WERROR=	warnings are no errors; so it is when one of these flags is given
# CROSS_COMPILE	prefix of CC, AR, STRIP, PKG_CONFIG for programs of another Linux machine; or give CC, ...
# PKG_CONFIG	finds the libraries; PKG_CONFIG_LIBDIR, _PATH, _SYSROOT_DIR: as it documents them
# XEN		auto: poised has Xen's backend if its libraries are found; yes: they must be; no: without
# SETUP=no	nothing is looked for or installed with apt; what is missing fails where it is used, but of
#		test-host what lacks its tools is skipped by name
# DESTDIR, PREFIX, BINDIR, LIBDIR, ...	where things are installed: install.mk

# What make or the shell would take for its own cannot be in the name of a file: blanks separate words, for
# example. $(call refuse,NAME,VALUE,CHARACTERS)
UNFIT_SHELL := ' " ` \ | & ; ( ) < > * ? [ ] $$
HASH := \#
UNFIT := $(UNFIT_SHELL) : % = $(HASH)
unfit = $(if $(word 2,[$(2)]),a blank,$(firstword $(foreach c,$(3),$(findstring $(c),$(2)))))
refuse = $(if $(call unfit,$(1),$(2),$(3)),$(error $(1) has $(call unfit,$(1),$(2),$(3)) in it, which make cannot build: $(2)))
$(call refuse,the path of the source,$(CURDIR),$(UNFIT_SHELL))
OUT ?= build
$(call refuse,OUT,$(OUT),$(UNFIT))
# `make clean` removes everything in it, so nothing else can be there; an empty OUT would be the root.
ifeq ($(strip $(OUT)),)
$(error OUT is empty: it is the folder where everything built goes)
endif
ifneq ($(filter $(patsubst %/,%,$(or $(realpath $(OUT)),$(abspath $(OUT))))/%,$(CURDIR)/),)
$(error OUT has the source in it, which `make clean` would remove: $(OUT))
endif

CROSS ?= aarch64-linux-gnu-
CROSS_COMPILE ?=
QEMU ?= qemu-system-aarch64
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
ifeq ($(origin CXX),default)
CXX := $(CROSS_COMPILE)g++
endif
ifeq ($(origin AR),default)
AR := $(CROSS_COMPILE)ar
endif
CLANG ?= clang
ARM_CC ?= arm-linux-gnueabihf-gcc
QEMU_ARM ?= qemu-arm
SETUP ?= yes
V ?=
export V
# Every run on QEMU ends when this make does, however deep below it and however it ends.
export GUARD_OWNER := $(shell echo $$PPID)
# V=0 means the same as no V.
override V := $(filter-out 0,$(V))
Q := $(if $(V),,@)
# Which warnings other flags bring is not known here.
WERROR ?= $(if $(strip $(CFLAGS) $(CPPFLAGS)),,-Werror)
# What a command line says is for this make; others that it starts (newlib's, the kernel's) are told what
# they need.
MAKEOVERRIDES :=

# One goal is built, and tests are run, on all processors, unless -j says otherwise.
JOBS ?= $(shell nproc)
ifeq ($(word 2,$(MAKECMDGOALS))$(filter -j% --jobserver%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(JOBS)
endif

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all run test test-host test-board bench lib lib-aarch64 check format coverage help clean \
	distclean setup
FORCE:
all:

# What a goal needs is installed before make looks at any rule, so that rules need not know of it.
GOALS := $(or $(MAKECMDGOALS),all)
PURPOSES := $(sort \
	$(if $(filter lib install install-lib,$(GOALS)),lib $(if $(filter command,$(origin CROSS)),lib-aarch64)) \
	$(if $(filter lib-aarch64,$(GOALS)),lib-aarch64) \
	$(if $(filter format,$(GOALS)),format) \
	$(if $(filter sbom,$(GOALS)),licences) \
	$(if $(filter doc,$(GOALS)),doc) \
	$(if $(filter deb test-packages test,$(GOALS)),deb) \
	$(if $(filter test-packages,$(GOALS)),linux test) \
	$(if $(filter run bench all,$(GOALS)),run) \
	$(if $(filter sim compare all,$(GOALS)),sim) \
	$(if $(filter daemon install-daemon all,$(GOALS))$(if $(filter command,$(origin CROSS)),,$(filter install,$(GOALS))),daemon) \
	$(if $(filter daemon-arm64,$(GOALS)),linux) \
	$(if $(filter plot setup,$(GOALS)),sim plot) \
	$(if $(filter test test-host test-board test-board-matrix check bench lab-short setup,$(GOALS)),run sim daemon test) \
	$(if $(filter test,$(GOALS)),linux) \
	$(if $(filter coverage setup,$(GOALS)),test coverage) \
	$(if $(filter linux-root module vmm run-xen setup,$(GOALS)),linux) \
	$(if $(filter run-kvm,$(GOALS)),linux sim) \
	$(if $(filter test-release,$(GOALS)),release) \
	$(if $(filter test-vmm test-kvm test-xen test-cross,$(GOALS)),linux sim test) \
	$(if $(filter module-check test-module,$(GOALS)),linux test))
ifeq ($(filter yes no,$(SETUP)),)
$(error SETUP is yes or no, not $(SETUP))
endif
ifneq ($(and $(filter yes,$(SETUP)),$(PURPOSES)),)
ifeq ($(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),)
ifneq ($(shell test/setup.sh $(PURPOSES) >&2; echo $$?),0)
$(error set-up is not complete; see above)
endif
endif
endif

INCLUDES := -Icore -Iguestdrv -Iport/record -Iport/common
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

# What runs on Linux is hardened.
PROGRAM_CFLAGS = -O2 -g -fPIE -fstack-protector-strong $(FORTIFY)
PROGRAM_LDFLAGS := -pie -Wl,-z,relro,-z,now
# Unless the builder's flags have an opinion. It works in optimised code only.
FORTIFY = $(if $(findstring _FORTIFY_SOURCE,$(USER_CFLAGS))$(filter -O0,$(USER_CFLAGS)),,\
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
# Those of the builder come last. CFLAGS are for the linker too: LTO, --sysroot.
USER_CFLAGS = $(CPPFLAGS) $(CFLAGS)
USER_LDFLAGS = $(CFLAGS) $(LDFLAGS)
# Objects do not tell where they were built, nor where the board's C library was.
HERE_IS := -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(NEWLIB)=newlib

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
# Also for those who link it into a shared library.
CFLAGS_host = $(PROGRAM_CFLAGS) -fPIC $(USER_CFLAGS)
LINK_host = $(CC) $(PROGRAM_LDFLAGS) $(USER_LDFLAGS)
CC_a64 := $(CROSS)gcc
CFLAGS_a64 = $(TARGET_CFLAGS) -g $(TARGET_USER_CFLAGS)
# The builder's flags are for this compiler if it is the one that was asked for.
TARGET_USER_CFLAGS = $(if $(filter command,$(origin CROSS)),$(USER_CFLAGS))
TARGET_USER_LDFLAGS = $(if $(filter command,$(origin CROSS)),$(USER_LDFLAGS))
CC_san := $(CC)
CFLAGS_san := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CC_arm := $(ARM_CC)
CFLAGS_arm := -O1 -g -Itest/unit/arm
CC_cov := $(CC)
CFLAGS_cov := -O0 -g --coverage -DPLAN_RUNS_PART=10
CC_vm1 := $(CC)
CFLAGS_vm1 := $(CFLAGS_san) -DPOISE_VM_MAX=1
CC_vm64 := $(CC)
CFLAGS_vm64 := $(CFLAGS_san) -DPOISE_VM_MAX=64

$(foreach n,32 64,$(eval CC_a64vm$(n) := $$(CC_a64))$(eval CFLAGS_a64vm$(n) = $$(CFLAGS_a64) -DPOISE_VM_MAX=$(n)))

# The warnings come before the flags of the flavour, as the builder's may switch some off.
define flavour
$(OUT)/$(1)/%.o: %.c $(OUT)/$(1)/.command
	@mkdir -p $$(@D)
	$$(if $$(Q),@echo "  CC      $$@")
	$$(Q)$$(CC_$(1)) $$(if $$(filter test/%,$$<),$$(WARN_TEST),$$(WARN)) $$(HERE_IS) $$(INCLUDES) \
		$$(CFLAGS_$(1)) -MMD -MP -c -o $$@ $$<
$(OUT)/$(1)/.command: $(if $(ONLY_INSTALL),,FORCE)
	$$(call note_command,$$(CC_$(1)) $$(WARN) $$(CFLAGS_$(1)) $$(LINK_$(1)))
-include $$(shell find $(OUT)/$(1) -name '*.d' 2>/dev/null)
endef
# Objects are built anew when the command that makes them is another one; but not if only installing, as
# `sudo make install` hardly repeats what was given before.
ONLY_INSTALL := $(if $(filter-out install install-% uninstall,$(GOALS)),,yes)
define note_command
@mkdir -p $(@D)
@printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(1))' >$@
endef

# Libraries, for who needs them. pkg-config is asked once, and only if something is built that needs the answer.
#	$(call pkg_cflags,WHO,PACKAGES)  $(call pkg_libs,WHO,PACKAGES)
#	$(call pkg_missing,PACKAGES)	those that are not there
#	$(call no_header,FILE)		FILE, if the compiler does not find it
ifeq ($(origin PKG_CONFIG),undefined)
PKG_CONFIG := $(or $(if $(CROSS_COMPILE),$(shell command -v $(CROSS_COMPILE)pkg-config)),pkg-config)
endif
# GNU make before 4.4 does not tell $(shell) what the command line says.
pkg_config = $(foreach v,PKG_CONFIG_PATH PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR,$(if $($(v)),$(v)='$($(v))')) \
	$(PKG_CONFIG)
pkg_there = $(filter 0,$(shell $(pkg_config) --exists $(1) 2>/dev/null; echo $$?))
pkg_missing = $(if $(call pkg_there,$(1)),,$(strip $(foreach p,$(1),$(if $(call pkg_there,$(p)),,$(p)))))
pkg_ask = $(if $(filter undefined,$(origin pkg_$(1)_$(2))),\
	$(if $(call pkg_missing,$(3)),$(error $(2) needs $(call pkg_missing,$(3)), which $(PKG_CONFIG) does not find))\
	$(eval pkg_$(1)_$(2) := $(shell $(pkg_config) --$(1) $(3))))$(pkg_$(1)_$(2))
pkg_cflags = $(call pkg_ask,cflags,$(1),$(2))
pkg_libs = $(call pkg_ask,libs,$(1),$(2))
no_header = $(if $(filter 0,$(shell $(CC) $(USER_CFLAGS) -include $(1) -fsyntax-only -x c /dev/null 2>/dev/null; echo $$?)),,$(1))
$(foreach f,$(FLAVOURS),$(eval $(call flavour,$(f))))
objects = $(patsubst %.c,$(OUT)/$(1)/%.o,$(2))

include port/sim/sim.mk
include test/linux/linux.mk
include port/kvm-arm64/vmm/vmm.mk
include guestdrv/linux/module.mk
include test/module/module.mk
include guestdrv/agent/agent.mk
include port/daemon/daemon.mk
include test/uml/uml.mk
include port/xen-arm/xen.mk
include test/kvm/kvm.mk
include test/build/build.mk
include test/release/release.mk
include packaging/packaging.mk

# One group after another, as each uses all processors by itself.
test: $(TEST_GROUPS:%=%-runs) ## everything
	@test/sum.sh total $(TEST_GROUPS:%=$(OUT)/test/%)
ifneq ($(filter test,$(MAKECMDGOALS)),)
before :=
$(foreach g,$(TEST_GROUPS),$(if $(before),$(eval $(g)-runs: | $(before)))$(eval before := $(g)-runs))
endif

# The library: for the machine that CC builds for, or for a hypervisor if CROSS is given on the command
# line.
LIB_FLAVOUR := $(if $(filter command,$(origin CROSS)),a64,host)
LIB := $(OUT)/lib-$(LIB_FLAVOUR)

$(OUT)/lib-host/libpoise.a: $(call objects,host,$(CORE_SRCS) $(CORE_EXTRA_SRCS))
$(OUT)/lib-a64/libpoise.a: $(call objects,a64,$(CORE_SRCS) $(CORE_EXTRA_SRCS))
$(OUT)/lib-%/libpoise.a:
	@mkdir -p $(@D)
	$(if $(Q),@echo "  AR      $@")
	$(Q)rm -f $@
	$(Q)$(if $(filter a64,$*),$(CROSS)ar,$(AR)) rcsD $@ $^

include install.mk
include test/host.mk

lib: $(LIB)/libpoise.a ## libpoise.a for this machine (with CROSS=...: for a hypervisor)
lib-aarch64: $(OUT)/lib-a64/libpoise.a ## libpoise.a for a hypervisor on AArch64

run: $(BOARD_ELF) ## three TV guests on the board: static partitions, then balanced; recording in build/run
	@mkdir -p $(OUT)/run
	$(Q)test/qemu/guard.sh $(QEMU) $(BOARD_QEMU_FLAGS) -kernel $< -semihosting-config \
		enable=on,target=native,arg=scenario=tv,arg=record=$(OUT)/run/tv.txt

all: lib lib-aarch64 board ## the libraries and the board's image

setup: ## installs the Debian packages that are missing for building and testing
	@echo "setup: everything is installed"

format: ## applies the house layout to all C files
	$(Q)find core guestdrv board port test -name '*.[ch]' -exec clang-format -i {} +

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

clean: ## removes what was built, but not newlib and the unpacked packages
	rm -rf $(filter-out $(OUT)/newlib $(OUT)/newlib.log $(LINUX),$(wildcard $(OUT)/* $(OUT)/.[!.]*))

distclean: ## removes everything that was built
	rm -rf $(OUT)
