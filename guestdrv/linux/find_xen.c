// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Xen: allocates the pages, grants them to the balancer's domain, and announces them in xenstore
 * below this domain's own data/poise. ABI.md says what stands there.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <xen/events.h>
#include <xen/grant_table.h>
#include <xen/interface/event_channel.h>
#include <xen/page.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

#include "poise_guest.h"

#if IS_ENABLED(CONFIG_XEN)

#define DIR        "data"
#define NODE       "poise"
#define PATH       DIR "/" NODE
#define TRIES      8 /* transactions, until another writer leaves us alone */
#define NO_CHANNEL 0 /* event channel 0 is never valid */

static unsigned short backend_domain;
module_param(backend_domain, ushort, 0444);
MODULE_PARM_DESC(backend_domain, "Xen: domain of the balancer (0)");

static struct xen_pages {
	struct poise_source source;
	grant_ref_t guest_ref, host_ref; /* 0 when there is none: 0 is reserved by Xen */
	evtchn_port_t channel;
	u64 generation;
} here;

static void channel_ring(struct poise_source *source)
{
	notify_remote_via_evtchn(container_of(source, struct xen_pages, source)->channel);
}

static int channel_open(void)
{
	struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = backend_domain};
	const int error = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &op);

	if (!error) {
		here.channel = op.port;
	}
	return error;
}

static void channel_close(void)
{
	struct evtchn_close op = {.port = here.channel};

	if (here.channel != NO_CHANNEL && HYPERVISOR_event_channel_op(EVTCHNOP_close, &op) != 0) {
		pr_warn(POISE_NAME ": event channel %u does not close\n", here.channel);
	}
	here.channel = NO_CHANNEL;
}

/* Allocates a zeroed page and grants it. Returns its address or NULL. */
static void *page_grant(grant_ref_t *ref, int readonly)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	int got;

	if (!page) {
		return NULL;
	}
	got = gnttab_grant_foreign_access(backend_domain, virt_to_gfn(page), readonly);
	if (got < 0) {
		free_page((unsigned long)page);
		return NULL;
	}
	*ref = (grant_ref_t)got;
	return page;
}

/* Ends a grant. While the other side has the page mapped, it is freed later, by the kernel. */
static void page_end(grant_ref_t *ref, const void *page)
{
	if (*ref != 0) {
		gnttab_end_foreign_access(*ref, virt_to_page((unsigned long)page));
	}
	*ref = 0;
}

static int nodes_write(struct xenbus_transaction xbt)
{
	int error = xenbus_printf(xbt, PATH, "version", "1");

	error = error ?: xenbus_printf(xbt, PATH, "guest-ref", "%u", here.guest_ref);
	error = error ?: xenbus_printf(xbt, PATH, "host-ref", "%u", here.host_ref);
	error = error ?: xenbus_printf(xbt, PATH, "event-channel", "%u", here.channel);
	return error
		       ?: xenbus_printf(xbt, PATH, "generation", "%016llx",
					(unsigned long long)here.generation);
}

static int announce(void)
{
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		struct xenbus_transaction xbt;
		int error = xenbus_transaction_start(&xbt);

		if (error) {
			return error;
		}
		error = nodes_write(xbt);
		if (error) {
			xenbus_transaction_end(xbt, 1);
			return error;
		}
		error = xenbus_transaction_end(xbt, 0);
		if (error != -EAGAIN) {
			return error;
		}
	}
	return -EAGAIN;
}

static void pages_release(void)
{
	poise_detach(&here.source);
	channel_close();
	page_end(&here.guest_ref, here.source.guest);
	page_end(&here.host_ref, here.source.host);
}

static int pages_offer(void)
{
	int error;

	here.source.kind = "xen";
	here.source.name = PATH;
	here.source.doorbell = channel_ring;
	here.source.guest = page_grant(&here.guest_ref, 1);
	here.source.host = page_grant(&here.host_ref, 0);
	error = here.source.guest && here.source.host ? channel_open() : -ENOMEM;
	if (!error) {
		do {
			here.generation = get_random_u64();
		} while (here.generation == 0);
		/* Published before announced: the host finds a sample in the page. */
		error = poise_attach(&here.source);
	}
	if (!error) {
		error = announce();
	}
	if (error) {
		pages_release();
	}
	return error;
}

/* Called by the kernel once xenstore answers, which may be at once. */
static int store_ready(struct notifier_block *block, unsigned long event, void *data)
{
	const int error = here.guest_ref == 0 ? pages_offer() : 0;

	if (error) {
		pr_err(POISE_NAME ": pages cannot be offered to domain %u: %d\n", backend_domain,
		       error);
	}
	return NOTIFY_DONE;
}

static struct notifier_block store_block = {.notifier_call = store_ready};

static bool is_guest(void)
{
	return xen_domain() && !xen_initial_domain();
}

int poise_find_xen_init(void)
{
	return is_guest() ? register_xenstore_notifier(&store_block) : 0;
}

void poise_find_xen_exit(void)
{
	int error;

	if (!is_guest()) {
		return;
	}
	unregister_xenstore_notifier(&store_block);
	if (here.guest_ref == 0) {
		return;
	}
	error = xenbus_rm(XBT_NIL, DIR, NODE);
	if (error) {
		pr_warn(POISE_NAME ": " PATH " stays in xenstore: %d\n", error);
	}
	pages_release();
}

#else

int poise_find_xen_init(void)
{
	return 0;
}

void poise_find_xen_exit(void)
{
}

#endif
