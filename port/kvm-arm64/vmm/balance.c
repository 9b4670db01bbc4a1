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

#include "../dirtylog/working_set.h"
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
#define CHEAT_ROUND  (2u * PHASE_ROUNDS + 1u) /* while the other lacks something */
#define TURN_CALLS   1000u

struct host {
	struct poise poise;
	struct vmm vm[VMS];
	struct kvm_ws ws[VMS];
	struct poise_host_writer writer[VMS];
	uint64_t now_ms;
	uint64_t lacking; /* pages, summed over all turns */
	uint64_t wrong;   /* invariants that did not hold */
	uint64_t refused; /* what the core did not take from a guest; it counts by kind */
	bool gone[VMS];
	struct vmm_balance_options options;
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
	*pages = vmm_size(&h->vm[vm]);
	return POISE_OK;
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
	return h->options.guest_source ? h->vm[vm].guest_page : &h->ws[vm].page;
}

/* Errors of a guest's making are counted by the core and shown at the end. */
static void poll(struct host *h, uint32_t vm)
{
	h->refused += poise_poll(&h->poise, vm, h->now_ms, source(h, vm)) != POISE_OK;
}

/* Returns whether the guest can go on. */
static bool serve(struct host *h, uint32_t vm, enum vmm_call call)
{
	struct vmm *v = &h->vm[vm];
	if (call == VMM_CALL_SETTLED) {
		h->refused +=
			poise_ack(&h->poise, vm, v->arg[0], vmm_size(v), h->now_ms) != POISE_OK;
	} else if (call == VMM_CALL_DOORBELL && h->options.guest_source) {
		poll(h, vm);
	}
	return call != VMM_CALL_FAULT;
}

/* Lets a VM do one job. One that cannot go on is ended and its memory is the others'. */
static void work(struct host *h, uint32_t vm, uint64_t job)
{
	struct vmm *v = &h->vm[vm];
	uint32_t calls = 0;
	enum vmm_call call = vmm_run(v, job);
	while (call != VMM_CALL_NEXT && serve(h, vm, call)) {
		call = ++calls < TURN_CALLS ? vmm_run(v, 0)
					    : vmm_fail(v, "too many calls in a turn");
	}
	if (call == VMM_CALL_FAULT) {
		printf("%s has ended: %s\n", v->config.name, v->error);
		h->wrong += poise_vm_remove(&h->poise, vm) != POISE_OK;
		vmm_close(v);
		h->gone[vm] = true;
	}
}

/* What the log has to say of the last turn goes the way of every sample: into a page. Returns the
 * pages written in the turn. */
static uint64_t estimate(struct host *h, uint32_t vm)
{
	struct vmm *v = &h->vm[vm];
	uint64_t dirty = 0;
	const int result = kvm_dirty_read(&v->dirty, &dirty);
	if (result < 0) {
		vmm_die("%s: the dirty log cannot be read: %s", v->config.name, strerror(-result));
	}
	(void)kvm_ws_step(&h->ws[vm], dirty);
	h->wrong += kvm_ws_publish(&h->ws[vm], h->now_ms, v->given_pages) != 0;
	return dirty;
}

static void check(struct host *h)
{
	uint64_t sum = 0;
	for (uint32_t vm = 0; vm < VMS; vm++) {
		sum += h->gone[vm] ? 0 : vmm_size(&h->vm[vm]);
	}
	h->wrong += poise_check(&h->poise) != 0;
	h->wrong += sum > POOL_PAGES;
}

/*
 * What happens within a second: balloons follow, first those that shrink, and what they give goes
 * to the others. With one thread, that is twice round.
 */
static void balloons(struct host *h)
{
	for (uint32_t i = 0; i < 2u * VMS; i++) {
		if (!h->gone[i % VMS]) {
			work(h, i % VMS, VMM_JOB(VMM_JOB_BALLOON, 0));
		}
	}
}

/* A VM's part of a round, and of its line. */
static void turn(struct host *h, uint32_t vm, uint32_t round)
{
	const bool much = (round / PHASE_ROUNDS + vm) % 2 == 0;
	const uint32_t need = much ? MUCH_PAGES : LITTLE_PAGES;
	work(h, vm, VMM_JOB(VMM_JOB_WORK, need));
	if (!h->gone[vm]) {
		const uint64_t dirty = estimate(h, vm);
		const uint64_t lacking = h->vm[vm].arg[1];
		h->lacking += lacking;
		printf("  | %5u %6llu %6llu %7llu", need, (unsigned long long)vmm_size(&h->vm[vm]),
		       (unsigned long long)dirty, (unsigned long long)lacking);
	}
}

