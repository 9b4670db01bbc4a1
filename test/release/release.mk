# SPDX-License-Identifier: MIT
# The README's commands on another release of Debian. Included by the top Makefile.
#
# RELEASE	its code name		THERE	the goals that are made there
RELEASE ?=
THERE ?= run test-host

.PHONY: test-release
test-release: ## the README's commands in a minimal Debian of another release: RELEASE=trixie
	@test/release/run.sh '$(RELEASE)' $(OUT)/release $(THERE)
