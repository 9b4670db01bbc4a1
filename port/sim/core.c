/* SPDX-License-Identifier: MIT */
/*
 * The port of the core: four operations over the simulated host's books, the polling of the guests'
 * pages, and the interval. As in any port there is no policy here. Its calls can be made to fail.
 * poise_check runs after every step.
 */
#include "core.h"

#include "guest.h"
#include "record.h"

/* A late answer comes after the window in which one is expected, and after a new plan. */
#define LATE_US 5000000u

static uint64_t core_ms(const struct sim_host *h)
{
	return h->books.now_us / 1000u + h->clock_ms;
}

/* Counts a call of the port. Returns how it goes. */
static enum sim_way count_call(struct sim_host *h, enum sim_call call, uint32_t vm)
{
	const uint64_t now_ms = h->books.now_us / 1000u;

	h->calls++;
	for (uint32_t i = 0; i < h->books.scenario->fault_count; i++) {
		const struct sim_fault *f = &h->books.scenario->fault[i];

		if ((f->call == SIM_CALL_ANY || f->call == call) &&
		    (f->vm == SIM_VM_ANY || f->vm == vm) &&
		    (f->number == 0 || f->number == h->calls) && now_ms >= f->from_ms &&
		    now_ms < f->until_ms) {
			h->faults++;
			h->hit = call;
			return f->way;
		}
	}
	return SIM_WAY_OK;
}

static enum poise_err port_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct sim_host *h = ctx;
	struct sim_guest *g = &h->guest[vm];
	const enum sim_way way = count_call(h, SIM_CALL_RESIZE, vm);

	if (way == SIM_WAY_ERROR) {
		return POISE_E_PORT;
	}
	g->allowed_pages = target_pages;
	g->epoch = epoch;
	g->way = way;
	g->way_epoch = epoch;
	if (way == SIM_WAY_LATE) {
		g->late_epoch = epoch;
		g->late_us = h->books.now_us + LATE_US;
	}
	return POISE_OK;
}

static enum poise_err port_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	struct sim_host *h = ctx;

	*pages = sim_guest_pages(&h->guest[vm]);
	return count_call(h, SIM_CALL_MEASURE, vm) == SIM_WAY_OK ? POISE_OK : POISE_E_PORT;
}

static void port_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	struct sim_host *h = ctx;
	struct sim_guest *g = &h->guest[vm];

	if (count_call(h, SIM_CALL_NOTIFY, vm) == SIM_WAY_OK) {
		poise_host_page_write(g->host_page, &g->writer, notice);
	}
}

static void port_event(void *ctx, const struct poise_event *event)
{
	struct sim_host *h = ctx;
	char line[RECORD_LINE_MAX];

	if (h->record != NULL) {
		record_format(event, line, sizeof(line));
		fputs(line, h->record);
	}
}

static const struct poise_port port = {
	.resize = port_resize,
	.measure = port_measure,
	.notify = port_notify,
	.event = port_event,
};

static struct poise_vm_config vm_config(const struct sim_vm_config *c)
{
	return (struct poise_vm_config){
		.min_pages = c->min_pages,
		.boot_pages = c->boot_pages,
		.max_pages = c->max_pages,
		.weight = c->weight,
	};
}

bool sim_core_start(struct sim_host *h, const struct poise_config *config, const char **error)
{
	enum poise_err err;

	h->with_core = true;
	h->books.insists = false;
	if (h->record != NULL) {
		fputs(RECORD_HEADER "\n", h->record);
	}
	err = poise_init(&h->core, sizeof(h->core), config, &port, h);
	for (uint32_t i = 0; err == POISE_OK && i < h->books.scenario->vm_count; i++) {
		const struct poise_vm_config vm = vm_config(&h->books.config[i]);

		if (h->guest[i].present) {
			err = poise_vm_add(&h->core, i, &vm, sim_guest_pages(&h->guest[i]));
		}
	}
	h->next_tick_us = h->core.config.interval_ms * UINT64_C(1000);
	h->tick_us = h->next_tick_us;
	*error = err == POISE_OK ? NULL : poise_strerror(err);
	return err == POISE_OK;
}

static void check(struct sim_host *h)
{
	h->meter.checks++;
	if (poise_check(&h->core) != 0) {
		h->meter.violations++;
	}
}

static void answer(struct sim_host *h, uint32_t vm, uint64_t epoch)
{
	if (poise_ack(&h->core, vm, epoch, sim_guest_pages(&h->guest[vm]), core_ms(h)) ==
	    POISE_OK) {
		check(h);
	}
}

static void acknowledge(struct sim_host *h, uint32_t vm)
{
	struct sim_guest *g = &h->guest[vm];

	if (g->late_epoch != 0 && h->books.now_us >= g->late_us) {
		answer(h, vm, g->late_epoch);
		g->late_epoch = 0;
	}
	/* The host's own count has changed, or the guest says that it is done. */
	if (sim_guest_pages(g) != h->core.vm[vm].actual_pages || g->answered) {
		g->answered = false;
		answer(h, vm, g->epoch);
		if (g->way == SIM_WAY_TWICE && g->way_epoch == g->epoch) {
			answer(h, vm, g->epoch);
		}
	}
}

