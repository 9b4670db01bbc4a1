/* SPDX-License-Identifier: MIT */
/*
 * What the monitor stands on: device tree, stage 1, newlib, time, memory, exception vectors.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../board/arch.h"
#include "../../board/args.h"
#include "../../board/board.h"
#include "../../board/fdt.h"
#include "../../board/gic.h"
#include "../../board/panic.h"
#include "../../board/pool.h"
#include "../../board/timer.h"
#include "bench.h"
#include "report.h"

static uint8_t blob[65536] __attribute__((aligned(8)));

static size_t blob_bytes(void)
{
	const uint8_t *dtb = (const uint8_t *)(uintptr_t)BOARD_DTB;

	return (size_t)dtb[4] << 24 | (size_t)dtb[5] << 16 | (size_t)dtb[6] << 8 | dtb[7];
}

/* The live part of QEMU's tree; its total size says 1 MiB, most of it empty. */
static size_t live_bytes(void)
{
	const uint8_t *dtb = (const uint8_t *)(uintptr_t)BOARD_DTB;
	size_t strings = (size_t)dtb[14] << 8 | dtb[15];
	size_t strings_bytes = (size_t)dtb[34] << 8 | dtb[35];

	return strings + strings_bytes;
}

static void set_total(size_t bytes)
{
	blob[4] = (uint8_t)(bytes >> 24);
	blob[5] = (uint8_t)(bytes >> 16);
	blob[6] = (uint8_t)(bytes >> 8);
	blob[7] = (uint8_t)bytes;
}

/* The size of memory that the runner has given QEMU, in its words: a number and M or G. */
static uint64_t told_bytes(void)
{
	char text[16] = "";
	char *unit;

	board_arg("memory", text, sizeof(text));
	return strtoull(text, &unit, 10) << (*unit == 'G' ? 30 : 20);
}

static void test_fdt(void)
{
	struct board_memory memory = {0};
	size_t bytes = live_bytes();

	bool found = board_fdt_memory((const void *)(uintptr_t)BOARD_DTB, blob_bytes(), &memory);
	report(found && memory.base == BOARD_DTB && memory.bytes == told_bytes(),
	       "device tree: memory is what QEMU was told, at 0x40000000");
	if (!report(bytes <= sizeof(blob), "device tree: the live part has %u bytes",
		    (unsigned)bytes)) {
		return;
	}

	/* The right answer or none, whatever the length; one guarded page behind would notice. */
	bool right = true;
	for (size_t cut = 0; cut < bytes; cut += cut < 128 ? 1 : 61) {
		memcpy(blob, (const void *)(uintptr_t)BOARD_DTB, bytes);
		set_total(cut);
		memory = (struct board_memory){0};
		if (board_fdt_memory(blob, cut, &memory)) {
			right = right && memory.bytes == told_bytes();
		}
	}
	report(right, "device tree: cut short anywhere");

	/* Any header byte and many others through extreme values: an answer, or none, no crash. */
	unsigned refused = 0;
	for (size_t at = 0; at < bytes; at += at < 512 ? 1 : 37) {
		static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
		for (size_t i = 0; i < sizeof(values); i++) {
			memcpy(blob, (const void *)(uintptr_t)BOARD_DTB, bytes);
			set_total(bytes);
			blob[at] = values[i];
			refused += board_fdt_memory(blob, bytes, &memory) ? 0u : 1u;
		}
	}
	report(refused > 50u, "device tree: damaged bytes, %u refused", refused);
}

static uint64_t translate(const void *address, bool write)
{
	uint64_t at = (uint64_t)(uintptr_t)address;

	if (write) {
		__asm__ volatile("at s1e2w, %0\n\tisb" : : "r"(at) : "memory");
	} else {
		__asm__ volatile("at s1e2r, %0\n\tisb" : : "r"(at) : "memory");
	}
	return board_sysreg_read(par_el1);
}

