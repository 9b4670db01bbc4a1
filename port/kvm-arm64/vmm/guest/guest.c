/* SPDX-License-Identifier: MIT */
/*
 * The guest of poise-vmm: does the jobs it is given and says what it wrote. No interrupts, one
 * page of variables and stack, everything else in registers, so that it knows to the page what it
 * writes. Its balloon is the upper end of its RAM.
 */
#include "../calls.h"
#include "publish.h"

#define PAGE_BYTES 4096u

static struct {
	struct gd gd;
	uint64_t ram_pages;
	uint64_t size_pages; /* of them not in the balloon: the first ones */
	uint64_t round;      /* jobs begun; changes the own page in each of them */
	uint64_t lacking;    /* pages of the job that were not there */
	uint64_t working;    /* pages of the job that were */
	uint64_t publish;
} own;

void guest_main(uint64_t ram_pages, uint64_t size_pages, uint64_t boot_id, uint64_t publish);
void guest_fault(uint64_t esr, uint64_t far);

/* One instruction with one register: what an exit can be decoded from. */
static void io_store(uint32_t offset, uint64_t value)
{
	__asm__ volatile("str %0, [%1]"
			 :
			 : "r"(value), "r"((uintptr_t)VMM_IO_BASE + offset)
			 : "memory");
}

static void print(const char *text)
{
	for (; *text != '\0'; text++) {
		__asm__ volatile("strb %w0, [%1]"
				 :
				 : "r"(*text), "r"((uintptr_t)VMM_IO_BASE + VMM_IO_CONSOLE)
				 : "memory");
	}
}

static uint64_t call(enum vmm_call number, uint64_t arg0, uint64_t arg1)
{
	uint64_t answer;
	io_store(VMM_IO_ARG0, arg0);
	io_store(VMM_IO_ARG1, arg1);
	__asm__ volatile("ldr %0, [%1]"
			 : "=r"(answer)
			 : "r"((uintptr_t)VMM_IO_BASE + VMM_IO_CALL + 8u * (uintptr_t)number)
			 : "memory");
	return answer;
}

void guest_fault(uint64_t esr, uint64_t far)
{
	call(VMM_CALL_FAULT, esr, far);
	for (;;) {}
}

static volatile uint32_t *page(uint64_t number)
{
	return (volatile uint32_t *)((uintptr_t)VMM_RAM_BASE + number * PAGE_BYTES);
}

static uint64_t array_pages(uint64_t ints)
{
	return ints * sizeof(uint32_t) / PAGE_BYTES;
}

/* One pass over `to`, reading `from` as often as it takes. Both lengths are powers of two. */
static void pass(volatile uint32_t *to, uint64_t to_ints, const volatile uint32_t *from,
		 uint64_t from_ints)
{
	const uint32_t round = (uint32_t)own.round;
	for (uint64_t i = 0; i < to_ints; i++) {
		to[i] = to[i] * 3u + from[i % from_ints] + round;
	}
}

static uint64_t pass_a_or_b(int a)
{
	volatile uint32_t *const at_a = page(own.ram_pages / 2);
	volatile uint32_t *const at_b = page(own.ram_pages - array_pages(VMM_ARRAY_B));
	if (a) {
		pass(at_a, VMM_ARRAY_A, at_b, VMM_ARRAY_B);
	} else {
		pass(at_b, VMM_ARRAY_B, at_a, VMM_ARRAY_A);
	}
	return array_pages(a ? VMM_ARRAY_A : VMM_ARRAY_B);
}

/* Writes to `count` pages, from the first free one to the last of the RAM. */
static void spread(uint64_t count)
{
	const uint64_t free = own.ram_pages - VMM_IMAGE_PAGES;
	for (uint64_t i = 0; i < count; i++) {
		*page(VMM_IMAGE_PAGES + i * free / count) = (uint32_t)own.round;
	}
}

/* --- the work that needs more or less memory --- */

/* Goes where the host page says, as far as the VMM lets it. */
static void balloon_follow(void)
{
	struct gd_host host;
	if (gd_host_read(&own.gd, &host) != 1) {
		return;
	}
	const uint64_t target =
		host.target_pages > VMM_IMAGE_PAGES ? host.target_pages : VMM_IMAGE_PAGES;
	if (target > own.size_pages) {
		own.size_pages += call(VMM_CALL_DEFLATE, own.size_pages, target - own.size_pages);
	} else if (target < own.size_pages) {
		own.size_pages -= call(VMM_CALL_INFLATE, target, own.size_pages - target);
	}
	if (host.epoch != 0) {
		call(VMM_CALL_SETTLED, host.epoch, 0);
	}
}

static void publish(void)
{
	const struct poise_abi_guest counters = {
		.guest_ms = own.round * 1000u, /* A job is a second, here and in the VMM. */
		.balloon_pages = own.ram_pages - own.size_pages,
		.free_pages = own.size_pages - VMM_IMAGE_PAGES - own.working,
		.active_anon_pages = own.working,
		.unevictable_pages = VMM_IMAGE_PAGES,
		.swap_used_pages = own.lacking,
	};
	gd_publish(&own.gd, &counters);
}

static void fit(uint64_t need)
{
	const uint64_t have = own.size_pages - VMM_IMAGE_PAGES;
	own.working = need < have ? need : have;
	own.lacking = need - own.working;
}

static void work(uint64_t need)
{
	fit(need);
	if (own.publish) {
		publish();
		if (own.lacking > 0 && gd_urgent(&own.gd, own.round * 1000u, 1)) {
			call(VMM_CALL_DOORBELL, 0, 0);
			balloon_follow();
			fit(need);
			publish();
		}
	}
	for (uint64_t i = 0; i < own.working; i++) {
		*page(VMM_IMAGE_PAGES + i) = (uint32_t)own.round;
	}
}

void guest_main(uint64_t ram_pages, uint64_t size_pages, uint64_t boot_id, uint64_t publish_too)
{
	uint64_t written = VMM_OWN_PAGES;
	uint64_t second = VMM_OWN_PAGES;
	own.ram_pages = ram_pages;
	own.size_pages = size_pages;
	own.publish = publish_too;
	if (gd_init(&own.gd, (struct poise_guest_page *)(uintptr_t)VMM_GUEST_PAGE,
		    (const struct poise_host_page *)(uintptr_t)VMM_HOST_PAGE, boot_id, ram_pages,
		    POISE_GF_URGENT) != 0) {
		print("guest: no shared pages\n");
		guest_fault(0, 0);
	}
	for (;;) {
		const uint64_t job = call(VMM_CALL_NEXT, written, second);
		const uint64_t amount = job & 0xffffffffu;
		own.round++;
		written = VMM_OWN_PAGES;
		second = VMM_OWN_PAGES;
		switch ((enum vmm_job)(job >> 32)) {
		case VMM_JOB_IDLE:
			break;
		case VMM_JOB_A:
		case VMM_JOB_B:
			written += pass_a_or_b(job >> 32 == VMM_JOB_A);
			second += array_pages(VMM_ARRAY_A) + array_pages(VMM_ARRAY_B);
			break;
		case VMM_JOB_SPREAD:
			spread(amount);
			written += amount;
			second += amount;
			break;
		case VMM_JOB_BALLOON:
			balloon_follow();
			second = 0;
			break;
		case VMM_JOB_WORK:
			work(amount);
			written += own.working;
			second = own.lacking;
			break;
		case VMM_JOB_CHEAT:
			*page(own.size_pages) = (uint32_t)own.round;
			print("guest: it is mine\n");
			break;
		case VMM_JOB_COUNT:
		default:
			print("guest: not a job\n");
			guest_fault(0, job);
		}
	}
}
