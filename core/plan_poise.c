/* SPDX-License-Identifier: MIT */
/*
 * Policy `poise`: the default. Each rule is one function that shapes one row: what a VM should have
 * (desired) and how far it may move in this plan. Then the rows are weighed against each other: if
 * memory suffices, the needy get what they lack, first from free memory, then from the donors as in
 * equation (4); if it does not, everybody gets its reservation and a weighted share of the rest,
 * nobody more than it needs. With POISE_RULES_NEUTRAL switched off, this is policy `paper`;
 * DESIGN.md lists what still differs.
 */
#include "internal.h"

static bool on(const struct poise *p, uint32_t rule)
{
	return (p->config.rules_off & POISE_RULE_BIT(rule)) == 0;
}

/* Sets what a row should have; a wish below nothing is a wish for nothing. */
static void want(struct poise_row *row, int64_t pages, uint32_t rule)
{
	row->desired_pages = pages > 0 ? (uint64_t)pages : 0;
	row->rule = rule;
}

/* What is in use and what of it cannot be had back at once: size - R. */
static int64_t in_use(const struct poise_vm *vm)
{
	return (int64_t)vm->forecast.size_pages - poise_plan_reclaimable(vm);
}

/* The VM is left as it is, whatever the others need. */
static void hold(struct poise_row *row, uint32_t rule)
{
	row->desired_pages = row->size_pages;
	row->lower_pages = row->size_pages;
	row->upper_pages = row->size_pages;
	row->base_pages = row->size_pages;
	row->rule = rule;
}

void poise_rule_frozen(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	(void)p;
	(void)vm;
	hold(row, POISE_RULE_FROZEN);
}

/* A guest that has never reported may not have a balloon driver yet: it can grow, but not shrink.
 */
void poise_rule_static(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	(void)p;
	want(row, (int64_t)vm->config.boot_pages, POISE_RULE_STATIC);
	if (vm->state == POISE_VM_UNMANAGED) {
		row->desired_pages = poise_max(row->desired_pages, row->size_pages);
		row->base_pages = row->desired_pages;
	}
}

/* Old numbers are not acted on: an eighth of the way back to the boot size with each plan. */
void poise_rule_stale(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	const int64_t size = (int64_t)row->size_pages;
	(void)p;
	want(row, size + ((int64_t)vm->config.boot_pages - size) / 8, POISE_RULE_STALE);
}

/* The paper: needy if demand is larger than reclaimable memory, and then in need of the demand. */
void poise_rule_equation(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	const int64_t delta = poise_plan_delta(vm);
	(void)p;
	want(row, in_use(vm) + delta, POISE_RULE_EQUATION);
	if (row->desired_pages > row->size_pages) {
		row->desired_pages = row->size_pages + (delta > 0 ? (uint64_t)delta : 0);
	}
}

/*
 * In need of what is missing, not of all that it will use; and a forecast of shrinking frees
 * nothing, as memory that was given back shows in R already.
 */
void poise_rule_shortfall(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	const int64_t delta = poise_plan_delta(vm);
	(void)p;
	want(row, in_use(vm) + (delta > 0 ? delta : 0), POISE_RULE_SHORTFALL);
}

void poise_rule_pressure(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	(void)p;
	if (vm->forecast.pressure_pages > 0) {
		row->desired_pages += vm->forecast.pressure_pages;
		row->rule = POISE_RULE_PRESSURE;
	}
}

/* What an urgent guest can still have by itself, it need not be given; but nothing is taken from it
 * now. */
void poise_rule_urgent(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	if (vm->urgent == 0) {
		return;
	}
	const int64_t own = poise_plan_reclaimable(vm) - poise_plan_delta(vm);
	const uint64_t step = poise_permille(p->config.pool_pages, p->config.urgent_permille);
	const uint64_t least = row->size_pages + poise_over(step, own > 0 ? (uint64_t)own : 0);
	if (row->desired_pages < least) {
		row->desired_pages = least;
		row->rule = POISE_RULE_URGENT;
	}
}

void poise_rule_idle_tax(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	(void)vm;
	if (row->desired_pages < row->size_pages) {
		row->desired_pages =
			row->size_pages - poise_permille(row->size_pages - row->desired_pages,
							 p->config.idle_tax_permille);
		row->rule = POISE_RULE_IDLE_TAX;
	}
}

void poise_rule_dead_band(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	const uint64_t band = poise_permille(row->size_pages, p->config.dead_band_permille);
	const uint64_t change = poise_over(row->desired_pages, row->size_pages) +
				poise_over(row->size_pages, row->desired_pages);
	if (vm->urgent == 0 && change != 0 && change < band) {
		row->desired_pages = row->size_pages;
		row->rule = POISE_RULE_DEAD_BAND;
	}
}

/* What the guest asks to keep, but never more than it booted with: no guest hoards by its word
 * alone. */
