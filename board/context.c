/* SPDX-License-Identifier: MIT */
/*
 * Which VM's registers are in the CPU. General registers are switched on every way in and out by
 * vectors.S; everything here changes hands only when another VM gets the CPU. Also what a guest may
 * do with the machine: the trap controls, set once for all.
 */
#include "context.h"

#include "frame.h"

#define FRAME_AT(field, offset) \
	_Static_assert(offsetof(struct board_frame, field) == (offset), "frame.h has drifted")
FRAME_AT(x, FRAME_X);
FRAME_AT(pc, FRAME_PC);
FRAME_AT(pstate, FRAME_PSTATE);
_Static_assert(sizeof(struct board_frame) == FRAME_BYTES, "frame.h has drifted");
_Static_assert(offsetof(struct board_vm, frame) == 0, "vectors.S takes the VM for its frame");

/*
 * HCR_EL2: stage 2 on; set/way operations clean as well; FIQ, IRQ, SError to EL2; broadcast inner
 * shareable; WFI, SMC, implementation-defined registers, auxiliary control trapped; EL1 is AArch64.
 */
#define HCR                                                                            \
	(UINT64_C(1) << 0 | UINT64_C(1) << 1 | UINT64_C(1) << 3 | UINT64_C(1) << 4 |   \
	 UINT64_C(1) << 5 | UINT64_C(1) << 9 | UINT64_C(1) << 10 | UINT64_C(1) << 13 | \
	 UINT64_C(1) << 19 | UINT64_C(1) << 20 | UINT64_C(1) << 21 | UINT64_C(1) << 31)
#define HCR_FWB (UINT64_C(1) << 46)

/* MDCR_EL2: every access to debug and performance registers traps; BRK stays the guest's own. */
#define MDCR_TRAPS (7u << 9 | 1u << 6 | 1u << 5)

#define PSTATE_EL1H_MASKED 0x3c5u
#define SCTLR_EL1_RESET    0x30d00800u
#define SPSR_MODE_MASK     0x1fu
#define SPSR_EL0T          0u
#define SPSR_EL1T          4u

static struct board_vm *loaded;

void board_context_reset(struct board_vm *vm, uint64_t entry, uint64_t argument)
{
	if (loaded == vm) {
		loaded = NULL;
	}
	vm->frame = (struct board_frame){.pc = entry, .pstate = PSTATE_EL1H_MASKED};
	vm->frame.x[0] = argument;
	vm->el1 = (struct board_el1){.sctlr = SCTLR_EL1_RESET};
	vm->offset_ticks = board_sysreg_read(cntpct_el0);
	board_vgic_reset(&vm->vgic);
}

static void save(struct board_el1 *el1)
{
	el1->sctlr = board_sysreg_read(sctlr_el1);
	el1->ttbr0 = board_sysreg_read(ttbr0_el1);
	el1->ttbr1 = board_sysreg_read(ttbr1_el1);
	el1->tcr = board_sysreg_read(tcr_el1);
	el1->mair = board_sysreg_read(mair_el1);
	el1->amair = board_sysreg_read(amair_el1);
	el1->vbar = board_sysreg_read(vbar_el1);
	el1->contextidr = board_sysreg_read(contextidr_el1);
	el1->esr = board_sysreg_read(esr_el1);
	el1->far = board_sysreg_read(far_el1);
	el1->afsr0 = board_sysreg_read(afsr0_el1);
	el1->afsr1 = board_sysreg_read(afsr1_el1);
	el1->par = board_sysreg_read(par_el1);
	el1->elr = board_sysreg_read(elr_el1);
	el1->spsr = board_sysreg_read(spsr_el1);
	el1->sp_el0 = board_sysreg_read(sp_el0);
	el1->sp_el1 = board_sysreg_read(sp_el1);
	el1->tpidr_el0 = board_sysreg_read(tpidr_el0);
	el1->tpidrro_el0 = board_sysreg_read(tpidrro_el0);
	el1->tpidr_el1 = board_sysreg_read(tpidr_el1);
	el1->cpacr = board_sysreg_read(cpacr_el1);
	el1->csselr = board_sysreg_read(csselr_el1);
	el1->cntkctl = board_sysreg_read(cntkctl_el1);
	el1->cntv_ctl = board_sysreg_read(cntv_ctl_el0);
	el1->cntv_cval = board_sysreg_read(cntv_cval_el0);
	/* Nobody's timer runs while no guest does. */
	board_sysreg_write(cntv_ctl_el0, 0u);
	board_isb();
}

