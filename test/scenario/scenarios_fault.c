/* SPDX-License-Identifier: MIT */
/* The scripts that are about one fault of the catalogue each; tables, see script.h. */
#include "script.h"

/* A donor, a needy one and one that has enough; what VM 0 or 1 does is the fault. */
static const struct scenario_vm trio_vm[] = {
	{64, 256, 600, 100, 0, 60, 20, 0},
	{64, 256, 600, 100, 0, 220, 20, 0},
	{64, 256, 600, 100, 0, 150, 30, 0},
};

static const struct scenario_step partial_step[] = {
	{1, STEP_BALLOON, 0, BALLOON_PARTIAL, 370},
	{5, STEP_DEMAND, 1, 330, 20},
};
static const struct scenario_expect partial_expect[] = {
	{0, EXPECT_SIZE_LEAST, 0, 65},
	{0, EXPECT_SIZE_LEAST, 1, 320},
};

static const struct scenario_step crawl_step[] = {
	{1, STEP_BALLOON, 0, BALLOON_CRAWL, 0},
	{5, STEP_DEMAND, 1, 330, 20},
};
static const struct scenario_expect crawl_expect[] = {
	{0, EXPECT_ERRORS, 42, 2},
	{0, EXPECT_SIZE_LEAST, 0, 255},
	{0, EXPECT_ASKED_MOST, 0, 22},
	{0, EXPECT_UNMET_MOST, 2, 0},
};

static const struct scenario_step moody_step[] = {
	{1, STEP_BALLOON, 0, BALLOON_MOODY, 1000},
	{5, STEP_DEMAND, 1, 330, 20},
};
static const struct scenario_expect moody_expect[] = {
	{18, EXPECT_ERRORS, 42, 2},
	{0, EXPECT_ERRORS, 42, 4},
	{0, EXPECT_ASKED_MOST, 0, 40},
};

static const struct scenario_step rate_step[] = {
	{1, STEP_BALLOON, 0, BALLOON_RATE, 1500},
	{5, STEP_DEMAND, 1, 330, 20},
};
static const struct scenario_expect rate_expect[] = {
	{0, EXPECT_UNMET_MOST, 1, 0},
	{0, EXPECT_SIZE_MOST, 0, 200},
};

static const struct scenario_step over_step[] = {
	{1, STEP_BALLOON, 0, BALLOON_OVER, 2000},
	{5, STEP_DEMAND, 1, 330, 20},
	{14, STEP_BALLOON, 0, BALLOON_IDEAL, 0},
};
static const struct scenario_expect over_expect[] = {
	{0, EXPECT_UNMET_MOST, 0, 0},
	{0, EXPECT_UNMET_MOST, 1, 0},
};

static const struct scenario_step leak_step[] = {
	{6, STEP_BALLOON, 0, BALLOON_LEAK, 3000},
	{18, STEP_BALLOON, 0, BALLOON_IDEAL, 0},
	{18, STEP_DEMAND, 1, 330, 20},
};
static const struct scenario_expect leak_expect[] = {
	{17, EXPECT_SIZE_LEAST, 1, 64}, {17, EXPECT_SIZE_LEAST, 2, 64},
	{0, EXPECT_FREE_LEAST, 0, 0},   {0, EXPECT_UNMET_MOST, 1, 0},
	{0, EXPECT_UNMET_MOST, 2, 0},
};

static const struct scenario_step colluders_step[] = {
	{3, STEP_REPORT, 0, REPORT_STARVING, 0},
	{3, STEP_REPORT, 1, REPORT_STARVING, 0},
	{8, STEP_DEMAND, 2, 400, 0},
};
static const struct scenario_expect colluders_expect[] = {
	/* 576 MiB above the reservations: a third is 192. What the liars have beyond goes by an
	 * eighth a second. */
	{0, EXPECT_SIZE_LEAST, 2, 228},
	{0, EXPECT_SIZE_MOST, 0, 270},
	{0, EXPECT_SIZE_MOST, 1, 270},
};

static const struct scenario_step square_step[] = {
	{3, STEP_REPORT, 0, REPORT_SQUARE, 1},
	{16, STEP_REPORT, 0, REPORT_SQUARE, 3},
};
static const struct scenario_expect square_expect[] = {
	{0, EXPECT_UNMET_MOST, 2, 0},
	{0, EXPECT_SIZE_LEAST, 0, 64},
	/* Its neighbours lose and get back headroom with it, a few MiB a second, and no more. */
	{0, EXPECT_MOVED_MOST, 1, 400},
	{0, EXPECT_MOVED_MOST, 2, 400},
};

