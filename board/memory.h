/* SPDX-License-Identifier: MIT */
/* A guest's memory: demand population, balloon, copies to and from the monitor. */
#ifndef BOARD_MEMORY_H
#define BOARD_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm.h"

/* Whether [ipa, ipa + pages) is aligned and inside the RAM window; no argument is too wild. */
bool board_memory_range(const struct board_vm *vm, uint64_t ipa, uint64_t pages);
bool board_memory_ballooned(const struct board_vm *vm, uint64_t ipa);
/* Returns: the page behind an IPA inside the window, filled if need be; 0 if it is in the balloon.
 */
uint64_t board_memory_page(struct board_vm *vm, uint64_t ipa);
/* HVC_INFLATE, HVC_DEFLATE, HVC_PAGES: arguments straight from the guest. Return: HVC_*. */
int64_t board_memory_inflate(struct board_vm *vm, uint64_t ipa, uint64_t pages, uint64_t *moved);
int64_t board_memory_deflate(struct board_vm *vm, uint64_t ipa, uint64_t pages, uint64_t *moved);
int64_t board_memory_share(struct board_vm *vm, uint64_t guest_ipa, uint64_t host_ipa);
/* Copy between the monitor and usable guest memory. Return: false if any of it is not. */
bool board_memory_write(struct board_vm *vm, uint64_t ipa, const void *from, size_t bytes);
bool board_memory_read(struct board_vm *vm, uint64_t ipa, void *to, size_t bytes);
/* Frees every page of the VM. */
void board_memory_release(struct board_vm *vm);

#endif
