/* SPDX-License-Identifier: MIT */
/*
 * The calls of the public API that are not a stage of their own: set-up, VMs coming and going, and
 * the tick that strings the stages together.
 */
#include "internal.h"

enum poise_err poise_count(struct poise *p, enum poise_err err)
{
	p->errors[-err]++;
	return err;
}

enum poise_err poise_enter(struct poise *p, uint64_t vm)
{
	if (p == NULL) {
		return POISE_E_ARG;
	}
	if (p->magic != POISE_MAGIC) {
		return POISE_E_CONTEXT;
	}
	if (p->busy != 0) {
		return poise_count(p, POISE_E_STATE);
	}
	if (vm != POISE_NO_VM && vm >= POISE_VM_MAX) {
		return poise_count(p, POISE_E_ARG);
	}
	if (vm != POISE_NO_VM && p->vm[vm].state == POISE_VM_EMPTY) {
		return poise_count(p, POISE_E_NOT_FOUND);
	}
	p->busy = 1;
	return POISE_OK;
}

enum poise_err poise_leave(struct poise *p, enum poise_err result)
{
	p->busy = 0;
	return result == POISE_OK ? result : poise_count(p, result);
}

void poise_clock(struct poise *p, uint64_t now_ms)
{
	p->now_ms = poise_max(p->now_ms, now_ms);
}

void poise_emit_data(struct poise *p, uint32_t code, uint32_t vm, enum poise_err err, uint64_t a,
		     const void *data)
{
	const struct poise_event event = {
		.now_ms = p->now_ms, .code = code, .vm = vm, .err = err, .a = a, .data = data};
	p->port->event(p->ctx, &event);
}

void poise_emit(struct poise *p, uint32_t code, uint32_t vm, enum poise_err err, uint64_t a,
		uint64_t b)
{
	const struct poise_event event = {.now_ms = p->now_ms,
					  .code = code,
					  .vm = vm,
					  .rule = code == POISE_EVENT_RESIZE ? p->vm[vm].rule
									     : POISE_RULE_NONE,
					  .err = err,
					  .a = a,
					  .b = b};
	p->port->event(p->ctx, &event);
}

void poise_emit_plan(struct poise *p, uint32_t vm)
{
	const struct poise_row *row = &p->plan.row[vm];
	const struct poise_forecast *f = &p->vm[vm].forecast;
	/* Field by field: a compiler would clear an initialised one as a whole first. */
	struct poise_event event;
	event.now_ms = p->now_ms;
	event.code = POISE_EVENT_PLAN;
	event.vm = vm;
	event.rule = row->rule;
	event.err = POISE_OK;
	event.a = row->size_pages;
	event.b = (uint64_t)f->delta_q16;
	event.c = (uint64_t)f->reclaimable_q16;
	event.d = row->goal_pages;
	event.data = NULL;
	p->port->event(p->ctx, &event);
}

void poise_tell(struct poise *p)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_vm *v = &p->vm[i];
		/* A request that the port has not accepted is none yet. */
		if (v->target_pages != 0 && v->unsent == 0 &&
		    (v->notified_epoch != v->epoch || v->notified_state != v->state)) {
			const struct poise_notice notice = {.boot_id = v->last.boot_id,
							    .interval_ms = p->config.interval_ms,
							    .target_pages = v->target_pages,
							    .epoch = v->epoch,
							    .state = v->state};
			v->notified_epoch = v->epoch;
			v->notified_state = (uint16_t)v->state;
			p->port->notify(p->ctx, i, &notice);
		}
	}
}

/* Fills in defaults and checks ranges. */
static enum poise_err config_complete(struct poise_config *config)
{
	static const struct {
		uint8_t offset, least;
		uint16_t most, standard;
	} tunables[] = {
#define POISE_TUNABLE(field, name, unit, least, most, standard, words) \
	{offsetof(struct poise_config, field), least, most, standard},
#include "poise_tunables.def"
#undef POISE_TUNABLE
	};
	for (size_t i = 0; i < sizeof(tunables) / sizeof(tunables[0]); i++) {
		void *const at = (char *)config + tunables[i].offset;
		uint32_t value;
		__builtin_memcpy(&value, at, sizeof(value));
		if (value == 0) {
			value = tunables[i].standard;
		}
		__builtin_memcpy(at, &value, sizeof(value));
		if (value < tunables[i].least || value > tunables[i].most) {
			return POISE_E_CONFIG;
		}
	}
	return config->pool_pages == 0 || config->pool_pages > POISE_PAGES_MAX ||
			       config->policy >= POISE_POLICY_COUNT ||
			       (config->rules_off & ~POISE_RULES_NEUTRAL) != 0 ||
			       config->freeze_intervals < config->hold_intervals
		       ? POISE_E_CONFIG
		       : POISE_OK;
}

