// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Finds the pages in BAR 2 of an ivshmem-plain device (KVM). */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "poise_guest.h"

#define IVSHMEM_VENDOR 0x1af4
#define IVSHMEM_DEVICE 0x1110
#define IVSHMEM_BAR    2

static int ivshmem_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const resource_size_t length = pci_resource_len(pdev, IVSHMEM_BAR);
	struct poise_source *source;
	void *region;
	int error;

	if (length < POISE_REGION_MIN || length > POISE_REGION_MAX) {
		pci_info(pdev, "shared memory of %llu bytes is not Poise's\n",
			 (unsigned long long)length);
		return -ENODEV;
	}
	source = devm_kzalloc(&pdev->dev, sizeof(*source), GFP_KERNEL);
	if (!source) {
		return -ENOMEM;
	}
	error = pcim_enable_device(pdev);
	if (error) {
		return error;
	}
	if (!devm_request_mem_region(&pdev->dev, pci_resource_start(pdev, IVSHMEM_BAR), length,
				     POISE_NAME)) {
		return -EBUSY;
	}
	/* Normal write-back memory, as the host has it: never Device, never write-combining. */
	region = devm_memremap(&pdev->dev, pci_resource_start(pdev, IVSHMEM_BAR), (size_t)length,
			       MEMREMAP_WB);
	if (IS_ERR(region)) {
		return PTR_ERR(region);
	}
	source->kind = "ivshmem";
	source->name = pci_name(pdev);
	error = poise_region(source, region, NULL);
	if (!error) {
		error = poise_attach(source);
	}
	if (error) {
		return error;
	}
	pci_set_drvdata(pdev, source);
	return 0;
}

static void ivshmem_remove(struct pci_dev *pdev)
{
	poise_detach(pci_get_drvdata(pdev));
}

static const struct pci_device_id ivshmem_ids[] = {
	{PCI_DEVICE(IVSHMEM_VENDOR, IVSHMEM_DEVICE)},
	{},
};
MODULE_DEVICE_TABLE(pci, ivshmem_ids);

static struct pci_driver ivshmem_driver = {
	.name = POISE_NAME,
	.id_table = ivshmem_ids,
	.probe = ivshmem_probe,
	.remove = ivshmem_remove,
	.shutdown = ivshmem_remove,
};

int poise_find_pci_init(void)
{
	return pci_register_driver(&ivshmem_driver);
}

void poise_find_pci_exit(void)
{
	pci_unregister_driver(&ivshmem_driver);
}
