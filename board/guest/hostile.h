/* SPDX-License-Identifier: MIT */
/*
 * Misbehaviour on request: what a broken or hostile guest does to its monitor, for tests that need
 * a real one. Each kind is one argument; README.md has the table. A guest without them never comes
 * here.
 */
#ifndef GUEST_HOSTILE_H
#define GUEST_HOSTILE_H

#include "guest.h"
#include "../../core/poise_abi.h"

enum hostile_lie { LIE_NONE, LIE_STARVING, LIE_IDLE };

struct hostile {
	enum hostile_lie lie;
	bool scribble; /* random bytes over the guest page after each update */
	bool torn;     /* leaves the sequence word odd after the third update, and goes quiet */
	bool flood;    /* rings the doorbell instead of sleeping */
	uint64_t die_ms, crash_ms, spin_ms; /* when to do so, UINT64_MAX: never */
	uint64_t random;
	uint32_t updates;
};

void hostile_init(struct hostile *h, const char *args);

/* Returns whether updates are still to be published. */
bool hostile_publishes(const struct hostile *h);

/* Turns counters into lies before they are published. */
void hostile_counters(struct hostile *h, const struct mm *m, struct poise_abi_guest *counters);

/* Damages the page after an update. */
void hostile_page(struct hostile *h, volatile uint32_t *words);

/* Dies, crashes or spins if it is time; floods if asked to. */
void hostile_step(const struct hostile *h, uint64_t now_ms);

/* Returns when hostile_step wants to be called, UINT64_MAX: never. */
uint64_t hostile_next_ms(const struct hostile *h);

#endif
