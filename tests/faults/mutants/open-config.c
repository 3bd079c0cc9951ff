/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F46: what has no rule in the table goes to the device as it is.
 * wraps: pci_virt_read pci_virt_write
 */
#include "pci_virt.h"

uint64_t __real_pci_virt_read(struct pci_virt *bridge, uint64_t offset, unsigned size);
void __real_pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value);
uint64_t __wrap_pci_virt_read(struct pci_virt *bridge, uint64_t offset, unsigned size);
void __wrap_pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value);

/* The slot of an aligned dword access beyond the header; NULL for others. */
static const struct pci_virt_slot *target(const struct pci_virt *bridge, uint64_t offset,
					  unsigned size)
{
	uint64_t device = offset >> 15;

	return size == 4 && device > 0 && device < PCI_VIRT_SLOTS && (offset & 0x7fff) < 0x1000 &&
			       (offset & 0xfff) >= 0x40 && bridge->slots[device].present
		       ? &bridge->slots[device]
		       : NULL;
}

uint64_t __wrap_pci_virt_read(struct pci_virt *bridge, uint64_t offset, unsigned size)
{
	const struct pci_virt_slot *slot = target(bridge, offset, size);
	uint64_t value = __real_pci_virt_read(bridge, offset, size);

	return slot && value == 0
		       ? pci_config_read32(bridge->bus, slot->identity.rid, offset & 0xfff)
		       : value;
}

void __wrap_pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value)
{
	const struct pci_virt_slot *slot = target(bridge, offset, size);

	__real_pci_virt_write(bridge, offset, size, value);
	if (slot) {
		pci_config_write32(bridge->bus, slot->identity.rid, offset & 0xfff,
				   (uint32_t)value);
	}
}
