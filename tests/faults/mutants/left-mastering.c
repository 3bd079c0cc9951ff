/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Half of F10's guards gone: a function that masters the bus is never told to stop. The SMMU, taken
 * over before, must hold it alone, and record it.
 * wraps: pci_config_write
 */
#include "pci_bus.h"

void __real_pci_config_write(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes,
			     uint32_t value);
void __wrap_pci_config_write(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes,
			     uint32_t value);

void __wrap_pci_config_write(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes,
			     uint32_t value)
{
	if (offset == PCI_COMMAND) {
		value |= pci_config_read16(bus, rid, PCI_COMMAND) & PCI_COMMAND_MASTER;
	}
	__real_pci_config_write(bus, rid, offset, bytes, value);
}
