/* SPDX-License-Identifier: MIT */
/* GICv3: the monitor's own two interrupts, and the virtual CPU interface of guests. */
#ifndef BOARD_GIC_H
#define BOARD_GIC_H

#include <stdbool.h>
#include <stdint.h>

#define BOARD_IRQ_VTIMER 27u /* CNTV: belongs to the running guest */
#define BOARD_IRQ_HTIMER 26u /* CNTHP: the monitor's own */
#define BOARD_IRQ_NONE   1023u

/* The virtual CPU interface of one VM; each virtual interrupt owns one list register. */
struct board_vgic {
	uint64_t timer; /* ICH_LR0_EL2, linked to the physical timer interrupt */
	uint64_t poise; /* ICH_LR1_EL2, software only */
	uint64_t vmcr;
	uint64_t ap0r0;
	uint64_t ap1r0;
};

void board_gic_init(void);
/* Returns: the interrupt taken, priority dropped but still active, or BOARD_IRQ_NONE. */
uint32_t board_gic_take(void);
/* Deactivates an interrupt that board_gic_take returned. */
void board_gic_done(uint32_t irq);
void board_vgic_reset(struct board_vgic *vgic);
void board_vgic_load(const struct board_vgic *vgic);
void board_vgic_save(struct board_vgic *vgic);
/* Make an interrupt pending in a VM that is not loaded. */
void board_vgic_inject_timer(struct board_vgic *vgic);
void board_vgic_inject_poise(struct board_vgic *vgic);
/* Returns: whether the VM has an interrupt to wake up for. */
bool board_vgic_pending(const struct board_vgic *vgic);

#endif
