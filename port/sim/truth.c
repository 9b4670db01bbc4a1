/* SPDX-License-Identifier: MIT */
/* Touched pages and stack distances; truth.h says what they are for. */
#include "truth.h"

#include <stdlib.h>
#include <string.h>

bool sim_truth_start(struct sim_truth *t, uint32_t items)
{
	*t = (struct sim_truth){.items = items};
	t->touched = calloc(items + 1u, sizeof(*t->touched));
	return t->touched != NULL;
}

void sim_truth_stop(struct sim_truth *t)
{
	free(t->touched);
	free(t->at);
	free(t->tree);
	free(t->missed);
	*t = (struct sim_truth){0};
}

bool sim_truth_curve_start(struct sim_truth *t)
{
	if (t->at != NULL) {
		return true;
	}
	/* Places are used up by touches; twice as many as items make it rare to number them anew.
	 */
	t->places = 2u * t->items + 64u;
	t->at = calloc(t->items + 1u, sizeof(*t->at));
	t->tree = calloc(t->places + 1u, sizeof(*t->tree));
	t->missed = calloc(t->items + 1u, sizeof(*t->missed));
	t->next = 1;
	return t->at != NULL && t->tree != NULL && t->missed != NULL;
}

static void tree_add(struct sim_truth *t, uint32_t place, uint32_t value)
{
	for (; place <= t->places; place += place & -place) {
		t->tree[place] += value;
	}
}

/* Items whose last touch is at one of the places 1..place. */
static uint32_t tree_sum(const struct sim_truth *t, uint32_t place)
{
	uint32_t sum = 0;

	for (; place > 0; place -= place & -place) {
		sum += t->tree[place];
	}
	return sum;
}

struct placed {
	uint32_t place, item;
};

static int by_place(const void *a, const void *b)
{
	const struct placed *x = a;
	const struct placed *y = b;

	return (x->place > y->place) - (x->place < y->place);
}

/* Numbers the places anew, without gaps. Without memory for that, the history is dropped. */
static void compact(struct sim_truth *t)
{
	struct placed *placed = malloc((t->items + 1u) * sizeof(*placed));
	uint32_t count = 0;

	for (uint32_t i = 0; i < t->items; i++) {
		if (t->at[i] != 0 && placed != NULL) {
			placed[count++] = (struct placed){.place = t->at[i], .item = i};
		}
		t->at[i] = 0;
	}
	memset(t->tree, 0, (t->places + 1u) * sizeof(*t->tree));
	if (count > 0) {
		qsort(placed, count, sizeof(*placed), by_place);
	}
	for (uint32_t i = 0; i < count; i++) {
		t->at[placed[i].item] = i + 1u;
		tree_add(t, i + 1u, 1u);
	}
	t->next = count + 1u;
	free(placed);
}

void sim_truth_touch(struct sim_truth *t, uint32_t item, uint32_t now_ms)
{
	t->touched[item] = now_ms + 1u;
	if (t->at == NULL) {
		return;
	}
	if (t->next > t->places) {
		compact(t);
	}
	if (t->at[item] != 0) {
		/* Touched since then: as many other items as there are later places. */
		const uint32_t before = tree_sum(t, t->at[item]);
		const uint32_t all = tree_sum(t, t->next - 1u);

		t->missed[all - before]++;
		tree_add(t, t->at[item], UINT32_MAX);
	}
	t->at[item] = t->next;
	tree_add(t, t->next, 1u);
	t->next++;
}

void sim_truth_forget(struct sim_truth *t, uint32_t item)
{
	t->touched[item] = 0;
	if (t->at != NULL && t->at[item] != 0) {
		tree_add(t, t->at[item], UINT32_MAX);
		t->at[item] = 0;
	}
}

uint32_t sim_truth_count(const struct sim_truth *t, uint32_t now_ms, uint32_t ms)
{
	const uint32_t since = now_ms + 1u > ms ? now_ms + 1u - ms : 1u;
	uint32_t count = 0;

	for (uint32_t i = 0; i < t->items; i++) {
		count += t->touched[i] >= since ? 1u : 0u;
	}
	return count;
}

uint64_t sim_truth_curve_misses(const struct sim_truth *t, uint64_t items)
{
	uint64_t sum = 0;

	for (uint64_t i = items; t->missed != NULL && i <= t->items; i++) {
		sum += t->missed[i];
	}
	return sum;
}

void sim_truth_curve_clear(struct sim_truth *t)
{
	if (t->missed != NULL) {
		memset(t->missed, 0, (t->items + 1u) * sizeof(*t->missed));
	}
}
