/* SPDX-License-Identifier: MIT */
/*
 * The scripts of long and of small scenarios; those of single faults are in scenarios_fault.c. Both
 * are tables, see script.h.
 */
#include "script.h"

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
	/* 1024 MiB, 768 above the reservations: 96, 96, 192, 384 by weight, nearly there after
	 * twenty seconds. */
	{0, EXPECT_SIZE_LEAST, 0, 150}, {0, EXPECT_SIZE_MOST, 0, 175},
	{0, EXPECT_SIZE_LEAST, 1, 150}, {0, EXPECT_SIZE_MOST, 1, 175},
	{0, EXPECT_SIZE_LEAST, 2, 240}, {0, EXPECT_SIZE_MOST, 2, 262},
	{0, EXPECT_SIZE_LEAST, 3, 410}, {0, EXPECT_SIZE_MOST, 3, 450},
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
	/* Its share, 96 + 160, and beyond it what the others do not need. */
	{0, EXPECT_SIZE_MOST, 0, 410},  {0, EXPECT_SIZE_LEAST, 0, 96},
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
	/* The idle one reads back an eighth of the cache that it lost, so it keeps some. */
	{0, EXPECT_UNMET_MOST, 1, 56},
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