static void load(const struct board_el1 *el1)
{
	board_sysreg_write(sctlr_el1, el1->sctlr);
	board_sysreg_write(ttbr0_el1, el1->ttbr0);
	board_sysreg_write(ttbr1_el1, el1->ttbr1);
	board_sysreg_write(tcr_el1, el1->tcr);
	board_sysreg_write(mair_el1, el1->mair);
	board_sysreg_write(amair_el1, el1->amair);
	board_sysreg_write(vbar_el1, el1->vbar);
	board_sysreg_write(contextidr_el1, el1->contextidr);
	board_sysreg_write(esr_el1, el1->esr);
	board_sysreg_write(far_el1, el1->far);
	board_sysreg_write(afsr0_el1, el1->afsr0);
	board_sysreg_write(afsr1_el1, el1->afsr1);
	board_sysreg_write(par_el1, el1->par);
	board_sysreg_write(elr_el1, el1->elr);
	board_sysreg_write(spsr_el1, el1->spsr);
	board_sysreg_write(sp_el0, el1->sp_el0);
	board_sysreg_write(sp_el1, el1->sp_el1);
	board_sysreg_write(tpidr_el0, el1->tpidr_el0);
	board_sysreg_write(tpidrro_el0, el1->tpidrro_el0);
	board_sysreg_write(tpidr_el1, el1->tpidr_el1);
	board_sysreg_write(cpacr_el1, el1->cpacr);
	board_sysreg_write(csselr_el1, el1->csselr);
	board_sysreg_write(cntkctl_el1, el1->cntkctl);
	board_sysreg_write(cntv_cval_el0, el1->cntv_cval);
	board_sysreg_write(cntv_ctl_el0, el1->cntv_ctl);
}

static void load_controls(const struct board_vm *vm)
{
	/* HPMN stays at its reset value, the number of counters; the rest of MDCR_EL2 is ours. */
	uint64_t counters = board_sysreg_read(pmcr_el0) >> 11 & 31u;

	board_sysreg_write(hcr_el2, HCR | (board_stage2_forces_write_back() ? HCR_FWB : 0));
	board_sysreg_write(mdcr_el2, MDCR_TRAPS | counters);
	board_sysreg_write(hstr_el2, 0u);
	/* Physical counter and timer trap: virtual time is the only time that a guest has. */
	board_sysreg_write(cnthctl_el2, 0u);
	board_sysreg_write(cntvoff_el2, vm->offset_ticks);
	board_sysreg_write(vpidr_el2, board_sysreg_read(midr_el1));
	board_sysreg_write(vmpidr_el2, UINT64_C(1) << 31);
	board_sysreg_write(vttbr_el2, board_stage2_vttbr(&vm->space));
}

void board_context_save(void)
{
	if (loaded != NULL) {
		save(&loaded->el1);
		board_vgic_save(&loaded->vgic);
		loaded = NULL;
	}
}

void board_context_switch(struct board_vm *vm)
{
	if (loaded != vm) {
		board_context_save();
		if (vm == NULL) {
			return;
		}
		load_controls(vm);
		load(&vm->el1);
		board_vgic_load(&vm->vgic);
		loaded = vm;
	}
	/* TLB maintenance for another VM may have left its number here. */
	board_sysreg_write(vttbr_el2, board_stage2_vttbr(&vm->space));
	board_isb();
}

void board_context_undefined(struct board_vm *vm)
{
	uint64_t mode = vm->frame.pstate & SPSR_MODE_MASK;

	board_context_save();
	vm->el1.elr = vm->frame.pc;
	vm->el1.spsr = vm->frame.pstate;
	vm->el1.esr = UINT64_C(1) << 25; /* EC 0: unknown reason; a 32-bit instruction */
	uint64_t slot = mode == SPSR_EL0T ? 0x400u : mode == SPSR_EL1T ? 0u : 0x200u;
	vm->frame.pc = vm->el1.vbar + slot;
	vm->frame.pstate = PSTATE_EL1H_MASKED;
	vm->stats.undefined++;
}
