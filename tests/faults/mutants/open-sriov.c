/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F50: the owner of a PF reaches its SR-IOV capability: NumVFs, VFE, the VFs' BARs.
 * wraps: pci_virt_write
 */
#include "pci_virt.h"

void __real_pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value);
void __wrap_pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value);

void __wrap_pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value)
{
	uint64_t device = offset >> 15, reg = offset & 0x7fff;

	__real_pci_virt_write(bridge, offset, size, value);
	if (device == 0 || device >= PCI_VIRT_SLOTS || !bridge->slots[device].present) {
		return;
	}

	rid_t rid = bridge->slots[device].identity.rid;
	uint16_t sriov = bridge->slots[device].identity.caps.sriov;

	if (!sriov || reg < sriov || reg >= sriov + 0x40u) {
		return;
	}
	if (size == 2) {
		pci_config_write16(bridge->bus, rid, (uint16_t)reg, (uint16_t)value);
	} else if (size == 4) {
		pci_config_write32(bridge->bus, rid, (uint16_t)reg, (uint32_t)value);
	}
}