static const struct scenario_step under_step[] = {
	{3, STEP_REPORT, 1, REPORT_IDLE, 0},
	{20, STEP_REPORT, 1, REPORT_HONEST, 0},
};
static const struct scenario_expect under_expect[] = {
	{19, EXPECT_SIZE_LEAST, 1, 64},
	{0, EXPECT_UNMET_MOST, 1, 0},
	{0, EXPECT_UNMET_MOST, 2, 0},
};

static const struct scenario_step broken_step[] = {
	{3, STEP_REPORT, 0, REPORT_BROKEN, 0},
	{3, STEP_REPORT, 1, REPORT_WILD, 0},
	{16, STEP_REPORT, 0, REPORT_HONEST, 0},
	{16, STEP_REPORT, 1, REPORT_HONEST, 0},
};
static const struct scenario_expect broken_expect[] = {
	{15, EXPECT_STATE, 0, POISE_VM_QUARANTINED},
	{15, EXPECT_STATE, 1, POISE_VM_QUARANTINED},
	{15, EXPECT_SIZE_LEAST, 0, 250},
	{15, EXPECT_UNMET_MOST, 2, 0},
	{0, EXPECT_STATE, 0, POISE_VM_MANAGED},
	{0, EXPECT_STATE, 1, POISE_VM_MANAGED},
};

static const struct scenario_step writers_step[] = {
	{3, STEP_REPORT, 0, REPORT_REWIND, 0},
	{26, STEP_REPORT, 0, REPORT_HONEST, 0},
};
static const struct scenario_expect writers_expect[] = {
	{25, EXPECT_STATE, 0, POISE_VM_QUARANTINED},
	{25, EXPECT_SIZE_MOST, 0, 256},
	{0, EXPECT_STATE, 0, POISE_VM_MANAGED},
};

static const struct scenario_step total_step[] = {
	{5, STEP_REPORT, 0, REPORT_TOTAL, 0},
	{20, STEP_REPORT, 0, REPORT_HONEST, 0},
};
static const struct scenario_expect total_expect[] = {
	{7, EXPECT_ERRORS, 28, 3},
	{14, EXPECT_STATE, 0, POISE_VM_QUARANTINED},
	{0, EXPECT_STATE, 0, POISE_VM_MANAGED},
};

static const struct scenario_step gone_step[] = {
	{8, STEP_REPORT, 0, REPORT_GONE, 0},
	{18, STEP_REPORT, 0, REPORT_HONEST, 0},
};
static const struct scenario_expect gone_expect[] = {
	{17, EXPECT_STATE, 0, POISE_VM_UNMANAGED},
	{0, EXPECT_STATE, 0, POISE_VM_MANAGED},
	{0, EXPECT_UNMET_MOST, 1, 0},
};

static const struct scenario_step gclock_step[] = {{2, STEP_REPORT, 0, REPORT_CLOCK, 0}};
static const struct scenario_expect gclock_expect[] = {
	{0, EXPECT_STATE, 0, POISE_VM_MANAGED},
	{0, EXPECT_UNMET_MOST, 0, 0},
};

static const struct scenario_step blind_step[] = {
	{5, STEP_BLIND, 0, 1, 0},  {5, STEP_BLIND, 2, 2, 0},  {7, STEP_DEMAND, 1, 330, 20},
	{16, STEP_BLIND, 0, 0, 0}, {16, STEP_BLIND, 2, 0, 0},
};
static const struct scenario_expect blind_expect[] = {
	{15, EXPECT_ERRORS, 40, 20}, /* PORT */
	{0, EXPECT_UNMET_MOST, 1, 0},
};

static const struct scenario_step suspend_step[] = {
	{6, STEP_FLAGS, 0, POISE_VM_FREEZE, 0},
	{6, STEP_REPORT, 0, REPORT_SILENT, 0},
	{6, STEP_BALLOON, 0, BALLOON_STUCK, 0},
	{8, STEP_DEMAND, 1, 330, 20},
	{20, STEP_BALLOON, 0, BALLOON_IDEAL, 0},
	{20, STEP_REPORT, 0, REPORT_HONEST, 0},
	{20, STEP_FLAGS, 0, 0, 0},
};
static const struct scenario_expect suspend_expect[] = {
	{7, EXPECT_STATE, 0, POISE_VM_FROZEN},
	{19, EXPECT_STATE, 0, POISE_VM_FROZEN},
	{0, EXPECT_STATE, 0, POISE_VM_MANAGED},
	{0, EXPECT_UNMET_MOST, 1, 0},
};

