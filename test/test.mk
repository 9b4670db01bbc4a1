# SPDX-License-Identifier: MIT
# The tests that need no board, the checks and the bench. Included by the top Makefile.

# Unit tests: test/unit/test_NAME.c, linked with the core, the guest driver, test/unit/support.c
# and what UNIT_SRCS_NAME adds.
UNIT_TESTS := \
	ack \
	agent_counters \
	board_fdt \
	board_stage2 \
	board_swap \
	check \
	err \
	export \
	forecast \
	forecast_error \
	forecast_time \
	forecast_traces \
	guest_balloon \
	guest_mm \
	guest_workload \
	init \
	ledger \
	module_judge \
	names \
	page \
	page_body \
	plan \
	plan_any \
	plan_paper \
	plan_poise \
	plan_shortage \
	poise \
	port_kit \
	publish \
	random \
	record \
	resize \
	resize_watch \
	rule_records \
	rules \
	rules_shortage \
	sample \
	sample_bad \
	scenario \
	vm
# Those of them that run again with the smallest and the largest table of VMs.
SIZE_TESTS := \
	check \
	export \
	ledger \
	plan \
	plan_any \
	plan_paper \
	plan_poise \
	plan_shortage \
	random

UNIT_SRCS_agent_counters := guestdrv/agent/counters.c
UNIT_SRCS_board_fdt := board/fdt.c
UNIT_SRCS_board_swap := board/swap.c
UNIT_SRCS_board_stage2 := board/stage2.c
$(foreach f,san arm cov,$(OUT)/$(f)/board/stage2.o): INCLUDES += -include test/unit/board_arch_fake.h
UNIT_SRCS_module_judge := guestdrv/linux/judge.c
UNIT_SRCS_export := test/fuzz/api.c test/fuzz/api_model.c
UNIT_SRCS_port_kit := port/common/port_kit.c
UNIT_SRCS_random := test/fuzz/api.c test/fuzz/api_model.c
UNIT_SRCS_scenario := $(SCENARIO_SRCS)
UNIT_SRCS_record := port/record/record.c port/record/reader.c port/record/replay.c
$(foreach t,$(UNIT_TESTS),$(eval UNIT_SRCS_$(t) ?=))
UNIT_BASE := $(CORE_SRCS) $(CORE_EXTRA_SRCS) $(GUESTDRV_SRCS) test/unit/support.c

LDFLAGS_san := -pthread -fsanitize=address,undefined
LIBS_san := -lcmocka -lm
LDFLAGS_arm := -pthread -static
LIBS_arm := -lm
LDFLAGS_cov := -pthread --coverage
LIBS_cov := -lcmocka -lm
$(foreach f,vm1 vm64,$(eval LDFLAGS_$(f) := $(LDFLAGS_san))$(eval LIBS_$(f) := $(LIBS_san)))

define unit_test
$(OUT)/$(1)/test/unit/test_$(2): $(patsubst %.c,$(OUT)/$(1)/%.o,test/unit/test_$(2).c $(UNIT_BASE) $(UNIT_SRCS_$(2)))
	$$(if $$(Q),@echo "  LINK    $$@")
	$$(Q)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach f,san arm cov,$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(f),$(t)))))
$(foreach f,vm1 vm64,$(foreach t,$(SIZE_TESTS),$(eval $(call unit_test,$(f),$(t)))))
UNIT_SAN := $(UNIT_TESTS:%=$(OUT)/san/test/unit/test_%)
UNIT_ARM := $(UNIT_TESTS:%=$(OUT)/arm/test/unit/test_%)
UNIT_COV := $(UNIT_TESTS:%=$(OUT)/cov/test/unit/test_%)
UNIT_SIZE := $(foreach f,vm1 vm64,$(SIZE_TESTS:%=$(OUT)/$(f)/test/unit/test_%))

# What `make test-host` starts, in this order: each NAME by the command RUN_NAME. NEEDS_NAME is what is
# built for it, TOOLS_NAME what it takes that not every machine has: commands, headers, starts of paths
# (test/host.mk). All of them run even if one fails. Coverage takes longest, so it is first.
HOST_RUNS := coverage $(UNIT_TESTS:%=unit-%) $(SIZE_TESTS:%=unit-vm1-%) $(SIZE_TESTS:%=unit-vm64-%) \
	$(UNIT_TESTS:%=unit32-%)
