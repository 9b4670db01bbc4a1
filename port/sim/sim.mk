# SPDX-License-Identifier: MIT
# poise-sim and its tests. Included by the top Makefile after its rule for objects. The simulator has
# the core with its largest table of VMs, so its objects are flavours of their own.
#	sim	poise-sim
#	simsan	the same under the sanitizers: unit tests

SIM_POLICY_SRCS := \
	port/sim/policy/equal.c \
	port/sim/policy/naive.c \
	port/sim/policy/autoballoon.c \
	port/sim/policy/proxmox.c \
	port/sim/policy/mom.c \
	port/sim/policy/squeezed.c \
	port/sim/policy/qmemman.c \
	port/sim/policy/esx.c \
	port/sim/policy/hyperv.c \
	port/sim/policy/chromeos.c \
	port/sim/policy/vmmms.c \
	port/sim/policy/vmmms_ages.c \
	port/sim/policy/vmmms_blocker.c \
	port/sim/policy/selfballoon.c \
	port/sim/policy/qemuspi.c \
	port/sim/policy/hypeman.c \
	port/sim/policy/senpai.c \
	port/sim/policy/counters.c \
	port/sim/policy/dirty.c \
	port/sim/policy/accessed.c \
	port/sim/policy/sampled.c \
	port/sim/policy/cagma.c \
	port/sim/policy/share.c \
	port/sim/policy/oracle.c \
	port/sim/policy/oracle_ahead.c \
	port/sim/policy/proportional.c

# All but the command line: what unit tests are linked with.
SIM_SRCS := \
	port/sim/machine.c \
	port/sim/batch.c \
	port/sim/books.c \
	port/sim/core.c \
	port/sim/device.c \
	port/sim/estimate.c \
	port/sim/event.c \
	port/sim/guest.c \
	port/sim/host.c \
	port/sim/load.c \
	port/sim/load_sum.c \
	port/sim/loop.c \
	port/sim/lru.c \
	port/sim/manners.c \
	port/sim/meter.c \
	port/sim/option.c \
	port/sim/pages.c \
	port/sim/player.c \
	port/sim/policies.c \
	port/sim/predict.c \
	port/sim/report.c \
	port/sim/rival.c \
	port/sim/run.c \
	port/sim/scenario.c \
	port/sim/scenario_load.c \
	port/sim/scenario_event.c \
	port/sim/scenario_vm.c \
	port/sim/series.c \
	port/sim/sigma.c \
	port/sim/summary.c \
	port/sim/synth.c \
	port/sim/touch.c \
	port/sim/trace.c \
	port/sim/truth.c \
	port/sim/validate.c \
	$(SIM_POLICY_SRCS) \
	port/record/record.c \
	port/record/reader.c \
	port/record/replay.c \
	port/common/setting.c \
	port/common/text.c \
	$(GUEST_KERNEL_SRCS) \
	$(GUESTDRV_SRCS) \
	$(CORE_SRCS) $(CORE_EXTRA_SRCS)

SIM_CLI_SRCS := \
	port/sim/cli.c \
	port/sim/cli_study.c \
	port/sim/cmd_compare.c \
	port/sim/cmd_estimate.c \
	port/sim/cmd_lru.c \
	port/sim/cmd_predict.c \
	port/sim/cmd_replay.c \
	port/sim/cmd_run.c \
	port/sim/cmd_series.c \
	port/sim/cmd_sigma.c \
	port/sim/cmd_validate.c \
	port/sim/cmd_workloads.c \
	port/sim/main.c \
	port/sim/output.c

# Unit tests: test/unit/test_NAME.c.
SIM_TESTS := \
	sim_faults_balloon \
	sim_faults_host \
	sim_faults_page \
	sim_guest \
	sim_lru \
	sim_oracle \
	sim_parts \
	sim_predict \
	sim_readers \
	sim_rivals_demand \
	sim_rivals_events \
	sim_rivals_host \
	sim_rivals_probe \
	sim_rivals_rules \
	sim_rivals_shares \
	sim_run \
	sim_seeds \
	sim_studies \
	sim_summary

# No fused multiply and add: equal results on every machine.
SIM_CFLAGS := -ffp-contract=off -DPOISE_VM_MAX=64 -D_DEFAULT_SOURCE -Iboard/guest -Iport/record -Iport/sim
CC_sim := $(CC)
CFLAGS_sim = $(PROGRAM_CFLAGS) $(SIM_CFLAGS) $(call pkg_cflags,poise-sim,$(SIM_PACKAGES)) $(USER_CFLAGS)
LINK_sim = $(CC) $(PROGRAM_LDFLAGS) $(USER_LDFLAGS)
CC_simsan := $(CC)
CFLAGS_simsan := $(CFLAGS_san) $(SIM_CFLAGS)
$(foreach f,sim simsan,$(eval $(call flavour,$(f))))

