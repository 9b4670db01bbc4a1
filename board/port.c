/* SPDX-License-Identifier: MIT */
/*
 * The monitor's port of Poise. Holds no policy: it counts pages, passes requests on, and answers
 * with what it has measured.
 */
#include "port.h"

#include <string.h>

#include "../port/common/port_kit.h"
#include "../port/record/record.h"
#include "hypercall.h"
#include "panic.h"
#include "pool.h"
#include "timer.h"
#include "vm_check.h"
#include "vm_table.h"

#define NS_PER_MS UINT64_C(1000000)

struct port_vm {
	struct port_notice notice;
	bool waits; /* to be started when its boot size is free */
};

static struct poise poise;
static struct port_vm vms[BOARD_VM_MAX];
static struct board_port_stats stats;
static FILE *recording;
static struct port_relief relief; /* in ns, from the entry of the doorbell */

_Static_assert(POISE_VM_MAX >= BOARD_VM_MAX, "each VM of the board needs a slot in the core");

static uint64_t now_ms(void)
{
	return board_time_ns() / NS_PER_MS;
}

static enum poise_err port_resize(void *ctx, uint32_t slot, uint64_t target_pages, uint64_t epoch)
{
	struct board_vm *vm = board_vm_get(slot);

	(void)ctx;
	port_relief_asked(&relief, board_time_ns());
	if (vm == NULL || target_pages > vm->config->ram_pages) {
		return POISE_E_GONE;
	}
	vm->target_pages = (uint32_t)target_pages;
	vm->epoch = epoch;
	stats.resizes++;
	return POISE_OK;
}

static enum poise_err port_measure(void *ctx, uint32_t slot, uint64_t *pages)
{
	const struct board_vm *vm = board_vm_get(slot);

	(void)ctx;
	if (vm == NULL) {
		return POISE_E_GONE;
	}
	*pages = board_vm_measure(vm);
	return POISE_OK;
}

static void tell(struct board_vm *vm)
{
	if (port_notice_write(&vms[vm->slot].notice,
			      (struct poise_host_page *)(uintptr_t)vm->host_page, &vm->writer)) {
		board_vm_interrupt(vm);
	}
}

static void port_notify(void *ctx, uint32_t slot, const struct poise_notice *notice)
{
	struct board_vm *vm = board_vm_get(slot);

	(void)ctx;
	if (vm != NULL) {
		port_notice_keep(&vms[slot].notice, notice);
		tell(vm);
	}
}

static void port_event(void *ctx, const struct poise_event *event)
{
	char line[RECORD_LINE_MAX];

	(void)ctx;
	stats.plans += event->code == POISE_EVENT_PLAN && event->a != event->d ? 1u : 0u;
	if (recording != NULL) {
		size_t bytes = record_format(event, line, sizeof(line));
		fwrite(line, 1, bytes, recording);
	}
}

static const struct poise_port operations = {
	.resize = port_resize,
	.measure = port_measure,
	.notify = port_notify,
	.event = port_event,
};

/* --- what the guests tell --- */

static void guest_registered(struct board_vm *vm)
{
	tell(vm);
}

/*
 * The count is ours, the epoch is the guest's word: an old one is dropped by the core, which counts
 * it.
 */
static void guest_settled(struct board_vm *vm, uint64_t epoch)
{
	enum poise_err err = poise_ack(&poise, vm->slot, epoch, board_vm_measure(vm), now_ms());
	(void)err;
}

static void poll(struct board_vm *vm)
{
	if (vm->guest_page != 0 &&
	    poise_poll(&poise, vm->slot, now_ms(),
		       (const struct poise_guest_page *)(uintptr_t)vm->guest_page) != POISE_OK) {
		stats.bad_polls++;
	}
}

static void guest_urgent(struct board_vm *vm)
{
	port_relief_begin(&relief, board_time_ns());
	poll(vm);
	port_relief_end(&relief);
}

