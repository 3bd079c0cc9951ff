/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Half of F10's guards gone: a function that masters the bus is never told to stop. The SMMU, taken
 * over before, must hold it alone, and record it.
 * wraps: pci_config_write16
 */
#include "pci_bus.h"

void __real_pci_config_write16(const struct pci_bus *bus, rid_t rid, uint16_t offset,
			       uint16_t value);
void __wrap_pci_config_write16(const struct pci_bus *bus, rid_t rid, uint16_t offset,
			       uint16_t value);

void __wrap_pci_config_write16(const struct pci_bus *bus, rid_t rid, uint16_t offset,
			       uint16_t value)
{
	if (offset == PCI_COMMAND) {
		value |= pci_config_read16(bus, rid, PCI_COMMAND) & PCI_COMMAND_MASTER;
	}
	__real_pci_config_write16(bus, rid, offset, value);
}