enum poise_err poise_init(struct poise *p, size_t size, const struct poise_config *config,
			  const struct poise_port *port, void *ctx)
{
	if (p == NULL || config == NULL || port == NULL) {
		return POISE_E_ARG;
	}
	if (size != sizeof(*p)) {
		return POISE_E_CONTEXT;
	}
	struct poise_config complete = *config;
	const enum poise_err err = config_complete(&complete);
	if (err != POISE_OK || port->resize == NULL || port->measure == NULL ||
	    port->notify == NULL || port->event == NULL) {
		return POISE_E_CONFIG;
	}
	__builtin_memset(p, 0, sizeof(*p));
	p->magic = POISE_MAGIC;
	p->config = complete;
	p->port = port;
	p->ctx = ctx;
	p->free_pages = (int64_t)complete.pool_pages;
	poise_emit_data(p, POISE_EVENT_INIT, 0, POISE_OK, 0, &p->config);
	return POISE_OK;
}

/* Closes a call that may have freed memory: who waits for some gets it, and is told. */
static enum poise_err settle(struct poise *p)
{
	poise_resize_settle(p);
	poise_tell(p);
	return poise_leave(p, POISE_OK);
}

static uint64_t reserved(const struct poise *p)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		sum += p->vm[i].config.min_pages;
	}
	return sum;
}

enum poise_err poise_vm_config_complete(const struct poise *p, uint32_t vm,
					struct poise_vm_config *c)
{
	if (c->boot_pages == 0) {
		c->boot_pages = c->min_pages;
	}
	if (c->weight == 0) {
		c->weight = 100;
	}
	if (c->min_pages == 0 || c->min_pages > c->boot_pages || c->boot_pages > c->max_pages ||
	    c->max_pages > p->config.pool_pages || c->weight > UINT16_MAX ||
	    c->basis >= POISE_BASIS_COUNT || (c->flags & ~POISE_VM_FLAGS) != 0 ||
	    c->reserved != 0) {
		return POISE_E_CONFIG;
	}
	return reserved(p) - p->vm[vm].config.min_pages + c->min_pages > p->config.pool_pages
		       ? POISE_E_INFEASIBLE
		       : POISE_OK;
}

enum poise_err poise_vm_add(struct poise *p, uint32_t vm, const struct poise_vm_config *config,
			    uint64_t actual_pages)
{
	enum poise_err err = poise_enter(p, POISE_NO_VM);
	if (err != POISE_OK) {
		return err;
	}
	if (vm >= POISE_VM_MAX || config == NULL || actual_pages > POISE_PAGES_MAX) {
		return poise_leave(p, POISE_E_ARG);
	}
	struct poise_vm *v = &p->vm[vm];
	if (v->state != POISE_VM_EMPTY) {
		return poise_leave(p, POISE_E_DUP);
	}
	struct poise_vm_config complete = *config;
	err = poise_vm_config_complete(p, vm, &complete);
	if (err != POISE_OK) {
		return poise_leave(p, err);
	}
	v->config = complete;
	v->urgent_gap = p->config.urgent_gap_ms;
	v->rule = POISE_RULE_STATIC;
	v->goal_pages = poise_min(poise_max(actual_pages, complete.boot_pages), complete.max_pages);
	poise_emit_data(p, POISE_EVENT_ADD, vm, POISE_OK, actual_pages, &v->config);
	poise_vm_forget(p, vm);
	poise_ledger_set(p, v, actual_pages, actual_pages);
	return settle(p);
}

enum poise_err poise_vm_set(struct poise *p, uint32_t vm, const struct poise_vm_config *config)
{
	enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	if (config == NULL) {
		return poise_leave(p, POISE_E_ARG);
	}
	struct poise_vm *v = &p->vm[vm];
	struct poise_vm_config complete = *config;
	err = poise_vm_config_complete(p, vm, &complete);
	if (err != POISE_OK) {
		return poise_leave(p, err);
	}
	/* Numbers from before a pause are old; those of another basis would look like a jump of
	 * demand. */
	const bool starts_anew = poise_vm_starts_anew(&v->config, &complete);
	v->config = complete;
	v->goal_pages = poise_min(poise_max(v->goal_pages, complete.min_pages), complete.max_pages);
	poise_emit_data(p, POISE_EVENT_SET, vm, POISE_OK, 0, &v->config);
	if (starts_anew) {
		poise_vm_forget(p, vm);
	}
	return poise_leave(p, POISE_OK);
}

enum poise_err poise_vm_remove(struct poise *p, uint32_t vm)
{
	const enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	struct poise_vm *v = &p->vm[vm];
	const uint64_t back = poise_vm_charge(v);
	poise_ledger_set(p, v, 0, 0);
	*v = (struct poise_vm){.state = POISE_VM_EMPTY};
	/* What the plan meant to take from it, or to give it, is there. */
	p->plan.available_pages +=
		(int64_t)p->plan.row[vm].size_pages - (int64_t)p->plan.row[vm].goal_pages;
	p->plan.row[vm] = (struct poise_row){0};
	poise_emit(p, POISE_EVENT_REMOVE, vm, POISE_OK, back, 0);
	return settle(p);
}

enum poise_err poise_vm_restart(struct poise *p, uint32_t vm, uint64_t actual_pages)
{
	const enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	if (actual_pages > POISE_PAGES_MAX) {
		return poise_leave(p, POISE_E_ARG);
	}
	poise_emit(p, POISE_EVENT_RESTART, vm, POISE_OK, actual_pages, 0);
	poise_vm_reboot(p, vm, actual_pages, p->vm[vm].config.boot_pages);
	return settle(p);
}

