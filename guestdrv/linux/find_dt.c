// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Finds the pages by a device tree node, on a bus or below /reserved-memory. */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_platform.h>

#include "compat.h"
#include "poise_guest.h"

static void *map(struct device *dev, int index, resource_size_t least)
{
	struct resource resource;
	const int error = of_address_to_resource(dev->of_node, index, &resource);

	if (error) {
		return ERR_PTR(error);
	}
	if (resource_size(&resource) < least || resource_size(&resource) > POISE_REGION_MAX ||
	    resource.start % POISE_ABI_PAGE_BYTES != 0) {
		dev_err(dev, "reg %d: %pR is no region for shared pages\n", index, &resource);
		return ERR_PTR(-EINVAL);
	}
	return devm_memremap(dev, resource.start, resource_size(&resource), MEMREMAP_WB);
}

static int node_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct poise_source *source = devm_kzalloc(dev, sizeof(*source), GFP_KERNEL);
	struct resource second;
	void *region;
	void *host = NULL;
	int error;

	if (!source) {
		return -ENOMEM;
	}
	if (of_address_to_resource(dev->of_node, 1, &second) == 0) {
		host = map(dev, 1, POISE_ABI_PAGE_BYTES);
		if (IS_ERR(host)) {
			return PTR_ERR(host);
		}
	}
	region = map(dev, 0, host ? POISE_ABI_PAGE_BYTES : POISE_REGION_MIN);
	if (IS_ERR(region)) {
		return PTR_ERR(region);
	}
	source->kind = "device-tree";
	source->name = dev_name(dev);
	error = poise_region(source, region, host);
	if (!error) {
		error = poise_attach(source);
	}
	if (error) {
		return error;
	}
	platform_set_drvdata(pdev, source);
	return 0;
}

static void node_shutdown(struct platform_device *pdev)
{
	poise_detach(platform_get_drvdata(pdev));
}

static COMPAT_REMOVE_TYPE node_remove(struct platform_device *pdev)
{
	node_shutdown(pdev);
	COMPAT_REMOVE_RETURN();
}

static const struct of_device_id node_ids[] = {
	{.compatible = "poise,shared-pages"},
	{},
};
MODULE_DEVICE_TABLE(of, node_ids);

static struct platform_driver node_driver = {
	.probe = node_probe,
	.remove = node_remove,
	.shutdown = node_shutdown,
	.driver = {.name = POISE_NAME, .of_match_table = node_ids},
};

/* The kernel makes no device of a node below /reserved-memory, so this file does. */
static struct platform_device *reserved;

static bool reserved_usable(struct device_node *node)
{
	struct resource second;

	if (!of_match_node(node_ids, node)) {
		return false;
	}
	/* Later kernels reserve the first entry only: the second would be anybody's memory. */
	if (of_address_to_resource(node, 1, &second) == 0) {
		pr_err(POISE_NAME ": %pOF: only one reg entry can be reserved; left alone\n", node);
		return false;
	}
	return true;
}

static void reserved_create(void)
{
	struct device_node *parent = of_find_node_by_path("/reserved-memory");
	struct device_node *node = NULL;

	while (parent && !reserved && (node = of_get_next_available_child(parent, node)) != NULL) {
		if (reserved_usable(node)) {
			reserved = of_platform_device_create(node, NULL, NULL);
		}
	}
	of_node_put(node);
	of_node_put(parent);
}

int poise_find_dt_init(void)
{
	const int error = platform_driver_register(&node_driver);

	if (!error) {
		reserved_create();
	}
	return error;
}

void poise_find_dt_exit(void)
{
	if (reserved) {
		of_platform_device_destroy(&reserved->dev, NULL);
	}
	platform_driver_unregister(&node_driver);
}
