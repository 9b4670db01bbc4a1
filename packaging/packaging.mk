# SPDX-License-Identifier: MIT
# Packages, licences, bill of materials. Included by the top Makefile.

PACKAGING := $(OUT)/packaging

.PHONY: sbom
sbom: ## bill of materials of the sources (SPDX), in build/sbom.spdx
	@packaging/sbom.sh $(PACKAGING)/sbom $(OUT)
	@echo "sbom: $(OUT)/sbom.spdx"

RUN_licences := test/packaging/licences.sh $(PACKAGING)/licences $(OUT)
HOST_RUNS += licences
