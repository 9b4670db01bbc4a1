/* SPDX-License-Identifier: MIT */
/*
 * Two VMs and the core between them: the port of port/template, for a VMM that holds its VMs
 * itself. The VMs take turns in one thread and a turn is a second, so that two runs decide alike.
 * Each guest needs now much, now little, and never both of them much; what it needs and does not
 * have, it lacks, and that is what is counted: with fixed halves, then balanced.
 */
#include "vmm.h"

#include <stdio.h>
#include <string.h>

#include "../working_set.h"
#include "record.h"

#define VMS          2u
#define RAM_PAGES    512u
#define POOL_PAGES   640u
#define MIN_PAGES    64u
#define MUCH_PAGES   400u
#define LITTLE_PAGES 72u
#define PHASE_ROUNDS 12u
#define ROUNDS       (3u * PHASE_ROUNDS)
#define ROUND_MS     1000u

struct host {
	struct poise poise;
	struct vm vm[VMS];
	struct kvm_ws ws[VMS];
	struct poise_host_writer writer[VMS];
	uint64_t now_ms;
	uint64_t lacking; /* pages, summed over all turns */
	uint64_t wrong;   /* invariants that did not hold */
	uint64_t refused; /* what the core did not take from a guest; it counts by kind */
	bool guest_source;
	FILE *record;
};

/* --- the port --- */

static enum poise_err host_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct host *h = ctx;
	(void)epoch; /* The guest reads it in its host page and quotes it. */
	h->vm[vm].allowed_pages = target_pages;
	return POISE_OK;
}

static enum poise_err host_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	struct host *h = ctx;
	return vm_measure(&h->vm[vm], pages) ? POISE_OK : POISE_E_PORT;
}

static void host_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	struct host *h = ctx;
	poise_host_page_write(h->vm[vm].host_page, &h->writer[vm], notice);
}

static void host_event(void *ctx, const struct poise_event *event)
{
	struct host *h = ctx;
	char line[RECORD_LINE_MAX];
	if (h->record != NULL) {
		(void)record_format(event, line, sizeof(line));
		(void)fputs(line, h->record); /* Looked at once, by ferror, at the end. */
	}
}

static const struct poise_port port_ops = {
	.resize = host_resize,
	.measure = host_measure,
	.notify = host_notify,
	.event = host_event,
};

/* --- one turn --- */

/* The page in which this VM's numbers are: its own, or the one that is kept in its place. */
static const struct poise_guest_page *source(const struct host *h, uint32_t vm)
{
	return h->guest_source ? h->vm[vm].guest_page : &h->ws[vm].page;
}

/* Errors of a guest's making are counted by the core and shown at the end. */
static void poll(struct host *h, uint32_t vm)
{
	h->refused += poise_poll(&h->poise, vm, h->now_ms, source(h, vm)) != POISE_OK;
}

static void settled(struct host *h, uint32_t vm)
{
	uint64_t pages;
	if (vm_measure(&h->vm[vm], &pages)) {
		h->refused +=
			poise_ack(&h->poise, vm, h->vm[vm].arg[0], pages, h->now_ms) != POISE_OK;
	}
}

/* Lets a VM do one job. Returns false when it is at its end. */
static bool work(struct host *h, uint32_t vm, uint64_t job)
{
	enum vmm_call call = vm_run(&h->vm[vm], job);
	while (call != VMM_CALL_NEXT) {
		if (call == VMM_CALL_SETTLED) {
			settled(h, vm);
		} else if (call != VMM_CALL_DOORBELL) {
			printf("%s has ended: %s\n", h->vm[vm].config.name, h->vm[vm].error);
			h->wrong++;
			return false;
		} else if (h->guest_source) {
			poll(h, vm);
		}
		call = vm_run(&h->vm[vm], 0);
	}
	return true;
}

/* What the log has to say of the last turn goes the way of every sample: into a page. */
static void estimate(struct host *h, uint32_t vm, uint64_t *dirty)
{
	uint64_t pages = 0;
	const int result = kvm_dirty_read(&h->vm[vm].dirty, dirty);
	if (result < 0 || !vm_measure(&h->vm[vm], &pages)) {
		vmm_die("%s: dirty log or page map cannot be read", h->vm[vm].config.name);
	}
	(void)kvm_ws_step(&h->ws[vm], *dirty);
	if (kvm_ws_publish(&h->ws[vm], h->now_ms, RAM_PAGES - pages) != 0) {
		h->wrong++;
	}
}

static void check(struct host *h)
{
	uint64_t sum = 0;
	for (uint32_t vm = 0; vm < VMS; vm++) {
		uint64_t pages = RAM_PAGES;
		(void)vm_measure(&h->vm[vm], &pages);
		sum += pages;
	}
	h->wrong += poise_check(&h->poise) != 0;
	h->wrong += sum > POOL_PAGES;
}

/*
 * What happens within a second: balloons follow, first those that shrink, and what they give goes
 * to the others. With one thread, that is twice round.
 */
static bool balloons(struct host *h)
{
	for (uint32_t i = 0; i < 2u * VMS; i++) {
		if (!work(h, i % VMS, VMM_JOB(VMM_JOB_BALLOON, 0))) {
			return false;
		}
	}
	return true;
}

