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
