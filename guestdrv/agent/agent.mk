# SPDX-License-Identifier: MIT
# poise-agent, the guest's driver in user space: static, for this machine and for the arm64 Linux of
# test/linux. Included by the top Makefile after test/linux/linux.mk.

AGENT_SRCS := guestdrv/agent/counters.c guestdrv/agent/main.c
AGENT := $(OUT)/host/poise-agent
AGENT_ARM64 := $(OUT)/linux-arm64/poise-agent
AGENT_CFLAGS := -static -O2 -g -D_GNU_SOURCE $(WARN) -Icore -Iguestdrv

$(AGENT): $(AGENT_SRCS) $(GUESTDRV_SRCS) $(wildcard core/poise*.h guestdrv/*.h guestdrv/agent/*.h)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $@")
	$(Q)$(CC) $(AGENT_CFLAGS) $(USER_CFLAGS) -o $@ $(filter %.c,$^) $(USER_LDFLAGS)
$(AGENT_ARM64): $(AGENT_SRCS) $(GUESTDRV_SRCS) $(wildcard core/poise*.h guestdrv/*.h guestdrv/agent/*.h) | $(LINUX_STAMP)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $@")
	$(Q)$(LINUX_CC) $(LINUX_CFLAGS) $(AGENT_CFLAGS) -o $@ $(filter %.c,$^)

.PHONY: agent agent-arm64
agent: $(AGENT) ## the guest's driver in user space, for this machine
agent-arm64: $(AGENT_ARM64) ## the same for arm64 Linux, in build/linux-arm64

RUN_agent := test/agent/test.py $(AGENT)
HOST_RUNS += agent
NEEDS_agent := $(AGENT)
TOOLS_agent := $(CC) python3