enum poise_err poise_pool_set(struct poise *p, uint64_t pool_pages)
{
	const enum poise_err err = poise_enter(p, POISE_NO_VM);
	if (err != POISE_OK) {
		return err;
	}
	if (pool_pages == 0 || pool_pages > POISE_PAGES_MAX) {
		return poise_leave(p, POISE_E_ARG);
	}
	if (reserved(p) > pool_pages) {
		return poise_leave(p, POISE_E_INFEASIBLE);
	}
	p->free_pages += (int64_t)pool_pages - (int64_t)p->config.pool_pages;
	p->config.pool_pages = pool_pages;
	poise_emit(p, POISE_EVENT_POOL, 0, POISE_OK, pool_pages, 0);
	return settle(p);
}

enum poise_err poise_poll(struct poise *p, uint32_t vm, uint64_t now_ms,
			  const struct poise_guest_page *page)
{
	enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	struct poise_vm *v = &p->vm[vm];
	/* The word first: with it comes the update that was published before it was raised. */
	const uint32_t word = page == NULL ? v->urgent_word : poise_page_urgent(page);
	const bool raised = word != v->urgent_word;
	v->urgent_word = word;
	/* A limit that was lowered since does not make the guest's total a lie. */
	err = poise_page_read(page, poise_max(v->config.max_pages, v->last.body.total_pages),
			      &p->incoming);
	p->busy = 0;
	if (err == POISE_OK) {
		err = poise_report(p, vm, now_ms, &p->incoming);
	} else {
		const enum poise_err counted = poise_report_error(p, vm, now_ms, err);
		POISE_ASSERT(counted == POISE_OK);
		(void)counted;
	}
	if (raised) {
		/* Too soon, or not managed: counted there, and the next tick looks at the VM
		 * anyway. */
		(void)(poise_urgent(p, vm, now_ms) == POISE_OK);
	}
	return err;
}

/* Asks the port for a VM's size. Without an answer the last one stays in force. */
static void measure(struct poise *p, uint32_t vm)
{
	struct poise_vm *v = &p->vm[vm];
	uint64_t pages = v->actual_pages;
	enum poise_err err = p->port->measure(p->ctx, vm, &pages);
	if (err == POISE_OK && pages > POISE_PAGES_MAX) {
		err = POISE_E_PORT;
	}
	if (err != POISE_OK) {
		(void)poise_count(p, POISE_E_PORT);
		pages = v->actual_pages;
	}
	if (v->unsent != 0) {
		/* The port still works on an older request, whose size is charged already. */
		pages = poise_max(pages, v->actual_pages);
	}
	if (err != POISE_OK || pages != v->actual_pages) {
		poise_emit(p, POISE_EVENT_MEASURE, vm, err, pages, 0);
		poise_ledger_set(p, v, pages, v->target_pages);
	}
}

/* What a tick and an early tick do: look at every VM as it is now, then plan. */
static void advance(struct poise *p, bool early)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (p->vm[i].state != POISE_VM_EMPTY) {
			measure(p, i);
			poise_vm_age(p, i);
			poise_resize_watch(p, i);
		}
	}
	poise_plan_due(p, early);
	poise_resize_commit(p);
	poise_tell(p);
}

enum poise_err poise_urgent(struct poise *p, uint32_t vm, uint64_t now_ms)
{
	const enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	struct poise_vm *v = &p->vm[vm];
	poise_clock(p, now_ms);
	if (v->state != POISE_VM_MANAGED) {
		return poise_leave(p, POISE_E_STATE);
	}
	const bool due = p->now_ms >= v->urgent_ms;
	poise_emit(p, POISE_EVENT_URGENT, vm, POISE_OK, due, 0);
	if (!due) {
		return poise_leave(p, POISE_E_BUSY);
	}
	/* One that asks while it could help itself waits twice as long for the next time, up to a
	 * second. */
	const bool needless = v->forecast.reclaimable_q16 > v->forecast.delta_q16;
	const uint64_t longest = poise_max(1000, p->config.urgent_gap_ms);
	v->urgent_gap = needless ? (uint32_t)poise_min(v->urgent_gap * 2, longest)
				 : p->config.urgent_gap_ms;
	v->urgent_ms = p->now_ms + v->urgent_gap;
	v->urgent = 1;
	p->first = vm;
	advance(p, true);
	v->urgent = 0;
	return poise_leave(p, POISE_OK);
}

enum poise_err poise_tick(struct poise *p, uint64_t now_ms)
{
	const enum poise_err err = poise_enter(p, POISE_NO_VM);
	if (err != POISE_OK) {
		return err;
	}
	poise_clock(p, now_ms);
	poise_emit(p, POISE_EVENT_TICK, 0, POISE_OK, now_ms, 0);
	advance(p, false);
	p->ticked_ms = p->now_ms;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		p->vm[i].ticked_pages = p->vm[i].target_pages;
	}
	return poise_leave(p, POISE_OK);
}
