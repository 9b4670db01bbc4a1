# SPDX-License-Identifier: MIT
# What of `make test-host` runs on this machine. Included by the top Makefile after all that adds to it.
#
# Where set-up installs what is missing, everything runs. Elsewhere (another system, or SETUP=no) a run whose
# TOOLS are not there is skipped by name, and says what it lacks.

HOST_LACKS := $(if $(filter test test-host host-skips,$(GOALS)),$(shell SETUP='$(SETUP)' CC='$(CC)' \
	test/setup.sh --lacks $(sort $(foreach r,$(HOST_RUNS),$(TOOLS_$(r))))))
host_lacks = $(filter $(HOST_LACKS),$(TOOLS_$(1)))
HOST_SKIPS := $(foreach r,$(HOST_RUNS),$(if $(call host_lacks,$(r)),$(r)))

$(foreach r,$(HOST_SKIPS),$(eval RUN_$(r) := echo SKIP: $(r): this machine lacks $(call host_lacks,$(r))))
host-runs: $(foreach r,$(filter-out $(HOST_SKIPS),$(HOST_RUNS)),$(NEEDS_$(r)))

.PHONY: host-skips
host-skips: ## what test-host would skip on this machine, where nothing is installed by set-up
	@$(foreach r,$(HOST_SKIPS),$(RUN_$(r));) :
