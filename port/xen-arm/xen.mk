# SPDX-License-Identifier: MIT
# The Xen backend's tests, and the run on real Xen. Included by the top Makefile after
# port/daemon/daemon.mk, which has the backend's sources, and after test/test.mk.

# Unit tests: the backend on a fake Xen in place of its libraries.
XEN_TEST_SRCS := test/xen/bench.c test/xen/fake.c test/xen/fake_store.c port/daemon/setting.c \
	$(XEN_SRCS) $(CORE_SRCS)
XEN_TESTS := backend faults parse
define xen_test
$(OUT)/daemonsan/test/xen/test_$(1): $(patsubst %.c,$(OUT)/daemonsan/%.o,test/xen/test_$(1).c $(XEN_TEST_SRCS))
	$$(if $$(Q),@echo "  LINK    $$@")
	$$(Q)$$(CC_daemonsan) $$(LDFLAGS_san) -o $$@ $$^ -lcmocka -levent_core -lconfig
RUN_xen-$(1) := $(OUT)/daemonsan/test/xen/test_$(1)
HOST_RUNS += xen-$(1)
host-runs: $(OUT)/daemonsan/test/xen/test_$(1)
endef
$(foreach t,$(XEN_TESTS),$(eval $(call xen_test,$(t))))
$(OUT)/daemonsan/test/xen/%.o: CPPFLAGS += -Iport/xen-arm

# The reader of xenstore's strings under libFuzzer, from a seed that is right.
FUZZ_XENSTORE := $(OUT)/fuzz/xenstore
$(FUZZ_XENSTORE): test/fuzz/fuzz_xenstore.c port/xen-arm/parse.c port/xen-arm/parse.h
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CLANG   $@")
	$(Q)$(CLANG) $(FUZZ_FLAGS) $(WARN_TEST) $(CPPFLAGS) -Iport/xen-arm -o $@ $(filter %.c,$^)
RUN_fuzz-xenstore := test/xen/fuzz.sh $(FUZZ_XENSTORE)
HOST_RUNS += fuzz-xenstore
host-runs: $(FUZZ_XENSTORE)