static void test_stage1(void)
{
	static int variable;

	report((board_sysreg_read(sctlr_el2) & 0x81005u) == 0x81005u,
	       "stage 1: MMU, caches and write-implies-no-execute are on");
	report((translate(board_vectors, false) & 1u) == 0 &&
		       (translate(board_vectors, true) & 1u) != 0,
	       "stage 1: text cannot be written");
	report((translate(board_text_end, false) & 1u) == 0 &&
		       (translate(board_text_end, true) & 1u) != 0,
	       "stage 1: constants cannot be written");
	report((translate(&variable, true) & 1u) == 0, "stage 1: variables can be written");
	report((translate(board_stack_guard, false) & 1u) != 0, "stage 1: the guard is not mapped");
	report((translate((const void *)(uintptr_t)BOARD_DTB, true) & 1u) != 0,
	       "stage 1: the device tree cannot be written");
	const char *end = (const char *)(uintptr_t)board_ram_end();
	report((uint64_t)(uintptr_t)end == BOARD_DTB + told_bytes() &&
		       (translate(end - 8, true) & 1u) == 0 && (translate(end, false) & 1u) != 0,
	       "stage 1: RAM to its end, and nothing behind");
	/* One page of each block and gigabyte: every kind of entry in the map. */
	bool mapped = true;
	for (const char *at = board_image_end; at < end; at += 2u << 20) {
		uint64_t result = translate(at, true);
		mapped = mapped && (result & 1u) == 0 &&
			 (result & 0xfffffffff000u) == ((uint64_t)(uintptr_t)at & ~0xfffull);
	}
	report(mapped, "stage 1: all RAM behind the image, at its own address");
	/* Attributes of RAM: write-back, read and write allocate, inner shareable. */
	uint64_t par = translate(&variable, true);
	report(par >> 56 == 0xffu && (par >> 7 & 3u) == 3u,
	       "stage 1: RAM is write-back, inner shareable");
	par = translate((const void *)(uintptr_t)BOARD_UART, true);
	report(par >> 56 == 0x04u, "stage 1: devices are Device-nGnRE");
}

static void test_newlib(void)
{
	char text[48];

	snprintf(text, sizeof(text), "%d %s %08lx %lu", -5, "x", 0xbeeful, UINT64_MAX);
	report(strcmp(text, "-5 x 0000beef 18446744073709551615") == 0, "newlib: formatted output");

	char *block = malloc(1000);
	report(block != NULL, "newlib: malloc");
	free(block);
	errno = 0;
	block = malloc(1u << 20);
	report(block == NULL && errno == ENOMEM, "newlib: the heap has an end");
	free(block);

	char path[64] = "";
	board_arg("file", path, sizeof(path));
	FILE *file = fopen(path, "w");
	bool written = file != NULL && fputs("line one\nline two\n", file) >= 0 &&
		       fseek(file, 5, SEEK_SET) == 0 && fputc('O', file) == 'O' &&
		       fclose(file) == 0;
	report(written, "newlib: a file of the host is written");
	file = fopen(path, "r");
	bool same = file != NULL && fgets(text, sizeof(text), file) != NULL &&
		    strcmp(text, "line One\n") == 0 && fseek(file, 0, SEEK_END) == 0 &&
		    ftell(file) == 18 && fclose(file) == 0;
	report(same, "newlib: and reads back");
	report(fopen("/nonexistent/file", "r") == NULL, "newlib: a file that is not there");
}

static void test_time(void)
{
	uint64_t start = board_time_ns();
	board_timer_set(start + 5 * MS);
	board_wfi();
	uint64_t end = board_time_ns();
	uint32_t irq = board_gic_take();
	board_timer_set(UINT64_MAX);
	board_gic_done(irq);

	report(irq == BOARD_IRQ_HTIMER, "time: the monitor's own timer interrupt");
	report(end >= start + 5 * MS && end < start + 5 * MS + 20000u, "time: 5 ms took %lu ns",
	       end - start);
	report(board_timer_ticks_to_ns(board_timer_ns_to_ticks(UINT64_C(1) << 60)) >= UINT64_C(1)
											      << 60,
	       "time: conversion holds for 36 years");
}