# $(call unit_run,NAME,PROGRAM,TOOLS): a run that is a program; a 32-bit one is emulated.
define unit_run
RUN_$(1) := $(if $(filter unit32-%,$(1)),$(QEMU_ARM)) $(2)
NEEDS_$(1) := $(2)
TOOLS_$(1) := $(3)
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_run,unit-$(t),$(OUT)/san/test/unit/test_$(t),cmocka.h)))
$(foreach f,vm1 vm64,$(foreach t,$(SIZE_TESTS),$(eval $(call unit_run,unit-$(f)-$(t),$(OUT)/$(f)/test/unit/test_$(t),cmocka.h))))
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_run,unit32-$(t),$(OUT)/arm/test/unit/test_$(t),$(ARM_CC) $(QEMU_ARM))))

# They pass whatever the order of a struct's fields is.
ORDER_TESTS := check err export forecast_time init ledger names page page_body plan plan_paper plan_poise \
	plan_shortage poise publish record resize resize_watch rules rules_shortage sample vm
RUN_field-order := test/order/run.py $(OUT)/order $(CC) $(MAKE) $(ORDER_TESTS)
HOST_RUNS += field-order
TOOLS_field-order := cmocka.h python3

# Every call of the port fails once in every way. Optimised and without sanitizers, as these are half
# a million runs; the unit test of scenarios plays some of each kind under the sanitizers.
FAULT := $(OUT)/host/test/fault/test_fault
FAULT_SRCS := test/fault/test_fault.c $(SCENARIO_SRCS) $(CORE_SRCS) $(CORE_EXTRA_SRCS) $(GUESTDRV_SRCS)
$(FAULT): $(FAULT_SRCS:%.c=$(OUT)/host/%.o)
	$(if $(Q),@echo "  LINK    $@")
	$(Q)$(LINK_host) -o $@ $^ -lcmocka
RUN_fault := $(FAULT)
RUN_catalogue := test/fault/catalogue.sh
HOST_RUNS += fault catalogue
NEEDS_fault := $(FAULT)
TOOLS_fault := cmocka.h

# Fuzzing by libFuzzer, briefly and from a fixed seed; longer by hand: $(OUT)/fuzz/NAME DIRECTORY.
FUZZ_SRCS_api := test/fuzz/fuzz_api.c test/fuzz/api.c test/fuzz/api_model.c $(CORE_SRCS) \
	$(CORE_EXTRA_SRCS)
