/* SPDX-License-Identifier: MIT */
/*
 * GICv3: the two private timer interrupts that EL2 takes, and the virtual CPU interface of guests.
 *
 * Each virtual interrupt has a list register of its own, so nothing is ever allocated: LR0 is the
 * virtual timer, linked to its physical interrupt (the guest's end of interrupt deactivates both,
 * and until then the still-asserted timer line cannot storm the monitor); LR1 is Poise's, set by
 * software.
 */
#include "gic.h"

#include "arch.h"
#include "board.h"
#include "hvc.h"
#include "panic.h"

#define GICD_CTLR        0x0000u
#define GICD_CTLR_NS     0x12u /* ARE, group 1 */
#define GICR_WAKER       0x0014u
#define GICR_SGI         0x10000u
#define GICR_IGROUPR0    (GICR_SGI + 0x0080u)
#define GICR_ISENABLER0  (GICR_SGI + 0x0100u)
#define GICR_ICENABLER0  (GICR_SGI + 0x0180u)
#define GICR_ISACTIVER0  (GICR_SGI + 0x0300u)
#define GICR_ICACTIVER0  (GICR_SGI + 0x0380u)
#define GICR_IPRIORITYR0 (GICR_SGI + 0x0400u)

#define LR_STATE_PENDING (UINT64_C(1) << 62)
#define LR_STATE_ACTIVE  (UINT64_C(2) << 62)
#define LR_STATE_MASK    (UINT64_C(3) << 62)
#define LR_HW            (UINT64_C(1) << 61)
#define LR_GROUP1        (UINT64_C(1) << 60)
#define LR_PRIORITY      (UINT64_C(0xa0) << 48)
#define LR_TIMER \
	(LR_HW | LR_GROUP1 | LR_PRIORITY | (uint64_t)BOARD_IRQ_VTIMER << 32 | GUEST_IRQ_TIMER)
#define LR_POISE (LR_GROUP1 | LR_PRIORITY | GUEST_IRQ_POISE)

#define OUR_IRQS (1u << BOARD_IRQ_VTIMER | 1u << BOARD_IRQ_HTIMER)

#define PFR0_GIC_SHIFT 24 /* ID_AA64PFR0_EL1: nonzero with the registers of GICv3 */

void board_gic_init(void)
{
	if ((board_sysreg_read(id_aa64pfr0_el1) >> PFR0_GIC_SHIFT & 0xfu) == 0) {
		board_panic("no GICv3; QEMU needs -M virt,gic-version=3");
	}

	/* System registers instead of the memory-mapped CPU interface, at EL2 and for EL1. */
	board_sysreg_write(icc_sre_el2, 0xfu);
	board_isb();

	board_mmio_write32(BOARD_GICD + GICD_CTLR, GICD_CTLR_NS);

	board_mmio_write32(BOARD_GICR + GICR_WAKER, 0);
	while ((board_mmio_read32(BOARD_GICR + GICR_WAKER) & 4u) != 0) {
		continue;
	}
	board_mmio_write32(BOARD_GICR + GICR_ICENABLER0, UINT32_MAX);
	board_mmio_write32(BOARD_GICR + GICR_ICACTIVER0, UINT32_MAX);
	board_mmio_write32(BOARD_GICR + GICR_IGROUPR0, UINT32_MAX);
	for (uint32_t i = 0; i < 32u; i += 4u) {
		board_mmio_write32(BOARD_GICR + GICR_IPRIORITYR0 + i, 0x80808080u);
	}
	board_mmio_write32(BOARD_GICR + GICR_ISENABLER0, OUR_IRQS);

	/* End of interrupt drops the priority only; deactivation is separate, for the linked LR. */
	board_sysreg_write(icc_ctlr_el1, 2u);
	board_sysreg_write(icc_pmr_el1, 0xffu);
	board_sysreg_write(icc_bpr1_el1, 0u);
	board_sysreg_write(icc_igrpen1_el1, 1u);
	board_sysreg_write(ich_hcr_el2, 0u);
	board_isb();
}

uint32_t board_gic_take(void)
{
	uint32_t irq = (uint32_t)board_sysreg_read(icc_iar1_el1) & 0xffffffu;
	board_dsb_sy();
	if (irq >= 1020u) {
		return BOARD_IRQ_NONE;
	}
	board_sysreg_write(icc_eoir1_el1, irq);
	board_isb();
	return irq;
}

void board_gic_done(uint32_t irq)
{
	board_sysreg_write(icc_dir_el1, irq);
	board_isb();
}

void board_vgic_reset(struct board_vgic *vgic)
{
	*vgic = (struct board_vgic){0};
}

void board_vgic_load(const struct board_vgic *vgic)
{
	board_sysreg_write(ich_vmcr_el2, vgic->vmcr);
	board_sysreg_write(ich_ap0r0_el2, vgic->ap0r0);
	board_sysreg_write(ich_ap1r0_el2, vgic->ap1r0);
	board_sysreg_write(ich_lr0_el2, vgic->timer);
	board_sysreg_write(ich_lr1_el2, vgic->poise);

	/* The timer's physical active state belongs to whoever has it in a list register. */
	bool active = (vgic->timer & LR_STATE_MASK) != 0;
	board_mmio_write32(BOARD_GICR + (active ? GICR_ISACTIVER0 : GICR_ICACTIVER0),
			   1u << BOARD_IRQ_VTIMER);
	board_dsb_sy();
	board_sysreg_write(ich_hcr_el2, 1u);
	board_isb();
}

void board_vgic_save(struct board_vgic *vgic)
{
	vgic->vmcr = board_sysreg_read(ich_vmcr_el2);
	vgic->ap0r0 = board_sysreg_read(ich_ap0r0_el2);
	vgic->ap1r0 = board_sysreg_read(ich_ap1r0_el2);
	vgic->timer = board_sysreg_read(ich_lr0_el2);
	vgic->poise = board_sysreg_read(ich_lr1_el2);
	board_sysreg_write(ich_hcr_el2, 0u);
	board_isb();

	/* Handled by the guest meanwhile: an empty register must not look like an old interrupt. */
	if ((vgic->timer & LR_STATE_MASK) == 0) {
		vgic->timer = 0;
	}
	if ((vgic->poise & LR_STATE_MASK) == 0) {
		vgic->poise = 0;
	}
}

void board_vgic_inject_timer(struct board_vgic *vgic)
{
	vgic->timer = LR_TIMER | LR_STATE_PENDING;
}

void board_vgic_inject_poise(struct board_vgic *vgic)
{
	/* While the guest still handles the last one, it becomes active and pending. */
	vgic->poise = LR_POISE | LR_STATE_PENDING | (vgic->poise & LR_STATE_ACTIVE);
}

bool board_vgic_pending(const struct board_vgic *vgic)
{
	return ((vgic->timer | vgic->poise) & LR_STATE_PENDING) != 0;
}