static void test_pool(void)
{
	uint64_t first = board_pool_alloc(1);
	*(volatile uint64_t *)(uintptr_t)first = PROBE_PATTERN;
	board_pool_free(first, 1);
	report(*(volatile uint64_t *)(uintptr_t)first == 0, "pool: scrubbed when it comes back");
	*(volatile uint64_t *)(uintptr_t)(first + 4088) = PROBE_PATTERN;
	uint64_t second = board_pool_alloc(2);
	report(second == first && *(volatile uint64_t *)(uintptr_t)(first + 4088) == 0,
	       "pool: zeroed again when it is handed out");
	board_pool_free(second, 2);

	uint64_t chain = 0;
	uint32_t count = 0;
	for (uint64_t page = board_pool_alloc(3); page != 0; page = board_pool_alloc(3)) {
		*(volatile uint64_t *)(uintptr_t)page = chain;
		chain = page;
		count++;
	}
	report(count == BENCH_POOL_PAGES && board_pool_free_count() == 0 &&
		       board_pool_count_owner(3) == count,
	       "pool: all %u pages can be had, no more", (unsigned)count);
	while (chain != 0) {
		uint64_t page = chain;
		chain = *(volatile uint64_t *)(uintptr_t)page;
		board_pool_free(page, 3);
	}
	report(board_pool_free_count() == BENCH_POOL_PAGES, "pool: and all come back");
}

/* Each slot is one branch, and no two go to the same place. */
static void test_vector_table(void)
{
	const uint32_t *table = (const uint32_t *)(uintptr_t)board_vectors;
	bool branches = true;
	bool distinct = true;
	uint64_t targets[16];

	for (uint32_t i = 0; i < 16u; i++) {
		uint32_t word = table[i * 32u];
		branches = branches && word >> 26 == 5u;
		targets[i] = i * 0x80u + (uint64_t)(word & 0x3ffffffu) * 4u;
		for (uint32_t j = 0; j < i; j++) {
			distinct = distinct && targets[i] != targets[j];
		}
	}
	report(((uint64_t)(uintptr_t)board_vectors & 0x7ffu) == 0 && branches && distinct,
	       "vectors: sixteen slots, one branch each, sixteen places");
}

void test_boot(void)
{
	test_vector_table();
	test_fdt();
	test_stage1();
	test_newlib();
	test_time();
	test_pool();
}

/*
 * Ends with the report of one unexpected exception, by going into the vector slot that the argument
 * names; the runner expects status 1 and the line. What only hardware can raise is raised like that
 * too.
 */
void test_vector(void)
{
	uint64_t slot = board_arg_number("slot", 4);
	uint64_t address = (uint64_t)(uintptr_t)board_vectors + slot * 0x80u;

	if (slot == 16) {
		/* The real thing: a store to read-only memory from the monitor itself. */
		*(volatile uint64_t *)(uintptr_t)board_vectors = 0;
	} else if (slot == 17) {
		/* A stack that has run into its guard page. */
		__asm__ volatile("mov sp, %0\n\tstp x0, x1, [sp, #-16]!"
				 :
				 : "r"((uint64_t)(uintptr_t)board_stack_guard + 4096u));
	} else if (slot == 18) {
		board_panic("%s %d %u %x %lu %lx", "late", -5, 7u, 0xffu, UINT64_MAX,
			    (uint64_t)0xbeef);
	} else if (slot == 19) {
		/* The report itself runs into an address that nobody has. */
		board_panic("twice %s", (const char *)(uintptr_t)UINT64_C(0xdead000000000000));
	}
	__asm__ volatile("br %0" : : "r"(address));
}
