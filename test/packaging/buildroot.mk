# SPDX-License-Identifier: MIT
# Stands in for Buildroot: gives packaging/buildroot/poise/poise.mk the variables that Buildroot gives to a
# package, and runs what the package says, in Buildroot's order.
#
# SOURCE	a copy of the sources		DIR	for staging and target
# CROSS		prefix of the compiler		SYSROOT	of the machine to build for
# BR2_PACKAGE_POISE_DAEMON, BR2_PACKAGE_XEN_TOOLS	as in a configuration of Buildroot

BR2_EXTERNAL_POISE_PATH := packaging/buildroot
STAGING_DIR := $(abspath $(DIR)/staging)
TARGET_DIR := $(abspath $(DIR)/target)
TARGET_MAKE_ENV := PATH=$(PATH)
# As package/Makefile.in of Buildroot has them, without those for Fortran, D and the like.
TARGET_CONFIGURE_OPTS := AR="$(CROSS)ar" AS="$(CROSS)as" LD="$(CROSS)ld" NM="$(CROSS)nm" CC="$(CROSS)gcc" \
	GCC="$(CROSS)gcc" CPP="$(CROSS)cpp" CXX="$(CROSS)g++" RANLIB="$(CROSS)ranlib" STRIP="$(CROSS)strip" \
	CPPFLAGS="-D_LARGEFILE_SOURCE -D_LARGEFILE64_SOURCE -D_FILE_OFFSET_BITS=64" \
	CFLAGS="-D_LARGEFILE_SOURCE -D_LARGEFILE64_SOURCE -D_FILE_OFFSET_BITS=64 -Os -g0 --sysroot=$(abspath $(SYSROOT))" \
	LDFLAGS="--sysroot=$(abspath $(SYSROOT))" \
	PKG_CONFIG="pkg-config" STAGING_DIR="$(STAGING_DIR)"

# The infrastructure that the package calls at its end: here it only notes that it was called.
generic-package = generic := yes
kernel-module = kernel := yes
include packaging/buildroot/poise/poise.mk
ifneq ($(generic),yes)
$(error poise.mk does not end with generic-package)
endif

# $(@D) is the folder that Buildroot has copied the sources to.
.PHONY: build
build: $(SOURCE)/.stamp_built
$(SOURCE)/.stamp_built: FORCE
	$(POISE_BUILD_CMDS)
	$(POISE_INSTALL_STAGING_CMDS)
	$(POISE_INSTALL_TARGET_CMDS)
FORCE:
