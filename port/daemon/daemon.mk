# SPDX-License-Identifier: MIT
# poised, poisectl, their tests. Included by the top Makefile after its rule for objects and after
# test/linux/linux.mk. Objects are of flavours of their own:
#	daemon		for this machine
#	daemonarm64	for the arm64 Linux of test/linux
#	daemonsan	this machine's, under the sanitizers: unit tests

DAEMON_SRCS := \
	port/daemon/backends.c \
	port/daemon/change.c \
	port/daemon/clock.c \
	port/daemon/conf.c \
	port/daemon/control.c \
	port/daemon/daemon.c \
	port/daemon/history.c \
	port/daemon/interval.c \
	port/daemon/log.c \
	port/daemon/metrics.c \
	port/daemon/notify.c \
	port/daemon/pool.c \
	port/daemon/port.c \
	port/daemon/recording.c \
	port/daemon/service.c \
	port/daemon/sink.c \
	port/daemon/source.c \
	port/daemon/state.c \
	port/daemon/status.c \
	port/daemon/vms.c \
	port/daemon/words.c \
	port/record/record.c \
	port/common/pagefile.c \
	port/common/port_kit.c \
	port/common/proc.c \
	port/common/setting.c \
	port/common/text.c \
	$(CORE_SRCS) $(CORE_EXTRA_SRCS)

KVM_SRCS := \
	port/kvm-arm64/kvm.c \
	port/kvm-arm64/life.c \
	port/kvm-arm64/link.c \
	port/kvm-arm64/qmp.c \
	port/kvm-arm64/stats.c \
	port/kvm-arm64/talk.c \
	port/kvm-arm64/vm.c \
	$(GUESTDRV_SRCS)

