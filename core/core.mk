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
	core/ledger.c \
	core/resize.c \
	core/ack.c \
	core/poise.c \
	core/check.c \
	core/err.c

CORE_HEADERS := \
	core/poise.h \
	core/poise_abi.h \
	core/poise_config.h \
	core/poise_err.def \
	core/poise_err.h \
	core/poise_port.h \
	core/poise_seq.h

GUESTDRV_SRCS := guestdrv/publish.c