static void round_of(struct host *h, uint32_t round)
{
	h->now_ms += ROUND_MS;
	if (h->options.cheat && round == CHEAT_ROUND) {
		work(h, VMS - 1, VMM_JOB(VMM_JOB_CHEAT, 0));
		h->wrong += !h->gone[VMS - 1];
	}
	printf("%5u", round);
	for (uint32_t vm = 0; vm < VMS; vm++) {
		if (!h->gone[vm]) {
			turn(h, vm, round);
		}
	}
	printf("\n");
	for (uint32_t vm = 0; vm < VMS; vm++) {
		if (!h->gone[vm]) {
			poll(h, vm);
		}
	}
	h->wrong += poise_tick(&h->poise, h->now_ms) != POISE_OK;
	balloons(h);
	check(h);
}

/* --- one run --- */

static void start(struct host *h, int kvm_fd, uint32_t policy)
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
		const struct vmm_config machine = {.name = name[vm],
						   .ram_pages = RAM_PAGES,
						   .boot_pages = limits.boot_pages,
						   .boot_id = vm + 1u,
						   .publish = h->options.guest_source,
						   .mode = h->options.mode};
		uint64_t unused;
		vmm_open(&h->vm[vm], kvm_fd, &machine);
		if (kvm_ws_init(&h->ws[vm], &ws, machine.boot_id, RAM_PAGES, h->vm[vm].host_page) !=
			    0 ||
		    poise_vm_add(&h->poise, vm, &limits, limits.boot_pages) != POISE_OK) {
			vmm_die("the core refuses %s", name[vm]);
		}
		work(h, vm, 0); /* Until it asks for its first job; what that wrote is no work. */
		if (h->gone[vm] || kvm_dirty_read(&h->vm[vm].dirty, &unused) != 0) {
			vmm_die("%s does not start", name[vm]);
		}
	}
}

/* Returns how many invariants did not hold; sets *lacking. */
static uint64_t run(int kvm_fd, uint32_t policy, const struct vmm_balance_options *options,
		    FILE *record, uint64_t *lacking)
{
	static struct host h; /* large, and aligned */
	h = (struct host){.options = *options, .record = record};
	start(&h, kvm_fd, policy);
	printf("%s, sizes from %s, log by %s\n",
	       policy == POISE_POLICY_STATIC ? "static" : "balanced",
	       options->guest_source ? "the guests' pages" : "dirty pages",
	       kvm_dirty_mode_name(h.vm[0].dirty.mode));
	printf("round  |  need    has  dirty lacking  |  need    has  dirty lacking\n");
	for (uint32_t round = 0; round < ROUNDS; round++) {
		round_of(&h, round);
	}
	for (uint32_t i = 1; i < POISE_ERR_COUNT; i++) {
		if (h.poise.errors[i] != 0) {
			printf("%s: %llu times\n", poise_err_name((enum poise_err)(-(int)i)),
			       (unsigned long long)h.poise.errors[i]);
		}
	}
	for (uint32_t vm = 0; vm < VMS; vm++) {
		if (!h.gone[vm]) {
			vmm_close(&h.vm[vm]);
		}
	}
	*lacking = h.lacking;
	/* Without cheating nobody is ended. */
	return h.wrong + (!options->cheat && (h.gone[0] || h.gone[1]));
}

int vmm_balance(int kvm_fd, const struct vmm_balance_options *options)
{
	uint64_t fixed = 0;
	uint64_t balanced = 0;
	FILE *file = NULL;
	vmm_mode_must(kvm_fd, options->mode);
	if (options->record != NULL) {
		file = fopen(options->record, "w");
		if (file == NULL || fprintf(file, "%s\n", RECORD_HEADER) < 0) {
			vmm_die("%s: cannot be written", options->record);
		}
	}
	/* Cheating shows nothing more with fixed halves. */
	uint64_t wrong =
		options->cheat ? 0 : run(kvm_fd, POISE_POLICY_STATIC, options, NULL, &fixed);
	wrong += run(kvm_fd, POISE_POLICY_POISE, options, file, &balanced);
	if (file != NULL && (ferror(file) != 0 || fclose(file) != 0)) {
		vmm_die("%s: not all of it could be written", options->record);
	}
	printf("poise-vmm: lacking static=%llu balanced=%llu check=%s\n", (unsigned long long)fixed,
	       (unsigned long long)balanced, wrong == 0 ? "ok" : "FAILED");
	return wrong == 0 ? 0 : 1;
}
