# SPDX-License-Identifier: MIT
# Packages, licences, bill of materials. Included by the top Makefile.

PACKAGING := $(OUT)/packaging

.PHONY: deb sbom packages-runs test-packages
deb: ## Debian packages of library, daemon and guest module, in build/packaging/deb
	packaging/deb.sh $(PACKAGING)/deb $(OUT)
	@ls $(PACKAGING)/deb/*.deb

sbom: ## bill of materials of the sources (SPDX), in build/sbom.spdx
	@packaging/sbom.sh $(PACKAGING)/sbom $(OUT)
	@echo "sbom: $(OUT)/sbom.spdx"

# --- tests ---

RUN_licences := test/packaging/licences.sh $(PACKAGING)/licences $(OUT)
HOST_RUNS += licences
TOOLS_licences := reuse

RUN_deb := test/packaging/deb.sh $(PACKAGING)/deb-test $(OUT) $(MAKE)
RUN_cross := test/packaging/cross.sh $(PACKAGING)/cross $(OUT) $(MAKE) $(CROSS) $(LINUX_SYSROOT)
PACKAGES_RUNS := deb cross
packages-runs: $(LINUX_STAMP)
	$(call run_all,$(PACKAGES_RUNS),packages)

test-packages: packages-runs ## Debian packages, Buildroot package, Yocto recipe
	@test/sum.sh total $(OUT)/test/packages
TEST_GROUPS += packages