static bool round_of(struct host *h, uint32_t round)
{
	h->now_ms += ROUND_MS;
	printf("%5u", round);
	for (uint32_t vm = 0; vm < VMS; vm++) {
		const bool much = (round / PHASE_ROUNDS + vm) % 2 == 0;
		const uint32_t need = much ? MUCH_PAGES : LITTLE_PAGES;
		uint64_t dirty = 0;
		if (!work(h, vm, VMM_JOB(VMM_JOB_WORK, need))) {
			return false;
		}
		estimate(h, vm, &dirty);
		h->lacking += h->vm[vm].arg[1];
		printf("  | %5u %6llu %6llu %7llu", need,
		       (unsigned long long)(RAM_PAGES - h->vm[vm].given_pages),
		       (unsigned long long)dirty, (unsigned long long)h->vm[vm].arg[1]);
	}
	printf("\n");
	for (uint32_t vm = 0; vm < VMS; vm++) {
		poll(h, vm);
	}
	if (poise_tick(&h->poise, h->now_ms) != POISE_OK) {
		h->wrong++;
	}
	const bool going = balloons(h);
	check(h);
	return going;
}

/* --- one run --- */

static void start(struct host *h, int kvm_fd, enum kvm_dirty_mode mode, uint32_t policy)
{
	static const char *const name[VMS] = {"vm 0", "vm 1"};
	const struct poise_config config = {
		.pool_pages = POOL_PAGES, .policy = policy, .interval_ms = ROUND_MS};
	const struct poise_vm_config limits = {
		.min_pages = MIN_PAGES, .boot_pages = POOL_PAGES / VMS, .max_pages = RAM_PAGES};
	const struct kvm_ws_config ws = {.window = 2, .headroom_permille = 100};
	if (poise_init(&h->poise, sizeof(h->poise), &config, &port_ops, h) != POISE_OK) {
		vmm_die("the core refuses its configuration");
	}
	for (uint32_t vm = 0; vm < VMS; vm++) {
		const struct vm_config machine = {.name = name[vm],
						  .ram_pages = RAM_PAGES,
						  .boot_pages = limits.boot_pages,
						  .boot_id = vm + 1u,
						  .publish = h->guest_source,
						  .mode = mode};
		vm_open(&h->vm[vm], kvm_fd, &machine);
		if (kvm_ws_init(&h->ws[vm], &ws, machine.boot_id, RAM_PAGES, h->vm[vm].host_page) !=
			    0 ||
		    poise_vm_add(&h->poise, vm, &limits, limits.boot_pages) != POISE_OK) {
			vmm_die("the core refuses %s", name[vm]);
		}
	}
}

/* Returns how many invariants did not hold; sets *lacking. */
static uint64_t run(int kvm_fd, enum kvm_dirty_mode mode, uint32_t policy, bool guest_source,
		    FILE *record, uint64_t *lacking)
{
	static struct host h; /* large, and aligned */
	h = (struct host){.guest_source = guest_source, .record = record};
	start(&h, kvm_fd, mode, policy);
	printf("%s, sizes from %s, log by %s\n",
	       policy == POISE_POLICY_STATIC ? "static" : "balanced",
	       guest_source ? "the guests' pages" : "dirty pages",
	       kvm_dirty_mode_name(h.vm[0].dirty.mode));
	printf("round  |  need    has  dirty lacking  |  need    has  dirty lacking\n");
	bool going = true;
	for (uint32_t vm = 0; vm < VMS && going; vm++) {
		uint64_t unused;
		going = work(&h, vm, 0); /* Until it asks for its first job. */
		going = going && kvm_dirty_read(&h.vm[vm].dirty, &unused) == 0;
	}
	for (uint32_t round = 0; round < ROUNDS && going; round++) {
		going = round_of(&h, round);
	}
	for (uint32_t i = 1; i < POISE_ERR_COUNT; i++) {
		if (h.poise.errors[i] != 0) {
			printf("%s: %llu times\n", poise_err_name((enum poise_err)(-(int)i)),
			       (unsigned long long)h.poise.errors[i]);
		}
	}
	for (uint32_t vm = 0; vm < VMS; vm++) {
		vm_close(&h.vm[vm]);
	}
	*lacking = h.lacking;
	return h.wrong + !going;
}

int balance(int kvm_fd, enum kvm_dirty_mode mode, bool guest_source, const char *record)
{
	uint64_t fixed = 0;
	uint64_t balanced = 0;
	FILE *file = NULL;
	vmm_mode_must(kvm_fd, mode);
	if (record != NULL) {
		file = fopen(record, "w");
		if (file == NULL || fprintf(file, "%s\n", RECORD_HEADER) < 0) {
			vmm_die("%s: cannot be written", record);
		}
	}
	uint64_t wrong = run(kvm_fd, mode, POISE_POLICY_STATIC, guest_source, NULL, &fixed);
	wrong += run(kvm_fd, mode, POISE_POLICY_POISE, guest_source, file, &balanced);
	if (file != NULL && (ferror(file) != 0 || fclose(file) != 0)) {
		vmm_die("%s: not all of it could be written", record);
	}
	printf("poise-vmm: lacking static=%llu balanced=%llu check=%s\n", (unsigned long long)fixed,
	       (unsigned long long)balanced, wrong == 0 ? "ok" : "FAILED");
	return wrong == 0 ? 0 : 1;
}
