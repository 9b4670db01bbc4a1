/* SPDX-License-Identifier: MIT */
/*
 * The moving picture of a run. The bar is the pool: each VM is a stretch of its own letter, capital
 * for what is in use, small for what it could give; a dot is memory that nobody has. Behind it the
 * numbers.
 */
#include "picture.h"

#include "vm_table.h"

#define BAR_LETTERS 40u

static char capital(const char *name)
{
	return (char)(name[0] >= 'a' && name[0] <= 'z' ? name[0] - 'a' + 'A' : name[0]);
}

static long mib(int64_t pages)
{
	return (long)((pages + (pages < 0 ? -128 : 128)) / 256);
}

void board_picture_legend(const struct board_phase *phase)
{
	const uint64_t pool = phase->poise.pool_pages;

	printf("\n%s: %ld MiB for %u guests; one letter is %ld MiB, capital = in use, small = "
	       "could be given\n%-9s %3s  %-*s",
	       phase->name, mib((int64_t)pool), phase->vm_count, mib((int64_t)(pool / BAR_LETTERS)),
	       "MiB", "s", (int)BAR_LETTERS + 1, "");
	for (uint32_t i = 0; i < phase->vm_count; i++) {
		printf("|%-5s size need give swap", phase->vms[i].name);
	}
	printf("\n");
}

/* Puts letters up to where `pages` of the pool end. Returns the place after them. */
static uint32_t stretch(char *bar, uint32_t at, uint64_t pages, uint64_t pool, char letter)
{
	const uint64_t end = (pages * BAR_LETTERS + pool / 2u) / pool;

	while (at < end && at < BAR_LETTERS) {
		bar[at++] = letter;
	}
	return at;
}

void board_picture_line(const struct board_phase *phase, uint64_t second)
{
	const struct poise *poise = board_port_poise();
	const uint64_t pool = phase->poise.pool_pages;
	char bar[BAR_LETTERS + 1u];
	uint64_t sum = 0;
	uint32_t at = 0;

	for (uint32_t i = 0; i < phase->vm_count; i++) {
		const struct board_vm *mine = board_vm_get(i);
		const char letter = capital(mine->config->name);
		const uint64_t size = board_vm_alive(mine) ? board_vm_measure(mine) : 0;
		const int64_t spare = poise->vm[i].forecast.reclaimable_q16 / 65536;
		const uint64_t give = spare < 0                ? 0
				      : (uint64_t)spare < size ? (uint64_t)spare
							       : size;
		at = stretch(bar, at, sum + size - give, pool, letter);
		sum += size;
		at = stretch(bar, at, sum, pool, (char)(letter - 'A' + 'a'));
	}
	(void)stretch(bar, at, pool, pool, '.');
	bar[BAR_LETTERS] = '\0';
	printf("%-9s %3lu [%s]", phase->name, second, bar);
	for (uint32_t i = 0; i < phase->vm_count; i++) {
		const struct poise_vm *vm = &poise->vm[i];
		if (!board_vm_alive(board_vm_get(i))) {
			printf("|%-25s", "      dead");
			continue;
		}
		printf("|%10ld %+4ld %4ld %4ld", mib((int64_t)board_vm_measure(board_vm_get(i))),
		       mib(vm->forecast.delta_q16 / 65536),
		       mib(vm->forecast.reclaimable_q16 / 65536),
		       mib((int64_t)vm->last.body.swap_used_pages));
	}
	printf("\n");
}
