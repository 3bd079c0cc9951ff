/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F13: what a guest writes to extended configuration space reaches the device.
 * wraps: pci_virt_write
 */
#include "pci_virt.h"

void __real_pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value);
void __wrap_pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value);

void __wrap_pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value)
{
	uint64_t device = offset >> 15, reg = offset & 0x7fff;

	__real_pci_virt_write(bridge, offset, size, value);
	if (size == 4 && device > 0 && device < PCI_VIRT_SLOTS && reg >= 0x100 && reg < 0x1000 &&
	    bridge->slots[device].present) {
		pci_config_write32(bridge->bus, bridge->slots[device].identity.rid, (uint16_t)reg,
				   (uint32_t)value);
	}
}
