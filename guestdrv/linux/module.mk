# SPDX-License-Identifier: MIT
# poise_guest.ko. Built in a copy of the few sources it needs, laid out as in this tree, so that the tree
# stays clean and a source package of DKMS is the same thing. Included by the top Makefile.
#
# KDIR	headers of the kernel to build for; not given: those of the arm64 Linux in $(LINUX). With it, ARCH and
#	CROSS_COMPILE are the kernel's own.
MODULE := $(OUT)/module/poise_guest.ko
MODULE_SRC := $(OUT)/module/src
MODULE_FILES := core/poise_abi.h core/poise_seq.h guestdrv/publish.h guestdrv/publish.c \
	$(addprefix guestdrv/linux/,Kbuild Makefile dkms.conf README.md compat.h judge.h poise_guest.h \
	main.c counters.c pressure.c judge.c debug.c find_pci.c find_dt.c find_xen.c)
MODULE_VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' guestdrv/linux/dkms.conf)
MODULE_CROSS := $(if $(KDIR),$(CROSS_COMPILE),$(CROSS))
MODULE_MAKE = $(if $(KDIR),$(MAKE) -C $(KDIR) $(if $(ARCH),ARCH=$(ARCH)) CROSS_COMPILE=$(CROSS_COMPILE),\
	$(LINUX_KBUILD)) $(if $(Q),-s)
# Debian ships no type information of the kernel with the headers: a remark on that is no news.
# What the kernel's build writes itself, poise_guest.mod.c, knows no flags but these: it tells no place either, or
# two builds would differ by what the linker makes of it.
MODULE_FLAGS = CONFIG_DEBUG_INFO_BTF_MODULES= KCFLAGS="$(KCFLAGS) -ffile-prefix-map=$(abspath $(OUT))/="
MODULE_MAKE += $(MODULE_FLAGS)

# $(call module_copy,DIR)
define module_copy
	$(Q)rm -rf $(1)
	$(Q)for f in $(MODULE_FILES); do install -D -m 644 $$f $(1)/$$f || exit 1; done
endef

.PHONY: module module-check
module: $(MODULE) ## poise_guest.ko for the arm64 Linux of the tests, or for KDIR=...; build/module
$(MODULE): $(MODULE_FILES) guestdrv/linux/module.mk | $(if $(KDIR),,$(LINUX_STAMP))
	$(if $(Q),@echo "  KBUILD  $@")
	$(call module_copy,$(MODULE_SRC))
	+$(Q)$(MODULE_MAKE) M=$(abspath $(MODULE_SRC)/guestdrv/linux) modules
	$(Q)$(MODULE_CROSS)strip --strip-debug -o $@ $(MODULE_SRC)/guestdrv/linux/poise_guest.ko

# The same for the newer kernel of the release.
MODULE_NEWER := $(OUT)/module/newer/poise_guest.ko
MODULE_NEWER_MAKE = $(call linux_kbuild,$(LINUX_NEWER)) $(if $(Q),-s) $(MODULE_FLAGS)
$(MODULE_NEWER): $(MODULE_FILES) guestdrv/linux/module.mk | $(LINUX_NEWER_STAMP)
	$(if $(Q),@echo "  KBUILD  $@")
	$(call module_copy,$(OUT)/module/newer/src)
	+$(Q)$(MODULE_NEWER_MAKE) M=$(abspath $(OUT)/module/newer/src/guestdrv/linux) modules
	$(Q)$(CROSS)strip --strip-debug -o $@ $(OUT)/module/newer/src/guestdrv/linux/poise_guest.ko

# Warnings of the kernel's own W=1 and more as errors; sparse: annotations and context.
RUN_module-check := test/module/check.sh $(OUT)/module/check $(MODULE_MAKE)
RUN_module-check-newer := test/module/check.sh $(OUT)/module/check-newer $(MODULE_NEWER_MAKE)
module-check: | $(if $(KDIR),,$(LINUX_NEWER_STAMP)) ## the module under more warnings, all errors, and under sparse
	$(call module_copy,$(OUT)/module/check)
	$(call module_copy,$(OUT)/module/check-newer)
	$(call run_all,module-check $(if $(KDIR),,module-check-newer),module-check)
	@test/sum.sh total $(OUT)/test/module-check
