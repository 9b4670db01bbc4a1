/* SPDX-License-Identifier: MIT */
/*
 * What took the CPU away from a guest, and what becomes of it: interrupts, demand population,
 * waiting, hypercalls. Everything that is not foreseen is the guest's own fault: either it gets an
 * undefined instruction exception, as on hardware without the feature, or it dies.
 */
#include "trap.h"

#include "context.h"
#include "frame.h"
#include "hypercall.h"
#include "memory.h"
#include "panic.h"
#include "timer.h"

/* Exception classes of ESR_EL2. */
#define EC_WFX         0x01u
#define EC_FP          0x07u
#define EC_HVC64       0x16u
#define EC_SMC64       0x17u
#define EC_SYSREG      0x18u
#define EC_INSTRUCTION 0x20u
#define EC_DATA        0x24u

#define FSC_MASK        0x3cu
#define FSC_TRANSLATION 0x04u
#define FSC_PERMISSION  0x0cu

#define TIMER_ENABLED 1u
#define TIMER_MASKED  2u

static void interrupt(struct board_vm *vm)
{
	uint32_t irq = board_gic_take();

	if (irq == BOARD_IRQ_VTIMER) {
		/* Stays active until the guest is done with it: the list register is linked to it.
		 */
		board_context_save();
		board_vgic_inject_timer(&vm->vgic);
	} else if (irq == BOARD_IRQ_HTIMER) {
		board_timer_set(UINT64_MAX);
		board_gic_done(irq);
	} else if (irq != BOARD_IRQ_NONE) {
		board_panic("interrupt %u that nobody enabled", (unsigned)irq);
	}
}

/* Sleeps until the guest's own timer, unless there is something to do already. */
static void wait(struct board_vm *vm)
{
	board_context_save();
	vm->frame.pc += 4u;
	if (board_vgic_pending(&vm->vgic)) {
		return;
	}
	vm->wake_ns = UINT64_MAX;
	if ((vm->el1.cntv_ctl & (TIMER_ENABLED | TIMER_MASKED)) == TIMER_ENABLED) {
		/* A deadline past the end of the counter never comes. */
		uint64_t due = vm->el1.cntv_cval + vm->offset_ticks;
		if (due >= vm->el1.cntv_cval && due < UINT64_MAX >> 8) {
			vm->wake_ns = board_timer_ticks_to_ns(due) + 1u;
		}
	}
	vm->state = BOARD_VM_IDLE;
}

/* An access that stage 2 did not let through. */
static void abort_stage2(struct board_vm *vm, uint64_t esr)
{
	uint64_t far = board_sysreg_read(far_el2);
	uint64_t hpfar = board_sysreg_read(hpfar_el2);
	uint64_t code = esr & FSC_MASK;

	if (code != FSC_TRANSLATION && code != FSC_PERMISSION) {
		/* HPFAR_EL2 means nothing here, for example after an external abort. */
		board_vm_fault(vm, "abort", esr, far, 0);
		return;
	}

	uint64_t page_ipa = (hpfar & ~UINT64_C(15)) << 8;
	uint64_t ipa = page_ipa | (far & (BOARD_PAGE_BYTES - 1u));
	if (!board_memory_range(vm, page_ipa, 1)) {
		board_vm_fault(vm, "outside its memory", esr, far, ipa);
	} else if (code == FSC_PERMISSION) {
		board_vm_fault(vm, "write to the host page", esr, far, ipa);
	} else if (board_memory_page(vm, page_ipa) == 0) {
		board_vm_fault(vm, "touched a page in the balloon", esr, far, ipa);
	}
}

static void synchronous(struct board_vm *vm)
{
	uint64_t esr = board_sysreg_read(esr_el2);

	switch (esr >> 26 & 63u) {
	case EC_WFX:
		if ((esr & 1u) == 0) {
			wait(vm);
		} else {
			vm->frame.pc += 4u;
		}
		break;
	case EC_HVC64:
		board_hvc(vm, (uint32_t)esr & 0xffffu);
		break;
	case EC_SMC64:
		/* There is no firmware for guests. */
		vm->frame.x[0] = (uint64_t)(int64_t)HVC_NOT_SUPPORTED;
		vm->frame.pc += 4u;
		break;
	case EC_FP:
	case EC_SYSREG:
		board_context_undefined(vm);
		break;
	case EC_INSTRUCTION:
	case EC_DATA:
		abort_stage2(vm, esr);
		break;
	default:
		board_vm_fault(vm, "unforeseen trap", esr, board_sysreg_read(far_el2), 0);
		break;
	}
}

void board_trap(struct board_vm *vm, int reason)
{
	switch (reason) {
	case EXIT_SYNC:
		synchronous(vm);
		break;
	case EXIT_IRQ:
		interrupt(vm);
		break;
	case EXIT_SERROR:
		board_vm_fault(vm, "SError", board_sysreg_read(esr_el2), 0, 0);
		break;
	default:
		board_panic("FIQ, but every interrupt is in group 1");
	}
}
