# SPDX-License-Identifier: MIT
# Tests of the build itself: what compilers, packagers and cross builds meet. Included by the top Makefile
# after test/test.mk.

RUN_build-languages := test/build/languages.sh $(OUT)/build/languages $(CC) $(CXX) $(CLANG) $(CROSS)
HOST_RUNS += build-languages
TOOLS_build-languages := $(CXX) $(CLANG) $(CROSS)gcc

RUN_build-builder := test/build/builder.sh $(MAKE) $(OUT) $(NEWLIB) $(CROSS)
HOST_RUNS += build-builder
NEEDS_build-builder := $(NEWLIB_STAMP)
TOOLS_build-builder := $(BOARD_TOOLS) $(DAEMON_TOOLS)

# The cross build needs the arm64 Linux, so it is a group of its own.
QEMU_USER ?= qemu-aarch64
RUN_build-cross := test/build/cross.sh $(MAKE) $(OUT) $(LINUX) $(CROSS) $(QEMU_USER)
TEST_GROUPS += cross
.PHONY: test-cross cross-runs
cross-runs: | $(LINUX_STAMP)
	$(call run_all,build-cross,cross)

test-cross: cross-runs ## cross builds of daemon, VMM and module, as distributions make them
	@test/sum.sh total $(OUT)/test/cross