static const struct board_poise_ops guest_calls = {
	.registered = guest_registered,
	.settled = guest_settled,
	.urgent = guest_urgent,
};

/* --- what a run does --- */

bool board_port_start(const struct poise_config *config, FILE *record)
{
	memset(vms, 0, sizeof(vms));
	memset(&stats, 0, sizeof(stats));
	relief = (struct port_relief){0};
	recording = record;
	board_hvc_listen(&guest_calls);
	return poise_init(&poise, sizeof(poise), config, &operations, NULL) == POISE_OK;
}

/* Starts a VM if its boot size is there. Epoch and target outlive the start: they are the ledger's.
 */
static bool start(struct board_vm *vm)
{
	uint32_t target = vm->target_pages;
	uint64_t epoch = vm->epoch;

	if (vm->config->boot_pages > board_pool_unpromised()) {
		return false;
	}
	board_vm_start(vm);
	if (epoch != 0) {
		vm->target_pages = target;
		vm->epoch = epoch;
	}
	return true;
}

bool board_port_add(struct board_vm *vm)
{
	/* What an earlier life of it was asked for is not this one's: the ledger starts anew. */
	vm->epoch = 0;
	bool started = start(vm);

	vms[vm->slot] = (struct port_vm){.waits = !started};
	return poise_vm_add(&poise, vm->slot, &vm->config->poise, board_vm_measure(vm)) == POISE_OK;
}

void board_port_restart(struct board_vm *vm)
{
	bool started = start(vm);

	vms[vm->slot].waits = !started;
	if (poise_vm_restart(&poise, vm->slot, board_vm_measure(vm)) != POISE_OK) {
		board_panic("%s: cannot be restarted", vm->config->name);
	}
}

void board_port_remove(struct board_vm *vm)
{
	vms[vm->slot] = (struct port_vm){0};
	if (poise_vm_remove(&poise, vm->slot) != POISE_OK) {
		board_panic("%s: cannot be removed", vm->config->name);
	}
}

void board_port_start_waiting(void)
{
	for (uint32_t slot = 0; slot < BOARD_VM_MAX; slot++) {
		struct board_vm *vm = board_vm_get(slot);
		if (vm == NULL || !vms[slot].waits ||
		    poise.vm[slot].target_pages < vm->config->boot_pages || !start(vm)) {
			continue;
		}
		vms[slot].waits = false;
		guest_settled(vm, vm->epoch);
	}
}

void board_port_poll(void)
{
	for (uint32_t slot = 0; slot < BOARD_VM_MAX; slot++) {
		struct board_vm *vm = board_vm_get(slot);
		if (vm != NULL && board_vm_alive(vm)) {
			poll(vm);
		}
	}
}

void board_port_tick(void)
{
	board_port_poll();
	if (poise_tick(&poise, now_ms()) != POISE_OK) {
		board_panic("the tick was refused");
	}
	board_port_start_waiting();

	unsigned wrong = poise_check(&poise);
	const char *why = board_vm_check();
	if (wrong != 0 || why != NULL) {
		stats.checks_failed++;
		printf("board: check failed: 0x%x %s\n", wrong, why == NULL ? "" : why);
	}
}

void board_port_update(void)
{
	static unsigned char state[POISE_EXPORT_BYTES];
	const struct poise_config config = poise.config;
	size_t bytes = 0;

	if (poise_export(&poise, state, sizeof(state), &bytes) != POISE_OK) {
		board_panic("the core does not give its state");
	}
	memset(&poise, 0, sizeof(poise));
	if (poise_init(&poise, sizeof(poise), &config, &operations, NULL) != POISE_OK ||
	    poise_import(&poise, state, bytes) != POISE_OK) {
		board_panic("a new core does not take the state of the old one");
	}
}

const struct poise *board_port_poise(void)
{
	return &poise;
}

const struct board_port_stats *board_port_stats(void)
{
	stats.relief_count = relief.count;
	stats.relief_min_ns = relief.least;
	stats.relief_max_ns = relief.most;
	return &stats;
}