/* A VM that has been added starts when its boot size is its own. */
static void start_waiting(struct sim_host *h, uint32_t vm)
{
	struct sim_guest *g = &h->guest[vm];

	if (!h->waiting[vm] || h->core.vm[vm].target_pages < g->config->boot_pages) {
		return;
	}
	h->waiting[vm] = false;
	if (h->books.free_pages < g->config->boot_pages) {
		/* It was promised memory that is not there. */
		h->meter.violations++;
	}
	if (!sim_guest_boot(g)) {
		sim_books_fail(&h->books, "no memory for a guest", vm, 0, 0);
		return;
	}
	sim_books_use(&h->books, sim_guest_pages(g));
}

/*
 * The pool is smaller than the reservations: nobody can be asked for more than to come down to
 * those, so that is what the core is told.
 */
static enum poise_err set_pool(struct sim_host *h)
{
	enum poise_err err = poise_pool_set(&h->core, h->books.total_pages);
	uint64_t least = 0;

	if (err == POISE_E_INFEASIBLE) {
		h->refused++;
		for (uint32_t i = 0; i < h->books.scenario->vm_count; i++) {
			if (h->core.vm[i].state != POISE_VM_EMPTY) {
				least += h->core.vm[i].config.min_pages;
			}
		}
		err = poise_pool_set(&h->core, least);
	}
	return err;
}

/* A live update of the program that decides: its state goes out, a new one takes it in. */
static enum poise_err update(struct sim_host *h)
{
	static unsigned char blob[POISE_EXPORT_BYTES];
	const struct poise_config config = h->core.config;
	size_t bytes = 0;
	enum poise_err err = poise_export(&h->core, blob, sizeof(blob), &bytes);

	if (err == POISE_OK) {
		err = poise_init(&h->core, sizeof(h->core), &config, &port, h);
	}
	return err == POISE_OK ? poise_import(&h->core, blob, bytes) : err;
}

static enum poise_err tell(struct sim_host *h, const struct sim_event *e)
{
	struct poise_vm_config config = {0};
	enum poise_err err = POISE_OK;

	if (e->kind == SIM_EVENT_ADD || e->kind == SIM_EVENT_LIMITS) {
		config = vm_config(&h->books.config[e->vm]);
	}
	switch (e->kind) {
	case SIM_EVENT_POOL:
		return set_pool(h);
	case SIM_EVENT_ADD:
		err = poise_vm_add(&h->core, e->vm, &config, 0);
		h->waiting[e->vm] = err == POISE_OK;
		return err;
	case SIM_EVENT_REMOVE:
		h->waiting[e->vm] = false;
		return poise_vm_remove(&h->core, e->vm);
	case SIM_EVENT_RESET:
		return poise_vm_restart(&h->core, e->vm, sim_guest_pages(&h->guest[e->vm]));
	case SIM_EVENT_LIMITS:
		config.min_pages = e->min_pages;
		config.max_pages = e->max_pages;
		config.weight = e->weight;
		/* The boot size is part of both. */
		config.boot_pages = config.boot_pages < e->min_pages   ? e->min_pages
				    : config.boot_pages > e->max_pages ? e->max_pages
								       : config.boot_pages;
		return poise_vm_set(&h->core, e->vm, &config);
	case SIM_EVENT_PAUSE:
		h->resume_us = h->books.now_us + (uint64_t)e->ms * 1000u;
		break;
	case SIM_EVENT_BURST:
		h->burst = e->count;
		break;
	case SIM_EVENT_CLOCK:
		h->clock_ms += (uint64_t)e->ms;
		break;
	case SIM_EVENT_UPDATE:
		return update(h);
	default:
		break;
	}
	return POISE_OK;
}

void sim_core_event(struct sim_host *h, const struct sim_event *e)
{
	if (tell(h, e) != POISE_OK) {
		h->refused++;
	}
	check(h);
}

/* When the next tick comes: an interval later, more or less. */
static uint64_t next_tick(struct sim_host *h)
{
	const uint32_t interval_us = h->core.config.interval_ms * 1000u;
	const uint32_t jitter_us =
		(uint32_t)((uint64_t)interval_us * h->books.scenario->jitter_permille / 1000u);

	h->next_tick_us += interval_us;
	if (h->next_tick_us <= h->books.now_us) {
		/* Those that were missed are not made up for. */
		h->next_tick_us += (h->books.now_us - h->next_tick_us) / interval_us * interval_us +
				   interval_us;
	}
	return jitter_us == 0
		       ? h->next_tick_us
		       : h->next_tick_us + sim_random(&h->random, 2u * jitter_us + 1u) - jitter_us;
}

void sim_core_step(struct sim_host *h)
{
	const uint64_t now_ms = core_ms(h);
	const uint32_t count = h->books.scenario->vm_count;

	if (h->books.now_us < h->resume_us) {
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct sim_guest *g = &h->guest[i];

		start_waiting(h, i);
		if (!g->present) {
			continue;
		}
		acknowledge(h, i);
		if (g->rang) {
			g->rang = false;
			/* A bad page is the guest's, and counted in the core. */
			(void)!poise_poll(&h->core, i, now_ms, g->page);
			check(h);
		}
	}
	if (h->books.now_us < h->tick_us) {
		return;
	}
	h->tick_us = next_tick(h);
	for (uint32_t i = 0; i < count; i++) {
		if (h->guest[i].present) {
			(void)!poise_poll(&h->core, i, now_ms, h->guest[i].page);
		}
	}
	do {
		if (poise_tick(&h->core, now_ms) != POISE_OK) {
			h->meter.violations++;
		}
		check(h);
	} while (h->burst > 0 && --h->burst > 0);
}