SIM := $(OUT)/host/poise-sim
SIM_PACKAGES := libconfig jansson
SIM_LIBS = $(call pkg_libs,poise-sim,$(SIM_PACKAGES)) -lm

$(SIM): $(call objects,sim,$(SIM_CLI_SRCS) $(SIM_SRCS))
	$(if $(Q),@echo "  LINK    $@")
	@mkdir -p $(@D)
	$(Q)$(LINK_sim) -o $@ $^ $(SIM_LIBS)

define sim_test
$(OUT)/simsan/test/unit/test_$(1): $(call objects,simsan,test/unit/test_$(1).c $(SIM_SRCS))
	$$(if $$(Q),@echo "  LINK    $$@")
	$$(Q)$$(CC_simsan) $$(LDFLAGS_san) -o $$@ $$^ $$(LIBS_san) $$(SIM_LIBS)
$(call unit_run,unit-$(1),$(OUT)/simsan/test/unit/test_$(1),cmocka.h $(SIM_TOOLS))
endef
# Headers that are not everywhere.
SIM_TOOLS := $(firstword $(PKG_CONFIG)) libconfig.h jansson.h
$(foreach t,$(SIM_TESTS),$(eval $(call sim_test,$(t))))
HOST_RUNS += $(SIM_TESTS:%=unit-%)

# Every call of the port fails once in every way. Optimised and without sanitizers, as these are
# thousands of runs; the unit tests play each kind of fault under the sanitizers.
SIM_CALLS := $(OUT)/sim/test/fault/test_sim_calls
$(SIM_CALLS): $(call objects,sim,test/fault/test_sim_calls.c $(SIM_SRCS))
	$(if $(Q),@echo "  LINK    $@")
	$(Q)$(LINK_sim) -o $@ $^ -lcmocka $(SIM_LIBS)
RUN_fault-sim := $(SIM_CALLS)
HOST_RUNS += fault-sim
NEEDS_fault-sim := $(SIM_CALLS)
TOOLS_fault-sim := cmocka.h $(SIM_TOOLS)

# The readers under libFuzzer; longer by hand, as for the other targets.
FUZZ_READERS := $(OUT)/fuzz/readers
$(FUZZ_READERS): test/fuzz/fuzz_readers.c $(SIM_SRCS) $(wildcard port/sim/*.h port/common/*.h port/record/*.h core/*.h core/*.def)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CLANG   $@")
	$(Q)$(CLANG) $(FUZZ_FLAGS) $(WARN_TEST) $(INCLUDES) $(SIM_CFLAGS) -o $@ \
		$(filter %.c,$^) $(SIM_LIBS)
PLOT := port/sim/plot/plot.sh
SIM_RUNS := sim-cli sim-model sim-studies sim-reference sim-plot sim-tables circles-sim recordings recordings-hostile
$(foreach r,$(SIM_RUNS),$(eval NEEDS_$(r) := $(SIM))$(eval TOOLS_$(r) := $(SIM_TOOLS) python3))
TOOLS_sim-plot += gnuplot
NEEDS_fuzz-readers := $(FUZZ_READERS)
TOOLS_fuzz-readers := $(CLANG) $(SIM_TOOLS)
HOST_RUNS += $(SIM_RUNS) fuzz-readers
SIM_TABLES := validate compare turns workloads forecast sigma estimate importance cagma lru
RUN_sim-tables := test/sim/tables.sh check $(SIM) $(SIM_TABLES)
RUN_sim-cli := test/sim/cli.sh $(SIM)
RUN_sim-model := test/sim/model.py $(SIM)
RUN_sim-studies := test/sim/studies.sh $(SIM)
RUN_sim-reference := test/sim/reference.py $(SIM)
RUN_sim-plot := test/sim/plot.sh $(SIM) $(PLOT)
RUN_circles-sim := test/circles.py $(OUT)/sim $(call objects,sim,$(SIM_CLI_SRCS) $(SIM_SRCS))
RUN_fuzz-readers := test/fuzz/readers.sh $(FUZZ_READERS)

# Figures; of recordings too, if there are any of the last runs.
.PHONY: sim compare plot
plot: $(SIM) ## SVG figures of the studies and of the last runs' recordings, in build/plot
	@POLICIES='$(POLICIES)' $(PLOT) $(SIM) $(OUT)/plot $(OUT)/run/*.txt

compare: $(SIM) ## all policies over all scenarios of test/scenario, and all tables in port/sim/*.md
	$(Q)test/sim/tables.sh write $(SIM) $(SIM_TABLES)

sim: $(SIM) ## poise-sim, the simulated hypervisor
all: sim

# Recordings made under three hypervisors are replayed here.
RUN_recordings := test/recordings/replay.sh $(SIM)
RUN_recordings-hostile := test/recordings/hostile.py $(SIM)
