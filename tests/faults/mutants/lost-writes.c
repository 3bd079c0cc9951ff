/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest writes to MSI and MSI-X control stays in its own view, and its device never hears.
 * wraps: virt_device_write
 */
#include "virt_rules.h"

void __real_virt_device_write(const struct pci_bus *bus, rid_t rid, unsigned at, unsigned bytes,
			      uint32_t value);
void __wrap_virt_device_write(const struct pci_bus *bus, rid_t rid, unsigned at, unsigned bytes,
			      uint32_t value);

void __wrap_virt_device_write(const struct pci_bus *bus, rid_t rid, unsigned at, unsigned bytes,
			      uint32_t value)
{
	if (at <= PCI_STATUS) {
		__real_virt_device_write(bus, rid, at, bytes, value);
	}
}