UML_SRCS := $(wildcard port/uml/*.c)

XEN_SRCS := $(wildcard port/xen-arm/*.c)
# Of these libfdt has no pkg-config file in every distribution.
XEN_PACKAGES := xencontrol xenstore xengnttab xenevtchn xentoollog
XEN_LIBS := -lxenctrl -lxenstore -lxengnttab -lxenevtchn -lxentoollog -lfdt

POISECTL_SRCS := port/daemon/ctl.c port/daemon/poisectl.c port/daemon/top.c

# XEN: with Xen's backend (yes), without (no), or as its libraries are there for CC (auto). KVM's backend needs
# nothing beyond the daemon's own.
XEN ?= auto
ifeq ($(filter auto yes no,$(XEN)),)
$(error XEN is auto, yes or no, not $(XEN))
endif
XEN_MISSING = $(if $(call pkg_missing,$(XEN_PACKAGES)),$(call pkg_missing,$(XEN_PACKAGES)),$(call no_header,libfdt.h))
XEN_HERE = $(eval XEN_HERE := $(if $(filter no,$(XEN)),,$(call xen_found,$(strip $(XEN_MISSING)))))$(XEN_HERE)
xen_found = $(if $(1),$(if $(filter yes,$(XEN)),$(error XEN=yes, but $(PKG_CONFIG) or $(CC) does not find: $(1))),yes)

DAEMON_CFLAGS := -D_GNU_SOURCE -Iport/daemon -Iport/kvm-arm64 -Iport/uml -DPOISED_KVM -DPOISED_UML
DAEMON_PACKAGES := libevent_core jansson libconfig
DAEMON_LIBS := -levent_core -ljansson -lconfig
# With what is found for CC.
DAEMON_HERE_CFLAGS = $(DAEMON_CFLAGS) $(call pkg_cflags,poised,$(DAEMON_PACKAGES)) \
	$(if $(XEN_HERE),-DPOISED_XEN $(call pkg_cflags,xen,$(XEN_PACKAGES)))
DAEMON_HERE_LIBS = $(call pkg_libs,poised,$(DAEMON_PACKAGES)) \
	$(if $(XEN_HERE),$(call pkg_libs,xen,$(XEN_PACKAGES)) -lfdt)

CC_daemon := $(CC)
CFLAGS_daemon = $(PROGRAM_CFLAGS) $(DAEMON_HERE_CFLAGS) $(USER_CFLAGS)
LINK_daemon = $(CC) $(PROGRAM_LDFLAGS) $(USER_LDFLAGS)
CC_daemonsan := $(CC)
CFLAGS_daemonsan = $(CFLAGS_san) $(DAEMON_HERE_CFLAGS)
CC_daemonarm64 := $(LINUX_CC)
CFLAGS_daemonarm64 = $(PROGRAM_CFLAGS) $(LINUX_CFLAGS) $(DAEMON_CFLAGS) -DPOISED_XEN $(TARGET_USER_CFLAGS)
LINK_daemonarm64 = $(LINUX_CC) $(LINUX_CFLAGS) $(PROGRAM_LDFLAGS) $(TARGET_USER_LDFLAGS)
$(foreach f,daemon daemonsan daemonarm64,$(eval $(call flavour,$(f))))

DAEMON_ALL = $(DAEMON_SRCS) $(KVM_SRCS) $(UML_SRCS) $(if $(XEN_HERE),$(XEN_SRCS))
DAEMON_ARM64_ALL := $(DAEMON_SRCS) $(KVM_SRCS) $(UML_SRCS) $(XEN_SRCS)

POISED := $(OUT)/host/poised
POISECTL := $(OUT)/host/poisectl
POISED_ARM64 := $(OUT)/linux-arm64/poised
POISECTL_ARM64 := $(OUT)/linux-arm64/poisectl

define daemon_link
	$(if $(Q),@echo "  LINK    $@")
	@mkdir -p $(@D)
	$(Q)$(1) -o $@ $(filter %.o,$^) $(2)
endef

$(POISED): $(call objects,daemon,port/daemon/main.c $(DAEMON_ALL))
	$(call daemon_link,$(LINK_daemon),$(DAEMON_HERE_LIBS))
$(POISECTL): $(call objects,daemon,$(POISECTL_SRCS))
	$(call daemon_link,$(LINK_daemon),$(call pkg_libs,poisectl,jansson))

$(call objects,daemonarm64,port/daemon/main.c $(DAEMON_ARM64_ALL) $(POISECTL_SRCS)): | $(LINUX_STAMP)
$(POISED_ARM64): $(call objects,daemonarm64,port/daemon/main.c $(DAEMON_ARM64_ALL))
	$(call daemon_link,$(LINK_daemonarm64),$(DAEMON_LIBS) $(XEN_LIBS))
$(POISECTL_ARM64): $(call objects,daemonarm64,$(POISECTL_SRCS))
	$(call daemon_link,$(LINK_daemonarm64),-ljansson)

.PHONY: daemon daemon-arm64
daemon: $(POISED) $(POISECTL) ## poised and poisectl for this machine, or for CROSS_COMPILE=... or CC=...
daemon-arm64: $(POISED_ARM64) $(POISECTL_ARM64) ## the same for arm64 Linux, in build/linux-arm64

# --- tests ---

# The daemon under the sanitizers against played QEMUs.
POISED_SAN := $(OUT)/daemonsan/poised
$(POISED_SAN): $(call objects,daemonsan,port/daemon/main.c $(DAEMON_ALL))
	$(call daemon_link,$(CC) $(LDFLAGS_san),$(DAEMON_HERE_LIBS))

# Unit tests: test/daemon/test_NAME.c. test_daemon brings a backend and a clock of its own.
DAEMON_TEST_SRCS_daemon := test/daemon/fake.c port/record/reader.c port/record/replay.c $(GUESTDRV_SRCS) \
	$(filter-out port/daemon/backends.c port/daemon/clock.c,$(DAEMON_SRCS))
DAEMON_TEST_SRCS_kvm := $(KVM_SRCS) $(UML_SRCS) $(DAEMON_SRCS) $(if $(XEN_HERE),$(XEN_SRCS))
DAEMON_TEST_SRCS_uml = $(DAEMON_TEST_SRCS_kvm)
define daemon_test
$(OUT)/daemonsan/test/daemon/test_$(1): $(call objects,daemonsan,test/daemon/test_$(1).c $(DAEMON_TEST_SRCS_$(1)))
	$$(call daemon_link,$$(CC) $$(LDFLAGS_san),$$(LIBS_san) $$(DAEMON_HERE_LIBS))
$(call unit_run,daemon-$(1),$(OUT)/daemonsan/test/daemon/test_$(1),cmocka.h $(DAEMON_TOOLS))
HOST_RUNS += daemon-$(1)
endef
DAEMON_TOOLS := $(firstword $(PKG_CONFIG)) event2/event.h libconfig.h jansson.h
$(foreach t,daemon kvm uml,$(eval $(call daemon_test,$(t))))

# What RUN_daemon does: each fault and each service is a test of its own in test/daemon.
RUN_daemon := test/daemon/run.py $(POISED_SAN) $(POISECTL) $(SIM)
RUN_circles-daemon := test/circles.py $(OUT)/daemon $(call objects,daemon,port/daemon/main.c $(DAEMON_ALL))
HOST_RUNS += daemon circles-daemon
NEEDS_daemon := $(POISED_SAN) $(POISECTL) $(SIM)
TOOLS_daemon := $(DAEMON_TOOLS) python3
NEEDS_circles-daemon := $(POISED)
TOOLS_circles-daemon := $(TOOLS_daemon)

# All of its readers under libFuzzer; those of UML's consoles are a target of their own.
FUZZ_DAEMON := $(OUT)/fuzz/daemon
FUZZ_UML := $(OUT)/fuzz/uml
$(FUZZ_DAEMON): test/daemon/fuzz_daemon.c
$(FUZZ_UML): test/daemon/fuzz_uml.c
$(FUZZ_DAEMON) $(FUZZ_UML): $(DAEMON_SRCS) $(KVM_SRCS) $(UML_SRCS) \
		$(wildcard port/daemon/*.h port/kvm-arm64/*.h port/uml/*.h port/common/*.h core/*.h core/*.def)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CLANG   $@")
	$(Q)$(CLANG) $(FUZZ_FLAGS) $(WARN_TEST) $(INCLUDES) $(DAEMON_CFLAGS) -o $@ \
		$(filter %.c,$^) $(DAEMON_LIBS)
RUN_fuzz-daemon := test/daemon/fuzz.sh daemon $(FUZZ_DAEMON)
RUN_fuzz-uml := test/daemon/fuzz.sh uml $(FUZZ_UML)
HOST_RUNS += fuzz-daemon fuzz-uml
NEEDS_fuzz-daemon := $(FUZZ_DAEMON)
NEEDS_fuzz-uml := $(FUZZ_UML)
TOOLS_fuzz-daemon := $(CLANG) $(DAEMON_TOOLS)
TOOLS_fuzz-uml := $(CLANG) $(DAEMON_TOOLS)
