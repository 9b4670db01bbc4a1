/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and interrupts of the guest: the virtual CPU interface of GICv3 by its system
 * registers, the virtual timer, and who is called for what. Handlers do little: the timer
 * publishes, the Poise interrupt leaves a mark that the main thread looks at.
 */
#include "guest.h"
#include "../arch.h"

_Static_assert(offsetof(struct guest_frame, x) == FRAME_X, "vectors.S expects x elsewhere");
_Static_assert(offsetof(struct guest_frame, elr) == FRAME_ELR, "vectors.S expects elr elsewhere");
_Static_assert(offsetof(struct guest_frame, spsr) == FRAME_SPSR,
	       "vectors.S expects spsr elsewhere");
_Static_assert(sizeof(struct guest_frame) == FRAME_BYTES, "vectors.S expects another size");

#define INTID_SPECIAL 1020u /* from here on: nothing to take */

void irq_fault(struct guest_frame *frame);
void irq_take(void);
_Noreturn void irq_unexpected(const char *slot, uint64_t esr, uint64_t elr, uint64_t far);

static volatile bool poise_pending;

void irq_init(void)
{
	board_sysreg_write(icc_sre_el1, 1u);
	board_isb();
	board_sysreg_write(icc_pmr_el1, 0xffu);
	board_sysreg_write(icc_igrpen1_el1, 1u);
	board_sysreg_write(cntv_ctl_el0, 0u);
	board_isb();
}

void irq_mask(void)
{
	__asm__ volatile("msr daifset, #2" ::: "memory");
}

void irq_unmask(void)
{
	__asm__ volatile("msr daifclr, #2" ::: "memory");
}

bool irq_poise_pending(void)
{
	if (!poise_pending) {
		return false;
	}
	/* Cleared before the page is read: an interrupt from here on means another look. */
	poise_pending = false;
	return true;
}

uint64_t irq_ticks(void)
{
	board_isb();
	return board_sysreg_read(cntvct_el0);
}

uint64_t irq_ticks_per_ms(void)
{
	return board_sysreg_read(cntfrq_el0) / 1000u;
}

void irq_set_timer(uint64_t ticks)
{
	board_sysreg_write(cntv_cval_el0, ticks);
	board_sysreg_write(cntv_ctl_el0, ticks == GUEST_TICK_NONE ? 0u : 1u);
	board_isb();
}

void irq_idle(uint64_t ticks)
{
	irq_mask();
	/* WFI wakes up for a masked interrupt too, so none can slip in between test and sleep. */
	if (!poise_pending && irq_ticks() < ticks) {
		if (ticks < board_sysreg_read(cntv_cval_el0)) {
			irq_set_timer(ticks);
		}
		board_wfi();
	}
	irq_unmask();
}

void irq_take(void)
{
	const uint64_t id = board_sysreg_read(icc_iar1_el1) & 0xffffffu;

	if (id >= INTID_SPECIAL) {
		return;
	}
	if (id == GUEST_IRQ_TIMER) {
		irq_set_timer(guest_timer(irq_ticks()));
	} else if (id == GUEST_IRQ_POISE) {
		poise_pending = true;
	}
	board_sysreg_write(icc_eoir1_el1, id);
	board_isb();
}

void irq_fault(struct guest_frame *frame)
{
	const uint64_t esr = board_sysreg_read(esr_el1);
	const uint64_t far = board_sysreg_read(far_el1);

	if (!mmu_window_fault(far, esr)) {
		irq_unexpected("sync", esr, frame->elr, far);
	}
}

void irq_unexpected(const char *slot, uint64_t esr, uint64_t elr, uint64_t far)
{
	console_print("unexpected exception %s esr %x elr %x far %x", slot, esr, elr, far);
	guest_exit(1);
}