static const struct scenario_step limits_step[] = {
	{1, STEP_BALLOON, 0, BALLOON_RATE, 2000},
	{5, STEP_DEMAND, 1, 330, 20},
	{7, STEP_LIMITS, 0, 200, 300},
	{9, STEP_LIMITS, 1, 64, 280},
	{11, STEP_WEIGHT, 2, 65535, 0},
	{13, STEP_LIMITS, 0, 64, 600},
	{13, STEP_LIMITS, 1, 64, 600},
	{15, STEP_LIMITS, 2, 700, 600}, /* contradictory: refused */
	{15, STEP_LIMITS, 2, 700, 700}, /* does not fit: refused */
	{15, STEP_LIMITS, 2, 64, 600},
};
static const struct scenario_expect limits_expect[] = {
	{12, EXPECT_SIZE_LEAST, 0, 200}, {12, EXPECT_SIZE_MOST, 1, 280}, {16, EXPECT_ERRORS, 4, 1},
	{16, EXPECT_ERRORS, 7, 1},       {0, EXPECT_UNMET_MOST, 1, 0},
};

static const struct scenario_step jitter_step[] = {
	{2, STEP_DEMAND, 1, 300, 20}, {3, STEP_BEAT, 0, 500, 0},   {5, STEP_BEAT, 0, 1500, 0},
	{8, STEP_BEAT, 0, 700, 0},    {11, STEP_BEAT, 0, 1300, 0}, {13, STEP_BEAT, 0, 1000, 20},
	{15, STEP_BEAT, 0, 1000, 5},
};
static const struct scenario_expect jitter_expect[] = {
	{0, EXPECT_UNMET_MOST, 0, 0},
	{0, EXPECT_UNMET_MOST, 1, 0},
	{0, EXPECT_UNMET_MOST, 2, 0},
	{0, EXPECT_MOVED_MOST, 0, 200},
};

static const struct scenario_step missed_step[] = {
	{5, STEP_BEAT, 0, 2000, 0},   {6, STEP_BEAT, 0, 0, 0},        {9, STEP_BEAT, 0, 11000, 0},
	{10, STEP_BEAT, 0, 0, 0},     {14, STEP_BEAT, 0, 1001000, 0}, {15, STEP_BEAT, 0, 0, 0},
	{18, STEP_DEMAND, 1, 330, 0},
};
static const struct scenario_expect missed_expect[] = {
	/* A gap is no reason to take more at once: half a VM a second, over two seconds at most. */
	{15, EXPECT_SIZE_LEAST, 0, 64},
	{0, EXPECT_UNMET_MOST, 1, 0},
	{0, EXPECT_UNMET_MOST, 2, 0},
};

static const struct scenario_step clock_step[] = {
	{5, STEP_CLOCK, 0, 3600 * 1000, 0}, /* an hour ahead */
	{12, STEP_CLOCK, 0, MINUS(4000), 0},
	{20, STEP_DEMAND, 1, 330, 0},
};
static const struct scenario_expect clock_expect[] = {
	{11, EXPECT_STATE, 0, POISE_VM_MANAGED},
	{0, EXPECT_STATE, 0, POISE_VM_MANAGED},
	{0, EXPECT_UNMET_MOST, 1, 0},
};

#define partial_vm   trio_vm
#define crawl_vm     trio_vm
#define moody_vm     trio_vm
#define rate_vm      trio_vm
#define over_vm      trio_vm
#define leak_vm      trio_vm
#define colluders_vm trio_vm
#define square_vm    trio_vm
#define under_vm     trio_vm
#define broken_vm    trio_vm
#define writers_vm   trio_vm
#define total_vm     trio_vm
#define gone_vm      trio_vm
#define gclock_vm    trio_vm
#define blind_vm     trio_vm
#define suspend_vm   trio_vm
#define limits_vm    trio_vm
#define jitter_vm    trio_vm
#define missed_vm    trio_vm
#define clock_vm     trio_vm

const struct scenario scenarios_fault[] = {
	SCENARIO(partial, "partial-balloon", 768, 30),
	SCENARIO(crawl, "crawling-balloon", 768, 40),
	SCENARIO(moody, "moody-balloon", 768, 62),
	SCENARIO(rate, "slow-balloon", 768, 30),
	SCENARIO(over, "over-inflation", 768, 26),
	SCENARIO(leak, "deflates-by-itself", 768, 32),
	SCENARIO(colluders, "colluders", 768, 30),
	SCENARIO(square, "square-wave", 768, 34),
	SCENARIO(under, "under-reporter", 768, 32),
	SCENARIO(broken, "broken-pages", 768, 28),
	SCENARIO(writers, "two-writers", 768, 36),
	SCENARIO(total, "total-changes", 768, 30),
	SCENARIO(gone, "page-gone", 768, 26),
	SCENARIO(gclock, "guest-clock", 768, 20),
	SCENARIO(blind, "measure-fails", 768, 26),
	SCENARIO(suspend, "suspended", 768, 32),
	SCENARIO(limits, "reconfigured", 768, 26),
	SCENARIO(jitter, "jitter", 768, 24),
	SCENARIO(missed, "missed-ticks", 768, 30),
	SCENARIO(clock, "host-clock", 768, 34),
};
const uint32_t scenario_fault_count = COUNT(scenarios_fault);
