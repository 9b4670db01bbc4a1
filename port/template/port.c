/* SPDX-License-Identifier: MIT */
/*
 * A port of Poise: copy this folder, fill in each HOLE, delete this line. Compiles as it is, moves
 * nothing.
 *
 * Order of work: 1. make HOLE 1 (measure) true, for without it no number is trusted; 2. HOLE 2 and
 * 3 (resize and its answer); 3. HOLE 4 (the guest's pages); 4. HOLE 5 (a tick); 5. HOLE 6
 * (records), last, but not later than the first surprise. port/record/README.md says what to do
 * with the records.
 *
 * It is C and C++20, hence the casts of `ctx`.
 */
#include "port.h"

/* HOLE 1: the VM's size by your own books: pages that it can touch, balloon taken off. Never its
 * claim. */
static enum poise_err port_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	struct port *port = (struct port *)ctx;
	*pages = port->vm[vm].mapped_pages;
	return POISE_OK;
}

/*
 * HOLE 2: start moving the VM to this size and return; do not wait. Remember the epoch for HOLE 3.
 * If the request cannot be made now, return POISE_E_BUSY or POISE_E_PORT: nothing is charged twice.
 */
static enum poise_err port_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct port *port = (struct port *)ctx;
	port->vm[vm].target_pages = target_pages;
	port->vm[vm].epoch = epoch;
	return POISE_OK;
}

/*
 * HOLE 3: call this when your own count of the VM's pages has changed (balloon interrupt, event):
 * all of the way, a part of it, or nothing more to come.
 */
enum poise_err port_balloon_moved(struct port *port, uint32_t vm, uint64_t now_ms)
{
	return poise_ack(&port->poise, vm, port->vm[vm].epoch, port->vm[vm].mapped_pages, now_ms);
}

/* Tells the guest: its host page, mapped read-only for it, and an interrupt if you have one. */
static void port_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	struct port *port = (struct port *)ctx;
	if (port->vm[vm].host_page != NULL) {
		poise_host_page_write(port->vm[vm].host_page, &port->vm[vm].writer, notice);
	}
}

/* HOLE 6: keep the records: format them with port/record, or put them into a ring. */
static void port_event(void *ctx, const struct poise_event *event)
{
	(void)ctx;
	(void)event;
}

static const struct poise_port port_ops = {
	.resize = port_resize,
	.measure = port_measure,
	.notify = port_notify,
	.event = port_event,
};

enum poise_err port_start(struct port *port, uint64_t pool_pages)
{
	const struct poise_config config = {.pool_pages = pool_pages};
	return poise_init(&port->poise, sizeof(port->poise), &config, &port_ops, port);
}

/*
 * HOLE 4: a VM has registered its two pages. Keep them mapped until it is gone: no copy of an
 * address that the guest can unmap. `guest_page`: only read by you; `host_page`: only written by
 * you.
 */
enum poise_err port_vm_start(struct port *port, uint32_t vm, const struct poise_vm_config *config,
			     const struct poise_guest_page *guest_page,
			     struct poise_host_page *host_page)
{
	const enum poise_err err =
		poise_vm_add(&port->poise, vm, config, port->vm[vm].mapped_pages);
	if (err == POISE_OK) {
		port->vm[vm].guest_page = guest_page;
		port->vm[vm].host_page = host_page;
	}
	return err;
}

/* The doorbell, and each VM once an interval. Errors are the guest's and are counted in the core.
 */
void port_vm_poll(struct port *port, uint32_t vm, uint64_t now_ms)
{
	if (poise_poll(&port->poise, vm, now_ms, port->vm[vm].guest_page) != POISE_OK) {
		port->bad_polls++;
	}
}

/* HOLE 5: call this from a timer, once in poise.config.interval_ms, from one CPU at a time. */
enum poise_err port_tick(struct port *port, uint64_t now_ms)
{
	for (uint32_t vm = 0; vm < POISE_VM_MAX; vm++) {
		if (port->poise.vm[vm].state != POISE_VM_EMPTY) {
			port_vm_poll(port, vm, now_ms);
		}
	}
	return poise_tick(&port->poise, now_ms);
}
