/* SPDX-License-Identifier: MIT */
/*
 * Prints what documents repeat of the core's lists, so that they can be compared.
 *
 *	lists manual	the tunables, as in poised.conf(5)
 *	lists rules	the rules' names
 */
#include <stdio.h>
#include <string.h>

#include "poise.h"
#include "poise_names.h"

static void print_manual(void)
{
	const struct poise_tunable *t;
	for (uint32_t i = 0; (t = poise_tunable(i)) != NULL; i++) {
		printf(".br\n.B %s\n", t->unit == POISE_UNIT_Q10 ? t->name : t->field);
		if (t->unit == POISE_UNIT_Q10) {
			printf("(0.001..%.1f, %.2f):\n", t->most / 1024.0, t->standard / 1024.0);
		} else {
			printf("(%u..%u, %u):\n", t->least, t->most, t->standard);
		}
		printf("%s.\n", t->words);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";
	if (strcmp(what, "manual") == 0) {
		print_manual();
	} else if (strcmp(what, "rules") == 0) {
		for (uint32_t i = 0; i < POISE_RULE_COUNT; i++) {
			puts(poise_rule_name(i));
		}
	} else {
		fprintf(stderr, "usage: lists manual|rules\n");
		return 2;
	}
	return 0;
}
