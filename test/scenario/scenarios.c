/* SPDX-License-Identifier: MIT */
/*
 * The scripts. Sizes in MiB, times in ticks of one second. A row of `vm` is
 *	{min, boot, max, weight, flags, anonymous, cache, late}
 * one of `step` {tick, what, vm, a, b}, one of `expect` {tick, what, vm, value}; see scenario.h.
 */
#include "scenario.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define SCENARIO(id, title, mib, length)                                                  \
	{                                                                                 \
		.name = (title), .pool = (mib), .ticks = (length), .vms = COUNT(id##_vm), \
		.steps = COUNT(id##_step), .expects = COUNT(id##_expect), .vm = id##_vm,  \
		.step = id##_step, .expect = id##_expect, .seed = 0x9e3779b97f4a7c15u     \
	}
#define MINUS(n) ((uint32_t) - (n))

/* --- the Smart TV: video, web, game take turns --- */

static const struct scenario_vm tv_vm[] = {
	{96, 340, 900, 100, 0, 180, 100, 0},
	{96, 340, 900, 100, 0, 120, 60, 0},
	{96, 340, 900, 100, 0, 100, 40, 0},
};
static const struct scenario_step tv_step[] = {
	{4, STEP_GROWTH, 0, 20 * SCENARIO_MIB, 0},
	{14, STEP_GROWTH, 0, 0, 0},
	{16, STEP_DEMAND, 0, 150, 80},
	{17, STEP_GROWTH, 2, 25 * SCENARIO_MIB, 0},
	{27, STEP_GROWTH, 2, 0, 0},
};
static const struct scenario_expect tv_expect[] = {
	{15, EXPECT_UNMET_MOST, 0, 0}, {15, EXPECT_SIZE_LEAST, 0, 390},
	{0, EXPECT_UNMET_MOST, 0, 0},  {0, EXPECT_UNMET_MOST, 1, 0},
	{0, EXPECT_UNMET_MOST, 2, 0},  {0, EXPECT_SIZE_LEAST, 2, 350},
};

/* --- all needy at once: reservations, then shares by weight --- */

static const struct scenario_vm needy_vm[] = {
	{64, 256, 1024, 100, 0, 150, 50, 0},
	{64, 256, 1024, 100, 0, 150, 50, 0},
	{64, 256, 1024, 200, 0, 150, 50, 0},
	{64, 256, 1024, 400, 0, 150, 50, 0},
};
static const struct scenario_step needy_step[] = {
	{5, STEP_DEMAND, 0, 900, 0},
	{5, STEP_DEMAND, 1, 900, 0},
	{5, STEP_DEMAND, 2, 900, 0},
	{5, STEP_DEMAND, 3, 900, 0},
};
static const struct scenario_expect needy_expect[] = {
	/* 1008 MiB without the reserve, 752 above the reservations: 94, 94, 188, 376 by weight. */
	{0, EXPECT_SIZE_LEAST, 0, 150}, {0, EXPECT_SIZE_MOST, 0, 175},
	{0, EXPECT_SIZE_LEAST, 1, 150}, {0, EXPECT_SIZE_MOST, 1, 175},
	{0, EXPECT_SIZE_LEAST, 2, 240}, {0, EXPECT_SIZE_MOST, 2, 262},
	{0, EXPECT_SIZE_LEAST, 3, 420}, {0, EXPECT_SIZE_MOST, 3, 450},
};

/* --- one liar among the honest --- */

static const struct scenario_vm liar_vm[] = {
	{96, 256, 700, 100, 0, 60, 20, 0},
	{96, 256, 700, 100, 0, 180, 40, 0},
	{96, 256, 700, 100, 0, 150, 60, 0},
};
static const struct scenario_step liar_step[] = {
	{3, STEP_REPORT, 0, REPORT_STARVING, 0},
	{8, STEP_DEMAND, 1, 260, 20},
};
static const struct scenario_expect liar_expect[] = {
	/* Its reservation and a third of the rest: 96 + 156. */
	{0, EXPECT_SIZE_MOST, 0, 340},  {0, EXPECT_SIZE_LEAST, 0, 96},
	{0, EXPECT_SIZE_LEAST, 1, 235}, {0, EXPECT_SIZE_LEAST, 2, 170},
	{0, EXPECT_UNMET_MOST, 2, 0},
};

/* --- a donor whose balloon is stuck --- */

static const struct scenario_vm stuck_vm[] = {
	{64, 320, 640, 100, 0, 40, 20, 0},
	{64, 320, 640, 100, 0, 280, 40, 0},
	{64, 320, 640, 100, 0, 120, 40, 0},
};
static const struct scenario_step stuck_step[] = {
	{1, STEP_BALLOON, 0, BALLOON_STUCK, 0},
	{5, STEP_GROWTH, 1, 15 * SCENARIO_MIB, 0},
	{12, STEP_GROWTH, 1, 0, 0},
	{22, STEP_BALLOON, 0, BALLOON_IDEAL, 0},
	{24, STEP_GROWTH, 1, 15 * SCENARIO_MIB, 0},
	{30, STEP_GROWTH, 1, 0, 0},
};
static const struct scenario_expect stuck_expect[] = {
	{20, EXPECT_ERRORS, 42, 1}, /* LOST */
	{20, EXPECT_SIZE_LEAST, 0, 320},
	{20, EXPECT_SIZE_MOST, 0, 320},
	/* Left alone longer and longer, not asked with every tick. */
	{24, EXPECT_ASKED_MOST, 0, 14},
	{0, EXPECT_UNMET_MOST, 1, 0},
	{0, EXPECT_SIZE_MOST, 0, 280},
};

/* --- VMs come, go, crash and start again while memory is on its way --- */

static const struct scenario_vm life_vm[] = {
	{64, 256, 700, 100, 0, 120, 40, 0},
	{64, 256, 700, 100, 0, 300, 40, 0},
	{64, 256, 700, 100, 0, 150, 40, 1},
	{64, 200, 700, 200, 0, 260, 20, 1},
};
static const struct scenario_step life_step[] = {
	{1, STEP_BALLOON, 0, BALLOON_RATE, 2048},
	{4, STEP_ADD, 2, 0, 0},
	{8, STEP_GROWTH, 1, 10 * SCENARIO_MIB, 0},
	{10, STEP_REMOVE, 2, 0, 0}, /* destroyed while it may be growing */
	{11, STEP_ADD, 3, 0, 0},
	{12, STEP_GROWTH, 1, 0, 0},
	{14, STEP_REPORT, 1, REPORT_SILENT, 0}, /* crashed: nobody has noticed yet */
	{15, STEP_BALLOON, 1, BALLOON_STUCK, 0},
	{18, STEP_REMOVE, 1, 0, 0},
	{18, STEP_ADD, 1, 0, 0}, /* and started again at once */
	{20, STEP_RESTART, 3, 0, 0},
	{22, STEP_REBOOT, 0, 0, 0},
	{24, STEP_ADD, 2, 0, 0},
};
static const struct scenario_expect life_expect[] = {
	{0, EXPECT_STATE, 0, POISE_VM_MANAGED}, {0, EXPECT_STATE, 1, POISE_VM_MANAGED},
	{0, EXPECT_STATE, 2, POISE_VM_MANAGED}, {0, EXPECT_STATE, 3, POISE_VM_MANAGED},
	{0, EXPECT_SIZE_LEAST, 1, 200},
};

/* --- the pool shrinks and grows --- */

static const struct scenario_vm pool_vm[] = {
	{96, 300, 700, 100, 0, 220, 40, 0},
	{96, 300, 700, 100, 0, 160, 60, 0},
	{96, 300, 700, 300, 0, 240, 20, 0},
};
static const struct scenario_step pool_step[] = {
	{6, STEP_POOL, 0, 600, 0},
	{14, STEP_POOL, 0, 300, 0},
	{22, STEP_POOL, 0, 100, 0}, /* below the reservations: refused */
	{24, STEP_POOL, 0, 1200, 0},
};
static const struct scenario_expect pool_expect[] = {
	{13, EXPECT_FREE_LEAST, 0, 0},  {22, EXPECT_FREE_LEAST, 0, 0},
	{22, EXPECT_SIZE_LEAST, 0, 94}, {22, EXPECT_SIZE_LEAST, 1, 94},
	{22, EXPECT_SIZE_LEAST, 2, 94}, {23, EXPECT_ERRORS, 7, 1}, /* INFEASIBLE */
	{0, EXPECT_UNMET_MOST, 0, 0},   {0, EXPECT_UNMET_MOST, 2, 0},
};

/* --- an idle one full of page cache beside one that starves --- */

static const struct scenario_vm hoard_vm[] = {
	{64, 512, 700, 100, 0, 60, 440, 0},
	{64, 256, 700, 100, 0, 420, 10, 0},
};
static const struct scenario_step hoard_step[] = {
	{12, STEP_GROWTH, 1, 2 * SCENARIO_MIB, 0},
	{22, STEP_GROWTH, 1, 0, 0},
};
static const struct scenario_expect hoard_expect[] = {
	{10, EXPECT_UNMET_MOST, 1, 60},
	{0, EXPECT_SIZE_LEAST, 0, 64},
	{0, EXPECT_UNMET_MOST, 1, 20},
	{0, EXPECT_UNMET_MOST, 0, 0},
};

/* --- two in antiphase --- */

static const struct scenario_vm phase_vm[] = {
	{64, 256, 460, 100, 0, 100, 20, 0},
	{64, 256, 460, 100, 0, 300, 20, 0},
};
static const struct scenario_step phase_step[] = {
	{8, STEP_DEMAND, 0, 300, 20},  {8, STEP_DEMAND, 1, 100, 20},  {16, STEP_DEMAND, 0, 100, 20},
	{16, STEP_DEMAND, 1, 300, 20}, {24, STEP_DEMAND, 0, 300, 20}, {24, STEP_DEMAND, 1, 100, 20},
};
static const struct scenario_expect phase_expect[] = {
	{15, EXPECT_UNMET_MOST, 0, 4},
	{23, EXPECT_UNMET_MOST, 1, 4},
	{0, EXPECT_UNMET_MOST, 0, 4},
};

/* --- sixteen of all kinds --- */

static const struct scenario_vm many_vm[] = {
	{32, 96, 400, 100, 0, 60, 20, 0},
	{32, 96, 400, 100, 0, 110, 20, 0},
	{32, 96, 400, 100, 0, 50, 20, 0},
	{32, 96, 400, 200, 0, 130, 20, 0},
	{32, 96, 400, 50, 0, 60, 60, 0},
	{32, 96, 400, 100, POISE_VM_STATIC, 60, 20, 0},
	{32, 96, 400, 100, POISE_VM_FREEZE, 60, 20, 0},
	{32, 96, 400, 100, 0, 20, 10, 0},
	{32, 96, 400, 100, 0, 30, 10, 0},
	{32, 96, 400, 100, 0, 80, 80, 0},
	{32, 96, 400, 65535, 0, 70, 10, 0},
	{32, 96, 400, 1, 0, 70, 10, 0},
	{32, 96, 400, 100, 0, 60, 20, 0},
	{32, 96, 400, 100, 0, 60, 20, 0},
	{32, 96, 400, 100, 0, 60, 20, 0},
	{32, 96, 400, 100, 0, 60, 20, 0},
};
static const struct scenario_step many_step[] = {
	{1, STEP_BALLOON, 2, BALLOON_STUCK, 0},           {1, STEP_BALLOON, 7, BALLOON_RATE, 500},
	{1, STEP_BALLOON, 8, BALLOON_PARTIAL, 500},       {3, STEP_REPORT, 12, REPORT_STARVING, 0},
	{3, STEP_REPORT, 13, REPORT_RANDOM, 0},           {3, STEP_REPORT, 14, REPORT_WILD, 0},
	{3, STEP_REPORT, 15, REPORT_SILENT, 0},           {6, STEP_GROWTH, 1, 4 * SCENARIO_MIB, 0},
	{14, STEP_GROWTH, 1, MINUS(2 * SCENARIO_MIB), 0}, {10, STEP_REMOVE, 9, 0, 0},
};
static const struct scenario_expect many_expect[] = {
	{0, EXPECT_UNMET_MOST, 3, 0},           {0, EXPECT_SIZE_LEAST, 6, 96},
	{0, EXPECT_SIZE_MOST, 6, 96},           {0, EXPECT_STATE, 6, POISE_VM_FROZEN},
	{0, EXPECT_STATE, 15, POISE_VM_FROZEN},
};

/* --- too small for everybody --- */

static const struct scenario_vm small_vm[] = {
	{128, 200, 600, 100, 0, 500, 100, 0},
	{128, 200, 600, 100, 0, 500, 100, 0},
	{128, 200, 600, 100, 0, 500, 100, 0},
};
static const struct scenario_step small_step[] = {
	{10, STEP_DEMAND, 0, 580, 100},
	{20, STEP_WEIGHT, 1, 1000, 0},
};
static const struct scenario_expect small_expect[] = {
	{19, EXPECT_SIZE_LEAST, 0, 180}, {19, EXPECT_SIZE_LEAST, 1, 180},
	{19, EXPECT_SIZE_LEAST, 2, 180}, {0, EXPECT_SIZE_LEAST, 0, 128},
	{0, EXPECT_SIZE_LEAST, 1, 260},  {0, EXPECT_SIZE_LEAST, 2, 128},
};

/* --- a guest that reboots all the time --- */

static const struct scenario_vm boots_vm[] = {
	{64, 200, 600, 100, 0, 150, 30, 0},
	{64, 200, 600, 100, 0, 260, 30, 0},
	{64, 200, 600, 100, 0, 60, 20, 0},
};
static const struct scenario_step boots_step[] = {
	{6, STEP_REPORT, 0, REPORT_REBOOT, 0},
	{20, STEP_REPORT, 0, REPORT_HONEST, 0},
};
static const struct scenario_expect boots_expect[] = {
	{19, EXPECT_SIZE_LEAST, 0, 200}, {19, EXPECT_SIZE_MOST, 0, 200},
	{19, EXPECT_UNMET_MOST, 1, 0},   {0, EXPECT_STATE, 0, POISE_VM_MANAGED},
	{0, EXPECT_UNMET_MOST, 1, 0},
};

/* --- statistics go stale and come back --- */

static const struct scenario_vm stale_vm[] = {
	{64, 200, 600, 100, 0, 300, 30, 0},
	{64, 200, 600, 100, 0, 100, 30, 0},
	{64, 200, 600, 100, 0, 60, 20, 0},
};
static const struct scenario_step stale_step[] = {
	{8, STEP_REPORT, 0, REPORT_TORN, 0},
	{10, STEP_REPORT, 1, REPORT_SILENT, 0},
	{21, STEP_REPORT, 1, REPORT_HONEST, 0},
	{22, STEP_REPORT, 0, REPORT_HONEST, 0},
};
static const struct scenario_expect stale_expect[] = {
	{12, EXPECT_STATE, 1, POISE_VM_STALE},  {15, EXPECT_STATE, 0, POISE_VM_QUARANTINED},
	{20, EXPECT_STATE, 1, POISE_VM_FROZEN}, {21, EXPECT_STATE, 1, POISE_VM_MANAGED},
	{0, EXPECT_STATE, 0, POISE_VM_MANAGED}, {0, EXPECT_UNMET_MOST, 0, 0},
};

/* --- a storm of doorbells --- */

static const struct scenario_vm storm_vm[] = {
	{64, 256, 600, 100, 0, 100, 30, 0},
	{64, 256, 600, 100, 0, 300, 30, 0},
	{64, 256, 600, 100, 0, 120, 20, 0},
};
static const struct scenario_step storm_step[] = {
	{4, STEP_STORM, 0, 50, 0}, {10, STEP_STORM, 0, 50, 1}, {16, STEP_STORM, 0, 0, 0},
	{18, STEP_STORM, 1, 4, 0}, {20, STEP_STORM, 1, 0, 0},
};
static const struct scenario_expect storm_expect[] = {
	/* Six stormy seconds, each doorbell needless: 100, 200, 400, 800 ms, then one a second. */
	{9, EXPECT_EARLY_MOST, 0, 12},
	{15, EXPECT_EARLY_MOST, 0, 18},
	{0, EXPECT_UNMET_MOST, 1, 0},
	{0, EXPECT_UNMET_MOST, 2, 0},
};

const struct scenario scenarios[] = {
	SCENARIO(tv, "smart-tv", 1024, 32),       SCENARIO(needy, "all-needy", 1024, 26),
	SCENARIO(liar, "one-liar", 768, 26),      SCENARIO(stuck, "stuck-balloon", 960, 38),
	SCENARIO(life, "come-and-go", 1024, 34),  SCENARIO(pool, "pool-size", 1000, 34),
	SCENARIO(hoard, "hoarder", 800, 28),      SCENARIO(phase, "antiphase", 540, 31),
	SCENARIO(many, "sixteen", 1800, 22),      SCENARIO(small, "too-small", 640, 30),
	SCENARIO(boots, "reboot-loop", 640, 28),  SCENARIO(stale, "stale-and-back", 640, 30),
	SCENARIO(storm, "urgent-storm", 800, 26),
};
const uint32_t scenario_count = COUNT(scenarios);

/* --- two short ones for pairs of faults --- */

static const struct scenario_vm pair_vm[] = {
	{32, 100, 200, 100, 0, 40, 10, 0},
	{32, 100, 200, 100, 0, 70, 10, 0},
};
static const struct scenario_step pair_step[] = {
	{3, STEP_DEMAND, 1, 130, 0},
	{6, STEP_DEMAND, 0, 90, 0},
};
static const struct scenario_expect pair_expect[] = {{0, EXPECT_SIZE_LEAST, 0, 32}};
static const struct scenario_step swap_step[] = {
	{3, STEP_DEMAND, 0, 120, 0},
	{5, STEP_REMOVE, 1, 0, 0},
	{6, STEP_ADD, 1, 0, 0},
};
#define swap_vm     pair_vm
#define swap_expect pair_expect

const struct scenario scenarios_small[] = {
	SCENARIO(pair, "pair", 220, 8),
	SCENARIO(swap, "replaced", 220, 8),
};
const uint32_t scenario_small_count = COUNT(scenarios_small);

/* --- one fault each --- */

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
	/* 756 MiB without the reserve, 564 above the reservations: a third is 188. */
	{0, EXPECT_SIZE_LEAST, 2, 240},
	{0, EXPECT_SIZE_MOST, 0, 265},
	{0, EXPECT_SIZE_MOST, 1, 265},
};

static const struct scenario_step square_step[] = {
	{3, STEP_REPORT, 0, REPORT_SQUARE, 1},
	{16, STEP_REPORT, 0, REPORT_SQUARE, 3},
};
static const struct scenario_expect square_expect[] = {
	{0, EXPECT_UNMET_MOST, 2, 0},
	{0, EXPECT_SIZE_LEAST, 0, 64},
	/* Its neighbours' sizes do not swing with it. */
	{0, EXPECT_MOVED_MOST, 1, 300},
	{0, EXPECT_MOVED_MOST, 2, 300},
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

static bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static const struct scenario *find(const struct scenario *table, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++) {
		if (same(table[i].name, name)) {
			return &table[i];
		}
	}
	return NULL;
}

const struct scenario *scenario_find(const char *name)
{
	const struct scenario *found = find(scenarios, scenario_count, name);
	if (found == NULL) {
		found = find(scenarios_small, scenario_small_count, name);
	}
	return found != NULL ? found : find(scenarios_fault, scenario_fault_count, name);
}
