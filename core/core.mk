# SPDX-License-Identifier: MIT
# The sources and public headers of core and guest driver, and nothing else, so that other build
# systems can include this file. Paths are relative to the top of the tree.

CORE_SRCS := \
	core/page.c \
	core/sample.c \
	core/forecast.c \
	core/plan.c \
	core/plan_paper.c \
	core/plan_poise.c \
	core/share.c \
	core/ledger.c \
	core/resize.c \
	core/ack.c \
	core/engine.c \
	core/config.c \
	core/vm.c \
	core/tick.c \
	core/check.c \
	core/err.c \
	core/names.c

# What a hypervisor links only if it calls it, as each is a file of its own.
CORE_EXTRA_SRCS := \
	core/export.c

CORE_HEADERS := \
	core/poise.h \
	core/poise_abi.h \
	core/poise_bases.def \
	core/poise_config.h \
	core/poise_err.def \
	core/poise_err.h \
	core/poise_event.h \
	core/poise_events.def \
	core/poise_names.h \
	core/poise_policies.def \
	core/poise_port.h \
	core/poise_rules.def \
	core/poise_saved.def \
	core/poise_seq.h \
	core/poise_state.h \
	core/poise_states.def \
	core/poise_tunables.def

GUESTDRV_SRCS := guestdrv/publish.c
