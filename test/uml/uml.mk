# SPDX-License-Identifier: MIT
# The lab: real guests of User-Mode Linux under poised, as any user. Included by the top Makefile after
# port/daemon/daemon.mk, port/sim/sim.mk and guestdrv/agent/agent.mk.

RUN_lab := test/uml/run.py $(OUT)/test/lab $(POISED) $(POISECTL) $(AGENT) $(SIM)
NEEDS_lab := $(POISED) $(POISECTL) $(AGENT) $(SIM)
TOOLS_lab := $(DAEMON_TOOLS) $(SIM_TOOLS) linux.uml python3
HOST_RUNS += lab

.PHONY: lab-short
lab-short: $(NEEDS_lab) ## two real kernels (User-Mode Linux) under poised, and what goes wrong: two minutes
	@$(RUN_lab)
