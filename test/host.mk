# SPDX-License-Identifier: MIT
# What of `make test-host` runs on this machine. Included by the top Makefile after all that adds to it.
#
# Where set-up installs what is missing, everything runs. Elsewhere (another system, or SETUP=no) a run whose
# TOOLS are not there is skipped by name, and says what it lacks, in which package of Debian that is (test/packages),
# and which variable names another one.

$(foreach r,$(HOST_RUNS),$(eval NEEDS_$(r) ?=)$(eval TOOLS_$(r) ?=))
HOST_LACKS := $(if $(filter test test-host host-skips,$(GOALS)),$(shell SETUP='$(SETUP)' CC='$(CC)' \
	test/setup.sh --lacks $(sort $(foreach r,$(HOST_RUNS),$(TOOLS_$(r))))))
host_lacks = $(filter $(HOST_LACKS),$(TOOLS_$(1)))
HOST_SKIPS := $(foreach r,$(HOST_RUNS),$(if $(call host_lacks,$(r)),$(r)))

# Compilers look for headers in CPATH too.
comma := ,
host_variable = $(firstword $(foreach v,CLANG CXX ARM_CC QEMU_ARM PKG_CONFIG,$(if $(filter $(1),$($(v))),$(v))) \
	$(if $(filter $(CROSS)%,$(1)),CROSS) $(if $(filter %.h,$(1)),CPATH) $(if $(filter %/newlib-,$(1)),NEWLIB_TAR))
host_package = $(shell awk -F'\t' -v sign='$(1)' '!/^\#/ && (NF > 4 ? $$5 : $$1) == sign { print $$1; exit }' test/packages)
host_where = $(patsubst %,$(comma) package %,$(call host_package,$(1)))$(patsubst %,$(comma) or set %,$(call host_variable,$(1)))
$(foreach t,$(HOST_LACKS),$(eval LACK_$(t) := $(t)$(call host_where,$(t));))
$(foreach r,$(HOST_SKIPS),$(eval RUN_$(r) := echo "SKIP: $(r): this machine lacks $(foreach t,$(call host_lacks,$(r)),$(LACK_$(t)))"))
host-runs: $(foreach r,$(filter-out $(HOST_SKIPS),$(HOST_RUNS)),$(NEEDS_$(r)))

.PHONY: host-skips
host-skips: ## what test-host would skip on this machine, where nothing is installed by set-up
	@$(foreach r,$(HOST_SKIPS),$(RUN_$(r));) :