FUZZ_SRCS_import := test/fuzz/fuzz_import.c $(CORE_SRCS) $(CORE_EXTRA_SRCS)
FUZZ_SRCS_page := test/fuzz/fuzz_page.c $(CORE_SRCS) $(GUESTDRV_SRCS)
FUZZ_FLAGS := -std=c11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
define fuzz_target
$(OUT)/fuzz/$(1): $(FUZZ_SRCS_$(1)) $(wildcard core/*.h core/*.def guestdrv/*.h test/fuzz/*.h)
	@mkdir -p $$(@D)
	$$(if $$(Q),@echo "  CLANG   $$@")
	$$(Q)$$(CLANG) $(FUZZ_FLAGS) $(WARN_TEST) $$(INCLUDES) -o $$@ $(FUZZ_SRCS_$(1))
endef
$(foreach f,api import page,$(eval $(call fuzz_target,$(f))))
RUN_fuzz := test/fuzz/run.sh $(OUT)/fuzz
HOST_RUNS += fuzz
NEEDS_fuzz := $(OUT)/fuzz/api $(OUT)/fuzz/import $(OUT)/fuzz/page
TOOLS_fuzz := $(CLANG)

# The sequence protocol under a checker of relaxed memory.
RELACY := $(OUT)/relacy/seq
$(RELACY): test/relacy/seq.cpp
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CXX     $@")
	$(Q)$(CXX) -std=c++17 -O1 -Wall -Wextra $(WERROR) -Icore -MMD -MP -o $@ $<
-include $(RELACY).d
RUN_memory-order := $(RELACY)
HOST_RUNS += memory-order
NEEDS_memory-order := $(RELACY)
TOOLS_memory-order := $(CXX) /usr/include/relacy

# Object code: the barriers are where they should be.
RUN_object-code := test/objcode/run.sh $(OUT)/objcode $(CROSS)gcc $(CLANG) $(CROSS)objdump
HOST_RUNS += object-code
TOOLS_object-code := $(CROSS)gcc $(CLANG)
RUN_early-code := test/objcode/early.sh $(OUT)/early-code $(CROSS) $(BOARD_EARLY_OBJECTS)
HOST_RUNS += early-code
NEEDS_early-code := $(BOARD_EARLY_OBJECTS)
# What the board's objects take.
BOARD_TOOLS := $(CROSS)gcc $(or $(NEWLIB_TAR),/usr/src/newlib/newlib-)
TOOLS_early-code := $(BOARD_TOOLS)

# Static checks.
RUN_check := test/check.sh $(OUT)/check $(CC) $(CXX) $(CLANG) $(CROSS) \
	$(NEWLIB)/root/aarch64-none-elf/include
HOST_RUNS += check
NEEDS_check := $(NEWLIB_STAMP)
TOOLS_check := $(BOARD_TOOLS) $(CXX) $(CLANG)

check: $(NEWLIB_STAMP) ## layout, warnings of both compilers, headers alone, symbols, stack, cppcheck, licence lines
	$(call run_all,check,check)
	@test/sum.sh total $(OUT)/test/check

# The installing of packages, on machines that are not this one.
RUN_setup := test/setup/run.sh $(OUT)/setup
HOST_RUNS += setup

# Documents against code.
RUN_documents := test/abi/run.sh $(OUT)/abi $(CC) $(MAKE)
NAMING_DOCUMENTS := README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md test/README.md
RUN_document-names := test/documents/check.py $(NAMING_DOCUMENTS)
PUBLIC_HEADERS = $(filter %.h,$(HEADERS))
RUN_reference = test/documents/reference.py $(OUT)/doc-test $(PUBLIC_HEADERS)
RUN_document-commands := test/documents/commands.sh $(OUT)/contributing $(MAKE)
TOOLS_document-commands = cmocka.h $(ARM_CC) $(QEMU_ARM) $(SIM_TOOLS)
HOST_RUNS += documents document-names document-commands reference
NEEDS_documents := $(OUT)/lib-host/libpoise.a
TOOLS_documents := pkg-config
TOOLS_document-names := python3
TOOLS_reference := doxygen python3

.PHONY: doc
doc: ## reference of the public headers, in build/doc/html
	@test/documents/doc.sh $(OUT)/doc $(PUBLIC_HEADERS)
	@echo "doc: $(OUT)/doc/html/index.html"

# Coverage by the unit tests.
RUN_coverage := test/coverage.sh $(OUT) $(UNIT_COV)
NEEDS_coverage := $(UNIT_COV)
TOOLS_coverage := cmocka.h gcovr

coverage: $(UNIT_COV) ## lines and branches of core and guest driver that the unit tests reach
	@$(RUN_coverage)

# The bench: the core on the monitor's start-up code, with three sizes of table.
BENCH_ELFS := $(foreach f,a64 a64vm32 a64vm64,$(OUT)/bench/$(f).elf)
define bench_image
$(OUT)/$(1)/test/bench/bench.o: INCLUDES += $$(BOARD_INCLUDES) -Iboard
$(OUT)/$(1)/test/bench/bench.o: | $(NEWLIB_STAMP)
$(OUT)/bench/$(1).elf: $(BOARD_OBJECTS) $(patsubst %.c,$(OUT)/$(1)/%.o,test/bench/bench.c $(CORE_SRCS) $(GUESTDRV_SRCS)) board/virt.ld
	@mkdir -p $$(@D)
	$$(if $$(Q),@echo "  LINK    $$@")
	$$(Q)$$(BOARD_CC) $$(BOARD_LDFLAGS) -T board/virt.ld -o $$@ $$(filter %.o,$$^) $$(BOARD_LIBS)
endef
$(foreach f,a64 a64vm32 a64vm64,$(eval $(call bench_image,$(f))))

# Decisions made at EL2 are made again on the host.
SAME := $(OUT)/host/test/same/same
SAME_SRCS := test/same/same.c test/same/record_all.c $(SCENARIO_SRCS) \
	port/record/record.c port/record/reader.c port/record/replay.c $(GUESTDRV_SRCS)
$(SAME): $(SAME_SRCS:%.c=$(OUT)/host/%.o) $(OUT)/lib-host/libpoise.a
	$(if $(Q),@echo "  LINK    $@")
	$(Q)$(LINK_host) -o $@ $^
RUN_same := $(SAME) $(OUT)/test/qemu/scenarios.rec $(OUT)/test/qemu/live.rec $(OUT)/test/qemu/smart-tv.rec

RUN_guard := test/qemu/guard_test.sh $(OUT)/test/guard $(BOARD_FAULT_ELF) $(MAKE) $(QEMU) $(BOARD_QEMU_FLAGS)
RUN_figures := test/bench/run.sh check $(OUT) $(CROSS) $(QEMU) $(BOARD_QEMU_FLAGS)

bench: $(BENCH_ELFS) $(BOARD_TEST_ELF) $(BOARD_ELF) ## size, stack and instructions against their budgets; build/bench.json, README
	@test/bench/run.sh write $(OUT) $(CROSS) $(QEMU) $(BOARD_QEMU_FLAGS)

# Runs the runners of list $(1) into $(OUT)/test/$(2), as many at a time as there are processors, or $(3).
run_more = @printf '%s\n' $(foreach r,$(1),'$(r) $(RUN_$(r))') | test/sum.sh all $(OUT)/test/$(2) $(or $(3),$(JOBS))
define run_all
@rm -rf $(OUT)/test/$(2)
$(call run_more,$(1),$(2),$(3))
endef

.PHONY: host-runs board-runs
host-runs:
	$(call run_all,$(HOST_RUNS),host)

# All boots again on each machine that the board supports; a short form of it is always run.
RUN_matrix := test/qemu/run.sh test/qemu/matrix.list $(BOARD_OUT) $(OUT)/test/matrix $(QEMU) $(BOARD_QEMU_FLAGS)
BOARD_MATRIX := $(addprefix -cpu.,cortex-a53 cortex-a57 cortex-a72 cortex-a76 neoverse-n1 max) \
	$(addprefix -smp.,2 3 4) $(addprefix -m.,512M 2G 3G 4G)
$(foreach m,$(BOARD_MATRIX),$(eval RUN_qemu$(m) := test/qemu/run.sh test/qemu/qemu.list $(BOARD_OUT) \
	$(OUT)/test/qemu$(m) $(QEMU) $(BOARD_QEMU_FLAGS) $(subst ., ,$(m))))

.PHONY: test-board-matrix
test-board-matrix: $(BOARD_TEST_ELF) $(BOARD_FAULT_ELF) $(BOARD_ELF) ## the monitor on each CPU, number of processors and size of memory
	$(call run_all,$(BOARD_MATRIX:%=qemu%),board-matrix,1)
	@test/sum.sh total $(OUT)/test/board-matrix

board-runs: $(BOARD_TEST_ELF) $(BOARD_FAULT_ELF) $(BENCH_ELFS) $(BOARD_ELF) $(SAME)
	$(call run_all,qemu matrix,board,1)
	$(call run_more,guard,board,1)
	$(call run_more,same figures,board)

test-host: host-runs ## everything that needs no board: unit, 32-bit, memory order, object code, checks
	@test/sum.sh total $(OUT)/test/host

test-board: board-runs ## the monitor and its guests on QEMU
	@test/sum.sh total $(OUT)/test/board

# What `make test` consists of: group NAME is the goal NAME-runs, which leaves its counts in
# $(OUT)/test/NAME. Other fragments add theirs; the top Makefile puts them in order.
TEST_GROUPS := host board
