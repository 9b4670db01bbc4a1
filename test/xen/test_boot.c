/* SPDX-License-Identifier: MIT */
/*
 * The reader of the device tree that Xen hands to dom0.
 */
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot.h"

static unsigned char tree[4096];

static void good(int result)
{
	assert_int_equal(result, 0);
}

static void node(const char *name, const char *compatible, size_t size, const char *property)
{
	good(fdt_begin_node(tree, name));
	if (compatible != NULL) {
		good(fdt_property(tree, "compatible", compatible, (int)size));
	}
	if (property != NULL) {
		good(fdt_property(tree, property, NULL, 0));
	}
	good(fdt_begin_node(tree, "module@1000")); /* of no interest */
	good(fdt_property_string(tree, "compatible", "multiboot,kernel"));
	good(fdt_end_node(tree));
	good(fdt_end_node(tree));
}

#define DOMAIN "xen,domain", sizeof("xen,domain")

/* What an integrator has written, with three domains and much that is none. Returns its size. */
static size_t build(void)
{
	good(fdt_create(tree, sizeof(tree)));
	good(fdt_finish_reservemap(tree));
	good(fdt_begin_node(tree, ""));
	node("other", DOMAIN, "xen,static-mem"); /* not below /chosen */
	good(fdt_begin_node(tree, "chosen"));
	good(fdt_property_string(tree, "bootargs", "xen,domain"));
	node("safety", "vendor,thing\0xen,domain", 24, "xen,static-mem");
	node("console", NULL, 0, "direct-map");
	node("tv", DOMAIN, NULL);
	node("shared", "xen,domain-shared-memory-v1", 28, "xen,static-mem");
	node("radio", DOMAIN, "direct-map");
	good(fdt_end_node(tree));
	good(fdt_end_node(tree));
	good(fdt_finish(tree));
	return fdt_totalsize(tree);
}

static void each_domain_has_the_kind_that_the_tree_says(void **state)
{
	struct xen_boot boot;
	(void)state;
	assert_null(xen_boot_parse(tree, build(), &boot));
	assert_int_equal(boot.count, 3);
	assert_int_equal(xen_boot_kind(&boot, 0), XEN_BOOT_OTHER);
	assert_int_equal(xen_boot_kind(&boot, 1), XEN_BOOT_STATIC);
	assert_int_equal(xen_boot_kind(&boot, 2), XEN_BOOT_NORMAL);
	assert_int_equal(xen_boot_kind(&boot, 3), XEN_BOOT_DIRECT);
	assert_int_equal(xen_boot_kind(&boot, 4), XEN_BOOT_OTHER);
	assert_int_equal(xen_boot_kind(&boot, UINT32_MAX), XEN_BOOT_OTHER);
}

static void domains_beyond_the_table_are_left_out(void **state)
{
	struct xen_boot boot;
	char name[16];
	(void)state;
	good(fdt_create(tree, sizeof(tree)));
	good(fdt_finish_reservemap(tree));
	good(fdt_begin_node(tree, ""));
	good(fdt_begin_node(tree, "chosen"));
	for (unsigned i = 0; i < XEN_BOOT_MAX + 1; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		good(fdt_begin_node(tree, name));
		good(fdt_property_string(tree, "compatible", "xen,domain"));
		good(fdt_end_node(tree));
	}
	good(fdt_end_node(tree));
	good(fdt_end_node(tree));
	good(fdt_finish(tree));
	assert_null(xen_boot_parse(tree, fdt_totalsize(tree), &boot));
	assert_int_equal(boot.count, XEN_BOOT_MAX);
}

/* Cut off anywhere: in memory of just that size, so that a byte too far is seen. */
static void a_cut_off_tree_is_refused(void **state)
{
	const size_t size = build();
	struct xen_boot boot;
	(void)state;
	for (size_t i = 0; i < size; i++) {
		unsigned char *part = malloc(i > 0 ? i : 1);
		memcpy(part, tree, i);
		assert_non_null(xen_boot_parse(part, i, &boot));
		assert_int_equal(boot.count, 0);
		free(part);
	}
}

static void a_tree_is_read_from_its_file(void **state)
{
	char path[] = "/tmp/poise-boot-XXXXXX";
	const size_t size = build();
	struct xen_boot boot;
	(void)state;
	const int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(tree, 1, size, f), size);
	fclose(f);
	assert_null(xen_boot_read(path, &boot));
	assert_int_equal(boot.count, 3);
	assert_int_equal(truncate(path, 100), 0);
	assert_string_equal(xen_boot_read(path, &boot), "the device tree is malformed");
	assert_int_equal(boot.count, 0);
	assert_int_equal(unlink(path), 0);
	assert_null(xen_boot_read(path, &boot)); /* No device tree, no such domains. */
	assert_string_equal(xen_boot_read("/dev/null/x", &boot),
			    "the device tree cannot be opened");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_domain_has_the_kind_that_the_tree_says),
		cmocka_unit_test(domains_beyond_the_table_are_left_out),
		cmocka_unit_test(a_cut_off_tree_is_refused),
		cmocka_unit_test(a_tree_is_read_from_its_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
