/* SPDX-License-Identifier: MIT */
/* The reference of api.h and the choices that are made: what api.c, which makes the calls, needs of
 * it. */
#ifndef TEST_FUZZ_API_MODEL_H
#define TEST_FUZZ_API_MODEL_H

#include "api.h"

#define INTERVAL_MS 1000u
#define POOL        20000u

/* The port; answers as the source of numbers says. Its context is the struct api. */
extern const struct poise_port api_port;

/* A number below `below`. */
uint64_t api_pick(struct api *a, uint64_t below);
/* Takes down the first thing that was wrong. */
void api_fail(struct api *a, const char *what);
/* A page count: mostly one that makes sense, now and then one at the borders. */
uint64_t api_pages(struct api *a);
/* A slot: mostly one that there is. */
uint32_t api_slot(struct api *a);
/* What a VM is charged. */
uint64_t api_charge(const struct api_vm *v);
/* What a call for slot `vm` answers if nothing else is wrong. */
enum poise_err api_expect_vm(const struct api *a, uint32_t vm);
/* A call has returned. */
void api_returned(struct api *a, enum poise_err expected, enum poise_err err, const char *what);
/* Time has come to `now_ms`, if that is later. */
void api_clock_to(struct api *a, uint64_t now_ms);
/* A time for the next call: mostly later, now and then a clock that goes back. */
uint64_t api_some_time(struct api *a);
/* The guest is new: it has to report twice. */
void api_forget(struct api_vm *v);
/* A bad sample. */
void api_bad(struct api_vm *v);
/* What poise_report answers; the reference takes the sample. */
enum poise_err api_expect_report(struct api *a, struct api_vm *v, const struct poise_sample *s);
/* A sample that the VM might report next, or ought not to. */
struct poise_sample api_some_sample(struct api *a, const struct api_vm *v);
/* A configuration, sound or not. */
struct poise_vm_config api_some_config(struct api *a);
/* What a configuration for slot `vm` is answered with; fills in its defaults. */
enum poise_err api_expect_config(const struct api *a, uint32_t vm, struct poise_vm_config *c);

#endif
