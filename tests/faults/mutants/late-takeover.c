/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F10: what a firmware left running goes on. It is not told to stop (see left-mastering.c),
 * and the SMMU is left as it was found, bypassing.
 * wraps: pci_config_write iommu_block_all iommu_init
 */
#include "iommu.h"
#include "pci_bus.h"

void __real_pci_config_write(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes,
			     uint32_t value);
void __wrap_pci_config_write(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes,
			     uint32_t value);
enum status __wrap_iommu_block_all(mmio_t registers);
enum status __wrap_iommu_init(const struct iommu_config *config);

void __wrap_pci_config_write(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes,
			     uint32_t value)
{
	if (offset == PCI_COMMAND) {
		value |= pci_config_read16(bus, rid, PCI_COMMAND) & PCI_COMMAND_MASTER;
	}
	__real_pci_config_write(bus, rid, offset, bytes, value);
}

enum status __wrap_iommu_block_all(mmio_t registers)
{
	(void)registers;
	return STATUS_OK;
}

enum status __wrap_iommu_init(const struct iommu_config *config)
{
	(void)config;
	return STATUS_UNSUPPORTED;
}
