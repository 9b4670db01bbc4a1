/* SPDX-License-Identifier: MIT */
/*
 * A port of Poise: its state and what the rest of the hypervisor calls. See port.c.
 */
#ifndef PORT_H
#define PORT_H

#include "poise.h"

#ifdef __cplusplus
extern "C" {
#endif

struct port_vm {
	uint64_t mapped_pages; /* your own count */
	uint64_t target_pages; /* what the VM is to have */
	uint64_t epoch;        /* names that target */
	const struct poise_guest_page *guest_page;
	struct poise_host_page *host_page;
	struct poise_host_writer writer;
};

struct port {
	struct poise poise;
	struct port_vm vm[POISE_VM_MAX];
	unsigned long bad_polls;
};

enum poise_err port_start(struct port *port, uint64_t pool_pages);
enum poise_err port_vm_start(struct port *port, uint32_t vm, const struct poise_vm_config *config,
			     const struct poise_guest_page *guest_page,
			     struct poise_host_page *host_page);
enum poise_err port_balloon_moved(struct port *port, uint32_t vm, uint64_t now_ms);
void port_vm_poll(struct port *port, uint32_t vm, uint64_t now_ms);
enum poise_err port_tick(struct port *port, uint64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif
