/* SPDX-License-Identifier: MIT */
/*
 * The probe guest: does one thing, named by its argument `do=`, and ends with status 0 or with the
 * number of the line whose check failed. Some things are rude; none may harm anybody else.
 */
#include "../../../board/blkpattern.h"
#include "probe_lib.h"

int probe_main(const struct board_boot *boot);
void probe_irq(void);

volatile uint64_t probe_exceptions[2];

const struct board_boot *boot;
uint64_t second;

static volatile uint64_t timer_irqs, poise_irqs, other_irqs, irq_time;

static uint64_t now(void)
{
	board_isb();
	return board_sysreg_read(cntvct_el0);
}

static uint64_t ns_since(uint64_t start)
{
	return (now() - start) * (UINT64_C(1000000000) / board_sysreg_read(cntfrq_el0));
}

/* Returns: the value of a number argument, or `otherwise`. */
uint64_t argument(const char *name, uint64_t otherwise)
{
	for (const char *at = boot->args; *at != '\0'; at++) {
		const char *want = name;
		const char *have = at;
		while (*want != '\0' && *want == *have) {
			want++;
			have++;
		}
		if (*want == '\0' && *have == '=' && (at == boot->args || at[-1] == ' ')) {
			uint64_t value = 0;
			for (have++; *have >= '0' && *have <= '9'; have++) {
				value = value * 10u + (uint64_t)(*have - '0');
			}
			return value;
		}
	}
	return otherwise;
}

static bool does(const char *what)
{
	const char *at = boot->args;
	while (*at != '\0' && !(at[0] == 'd' && at[1] == 'o' && at[2] == '=')) {
		at++;
	}
	at = *at == '\0' ? at : at + 3;
	while (*what != '\0' && *what == *at) {
		what++;
		at++;
	}
	return *what == '\0' && (*at == '\0' || *at == ' ');
}

static _Noreturn void count_forever(void)
{
	for (;;) {
		shared[PROBE_PROGRESS]++;
	}
}

static _Noreturn void sleep_forever(void)
{
	for (;;) {
		board_wfi();
	}
}

static void interrupts_on(void)
{
	board_sysreg_write(icc_sre_el1, 7u);
	board_isb();
	board_sysreg_write(icc_pmr_el1, 0xffu);
	board_sysreg_write(icc_igrpen1_el1, 1u);
	board_isb();
	__asm__ volatile("msr daifclr, #2");
}

void probe_irq(void)
{
	uint64_t irq = board_sysreg_read(icc_iar1_el1);

	if (irq == GUEST_IRQ_TIMER) {
		irq_time = now();
		timer_irqs++;
		board_sysreg_write(cntv_ctl_el0, 0u);
		board_isb();
	} else if (irq == GUEST_IRQ_POISE) {
		poise_irqs++;
	} else {
		other_irqs++;
	}
	shared[PROBE_RESULT + 8] = timer_irqs;
	shared[PROBE_RESULT + 9] = poise_irqs;
	board_sysreg_write(icc_eoir1_el1, irq);
}

static bool undefined_was_taken(uint64_t before)
{
	return probe_exceptions[0] == before + 1u && probe_exceptions[1] >> 26 == 0;
}

#define CHECK_UNDEFINED(instruction)                                \
	do {                                                        \
		uint64_t before_ = probe_exceptions[0];             \
		__asm__ volatile(instruction : : : "x0", "memory"); \
		CHECK(undefined_was_taken(before_));                \
	} while (0)

/* What a guest does not have: each use is an undefined instruction exception of its own. */
static int do_undefined(void)
{
	CHECK_UNDEFINED(".inst 0");
	CHECK_UNDEFINED("mrs x0, cntpct_el0");
	CHECK_UNDEFINED("mrs x0, cntp_ctl_el0");
	CHECK_UNDEFINED("msr cntp_cval_el0, xzr");
	CHECK_UNDEFINED("mrs x0, pmcr_el0");
	CHECK_UNDEFINED("mrs x0, pmccntr_el0");
	CHECK_UNDEFINED("mrs x0, mdscr_el1");
	CHECK_UNDEFINED("msr dbgbvr0_el1, xzr");
	CHECK_UNDEFINED("mrs x0, oslsr_el1");
	CHECK_UNDEFINED("mrs x0, actlr_el1");
	CHECK_UNDEFINED("msr icc_sgi1r_el1, xzr");
	CHECK_UNDEFINED("mrs x0, hcr_el2");
	CHECK_UNDEFINED("msr vttbr_el2, xzr");
	return 0;
}

static int do_float(void)
{
	/* Allowed as far as the guest itself is concerned: what traps then is the monitor's doing.
	 */
	board_sysreg_write(cpacr_el1, UINT64_C(3) << 20);
	board_isb();
	CHECK_UNDEFINED(".arch_extension fp\n\tfmov d0, xzr");
	CHECK_UNDEFINED("movi v0.2d, #0");
	CHECK_UNDEFINED("ldr q0, [sp]");
	CHECK_UNDEFINED("mrs x0, fpcr");
	return 0;
}

/* Block device: bounds, contents, cost. */
static int do_block(void)
{
	uint64_t page = PROBE_BUFFER;
	uint32_t vm = (uint32_t)argument("vm", 0);
	uint64_t start;

	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, page, 0) == HVC_INVALID && second == 0);
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, page, HVC_BLK_MAX + 1) == HVC_INVALID);
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, page, UINT64_MAX) == HVC_INVALID);
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, page + 8, 1) == HVC_INVALID);
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, 0x40100000, 1) == HVC_INVALID);
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, ram_end() - PAGE, 2) == HVC_INVALID);
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK + boot->file_blocks, page, 1) == HVC_DENIED);
	CHECK(call(HVC_BLK_READ, boot->swap_blocks, page, 1) == HVC_DENIED);
	CHECK(call(HVC_BLK_READ, UINT64_MAX, page, 1) == HVC_DENIED);
	CHECK(call(HVC_BLK_WRITE, HVC_FILE_BLOCK, page, 1) == HVC_DENIED);
	CHECK(call(HVC_BLK_WRITE, boot->swap_blocks, page, 1) == HVC_DENIED);
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, balloon_start(), 1) == HVC_DENIED);
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, balloon_start() - 0 * PAGE, 1) == HVC_DENIED);

	/* The end of an area, and the edge of the balloon, make a request shorter. */
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK + boot->file_blocks - 1, page, 4) == HVC_OK &&
	      second == 1);
	CHECK(call(HVC_BLK_WRITE, boot->swap_blocks - 2, page, 4) == HVC_OK && second == 2);

	/* File contents are what everybody computes. */
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK + 5, page, 3) == HVC_OK && second == 3);
	for (uint32_t i = 0; i < 3u * 512u; i++) {
		CHECK(word_at(page)[i] == board_block_word(vm, 5u + i / 512u, i % 512u));
	}

	/* Swap: zero before it was written, then what was written. */
	CHECK(call(HVC_BLK_READ, 10, page, 2) == HVC_OK && filled(page, 2, 0));
	fill(page, 1, PROBE_PATTERN);
	CHECK(call(HVC_BLK_WRITE, 11, page, 1) == HVC_OK && second == 1);
	CHECK(call(HVC_BLK_READ, 10, page, 3) == HVC_OK && second == 3);
	CHECK(filled(page, 1, 0) && filled(page + PAGE, 1, PROBE_PATTERN) &&
	      filled(page + 2 * PAGE, 1, 0));

	/* Cost: latency plus bytes; 4 KiB read 150 + 41 us, 64 written 250 + 6554 us. */
	start = now();
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, page, 1) == HVC_OK);
	shared[PROBE_RESULT] = ns_since(start);
	CHECK(shared[PROBE_RESULT] >= 190960 && shared[PROBE_RESULT] < 230000);
	fill(page, 64, 1);
	start = now();
	CHECK(call(HVC_BLK_WRITE, 0, page, 64) == HVC_OK && second == 64);
	shared[PROBE_RESULT + 1] = ns_since(start);
	CHECK(shared[PROBE_RESULT + 1] >= 6803600 && shared[PROBE_RESULT + 1] < 7200000);
	return 0;
}

/* Deadlines from 10 us to 2 ms by WFI and by spinning; the worst lateness goes to the shared page.
 */
static int do_timer(void)
{
	uint64_t worst = 0;
	uint64_t tick_ns = UINT64_C(1000000000) / board_sysreg_read(cntfrq_el0);

	interrupts_on();
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t seen = timer_irqs;
		uint64_t due = now() + (10000u + i * 10000u) / tick_ns;
		board_sysreg_write(cntv_cval_el0, due);
		board_sysreg_write(cntv_ctl_el0, 1u);
		board_isb();
		while (timer_irqs == seen) {
			if (i % 2u == 0) {
				__asm__ volatile("msr daifset, #2");
				if (timer_irqs == seen) {
					board_wfi();
				}
				__asm__ volatile("msr daifclr, #2\n\tisb");
			}
		}
		CHECK(irq_time >= due);
		CHECK(timer_irqs == seen + 1u);
		worst = (irq_time - due) * tick_ns > worst ? (irq_time - due) * tick_ns : worst;
	}
	shared[PROBE_RESULT] = worst;
	CHECK(other_irqs == 0);
	return 0;
}

/* Overwrites its own code with nonsense, then goes there. */
static _Noreturn void do_suicide(void)
{
	board_sysreg_write(vbar_el1, 0u);
	board_isb();
	__asm__ volatile(".inst 0");
	for (;;) {
		continue;
	}
}

int probe_main(const struct board_boot *record)
{
	boot = record;
	if (does("exit")) {
		return (int)argument("status", 0);
	} else if (does("count")) {
		count_forever();
	} else if (does("sleep")) {
		sleep_forever();
	} else if (does("spin")) {
		__asm__ volatile("msr daifset, #15\n1: b 1b");
	} else if (does("read")) {
		return (int)*word_at(argument("ipa", 0)) & 0;
	} else if (does("write")) {
		*word_at(argument("ipa", 0)) = 1;
	} else if (does("jump")) {
		((void (*)(void))(uintptr_t)argument("ipa", 0))();
	} else if (does("fill")) {
		fill(PROBE_BUFFER, argument("pages", 1), argument("pattern", PROBE_PATTERN));
		shared[PROBE_PROGRESS] = 1;
		sleep_forever();
	} else if (does("verify")) {
		return filled(PROBE_BUFFER, argument("pages", 1), argument("pattern", 0)) ? 0 : 1;
	} else if (does("guard")) {
		/* Writes its pattern, and from then on watches that nobody changes it. */
		uint64_t pages = argument("pages", 64);
		fill(PROBE_BUFFER, pages, argument("pattern", PROBE_PATTERN));
		while (filled(PROBE_BUFFER, pages, argument("pattern", PROBE_PATTERN))) {
			shared[PROBE_PROGRESS]++;
		}
		return 1;
	} else if (does("flood")) {
		CHECK(call(HVC_PAGES, PROBE_GUEST, PROBE_HOST, 0) == HVC_OK);
		for (;;) {
			CHECK(call(HVC_URGENT, 0, 0, 0) == HVC_OK);
			shared[PROBE_PROGRESS]++;
		}
	} else if (does("early")) {
		for (int i = 0; i < 100; i++) {
			CHECK(call(HVC_URGENT, (uint64_t)i, 0, 0) == HVC_OK);
		}
	} else if (does("shout")) {
		for (;;) {
			CHECK(call(HVC_CONSOLE, (uint64_t)(uintptr_t) "\033[2Jnoise", 9, 0) ==
			      HVC_OK);
			shared[PROBE_PROGRESS]++;
		}
	} else if (does("disk")) {
		for (;;) {
			CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, PROBE_BUFFER, 64) == HVC_OK);
			shared[PROBE_PROGRESS]++;
		}
	} else if (does("hostpage")) {
		CHECK(call(HVC_PAGES, PROBE_GUEST, PROBE_HOST, 0) == HVC_OK);
		*word_at(PROBE_HOST) = 1;
	} else if (does("listen")) {
		interrupts_on();
		CHECK(call(HVC_PAGES, PROBE_GUEST, PROBE_HOST, 0) == HVC_OK);
		sleep_forever();
	} else if (does("balloon")) {
		return do_balloon();
	} else if (does("pages")) {
		return do_pages();
	} else if (does("hostile")) {
		return do_hostile();
	} else if (does("unknown")) {
		return do_unknown();
	} else if (does("undefined")) {
		return do_undefined();
	} else if (does("float")) {
		return do_float();
	} else if (does("block")) {
		return do_block();
	} else if (does("timer")) {
		return do_timer();
	} else if (does("suicide")) {
		do_suicide();
	} else {
		return 1000;
	}
	return 0;
}