void poise_rule_floor(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	const uint64_t most = poise_min(vm->config.boot_pages, row->upper_pages);
	const uint64_t floor = poise_min(vm->last.body.floor_pages, most);
	(void)p;
	if (floor > row->lower_pages) {
		row->lower_pages = floor;
		row->rule = POISE_RULE_FLOOR;
	}
}

void poise_rule_slew(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	const uint64_t most = poise_permille(row->size_pages, p->config.slew_permille) *
			      p->plan.elapsed_ms / 1000;
	(void)vm;
	row->lower_pages = poise_max(row->lower_pages, poise_over(row->size_pages, most));
}

void poise_rule_bounds(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	(void)p;
	(void)vm;
	if (row->desired_pages < row->lower_pages || row->desired_pages > row->upper_pages) {
		/* Above its limit, which was lowered, a VM gets there as fast as it may shrink. */
		row->desired_pages = poise_max(poise_min(row->desired_pages, row->upper_pages),
					       row->lower_pages);
		row->rule = POISE_RULE_BOUNDS;
	}
}

void poise_rule_back_off(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	if (p->now_ms < vm->quiet_ms) {
		hold(row, POISE_RULE_BACK_OFF);
	}
}

/* What the VM should have, going by what is known of it. */
static void shape_by_state(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	if (vm->state == POISE_VM_FROZEN || vm->unsent != 0) {
		poise_rule_frozen(p, vm, row);
	} else if (vm->state == POISE_VM_STALE) {
		poise_rule_stale(p, vm, row);
	} else if (vm->state != POISE_VM_MANAGED || (vm->config.flags & POISE_VM_STATIC) != 0) {
		poise_rule_static(p, vm, row);
	} else {
		if (on(p, POISE_RULE_SHORTFALL)) {
			poise_rule_shortfall(p, vm, row);
		} else {
			poise_rule_equation(p, vm, row);
		}
		if (on(p, POISE_RULE_PRESSURE)) {
			poise_rule_pressure(p, vm, row);
		}
		if (on(p, POISE_RULE_URGENT)) {
			poise_rule_urgent(p, vm, row);
		}
	}
}

/* How far it may move in this plan. */
static void shape_by_limits(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	if (on(p, POISE_RULE_IDLE_TAX)) {
		poise_rule_idle_tax(p, vm, row);
	}
	if (on(p, POISE_RULE_DEAD_BAND)) {
		poise_rule_dead_band(p, vm, row);
	}
	if (on(p, POISE_RULE_FLOOR)) {
		poise_rule_floor(p, vm, row);
	}
	if (on(p, POISE_RULE_SLEW)) {
		poise_rule_slew(p, vm, row);
	}
	poise_rule_bounds(p, vm, row);
	if (on(p, POISE_RULE_BACK_OFF)) {
		poise_rule_back_off(p, vm, row);
	}
}

/* Enough for all: the donors give what the needy lack, each in proportion to what it can spare. */
static void share_plenty(struct poise_plan *plan, uint64_t spare, uint64_t lacking)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		const uint64_t idle = poise_over(row->size_pages, row->desired_pages);
		row->goal_pages = idle > 0 && row->size_pages <= row->upper_pages
					  ? row->size_pages - poise_plan_split(idle, spare, lacking)
					  : row->desired_pages;
	}
}

/*
 * Not enough: reservations first, then the rest by weight. Without rule FAIR what somebody has and
 * needs is not touched, as in the paper.
 */
static void share_shortage(const struct poise *p, struct poise_plan *plan)
{
	int64_t amount = plan->available_pages;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		if (!on(p, POISE_RULE_FAIR)) {
			row->base_pages = row->size_pages;
		}
		row->base_pages = poise_min(row->base_pages, row->desired_pages);
		amount += (int64_t)row->size_pages - (int64_t)row->base_pages;
	}
	poise_plan_fill(plan, amount > 0 ? (uint64_t)amount : 0);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		if (row->goal_pages < row->size_pages) {
			row->goal_pages = poise_max(row->goal_pages,
						    poise_min(row->lower_pages, row->size_pages));
		}
	}
}

void poise_plan_poise(const struct poise *p, struct poise_plan *plan)
{
	uint64_t lacking = 0;
	uint64_t spare = 0;
	bool urgent = false;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *vm = &p->vm[i];
		struct poise_row *row = &plan->row[i];
		if (vm->state != POISE_VM_EMPTY) {
			shape_by_state(p, vm, row);
			shape_by_limits(p, vm, row);
			lacking += poise_over(row->desired_pages, row->size_pages);
			spare += poise_over(row->size_pages, row->desired_pages);
			urgent = urgent || vm->urgent != 0;
		}
	}
	if (!urgent) {
		plan->available_pages -= (int64_t)poise_ledger_reserve(p);
	}
	const int64_t missing = (int64_t)lacking - plan->available_pages;
	if (missing <= (int64_t)spare) {
		share_plenty(plan, spare, missing > 0 ? (uint64_t)missing : 0);
	} else {
		share_shortage(p, plan);
	}
	poise_plan_cover(plan, plan->available_pages);
}
