/* SPDX-License-Identifier: BSD-2-Clause */
/* The windows of a bridge (PCI-to-PCI bridge 1.2, 3.2.5): base above limit means closed. */
#include "bus.h"

#define WINDOW_CLOSED 0x0000fff0u

/* Base and limit in one word: address bits [31:20] of each in [15:4] and [31:20]. */
static uint32_t memory_window(uint64_t base, uint64_t size)
{
	if (!size) {
		return WINDOW_CLOSED;
	}
	return ((uint32_t)(base + size - 1) & 0xfff00000u) | ((uint32_t)base >> 16 & 0xfff0u);
}

bool pci_bridge_has_io(const struct pci_bus *bus, rid_t rid)
{
	pci_config_write16(bus, rid, PCI_BRIDGE_IO, 0x00f0);
	return pci_config_read16(bus, rid, PCI_BRIDGE_IO) & 0x00f0;
}

/* I/O stays within 64 KiB (assign.c), so the upper halves are zero. */
void pci_bridge_set_io(const struct pci_bus *bus, rid_t rid, uint64_t base, uint64_t size)
{
	uint64_t limit = base + size - 1;
	uint64_t window = size ? (base >> 8 & 0xf0) | (limit & 0xf000) : 0x00f0;

	pci_config_write32(bus, rid, PCI_BRIDGE_IO_HIGH, 0);
	pci_config_write16(bus, rid, PCI_BRIDGE_IO, (uint16_t)window);
}

/* The prefetchable window, for what is above 4 GiB, stays closed. */
void pci_bridge_set_memory(const struct pci_bus *bus, rid_t rid, uint64_t base, uint64_t size)
{
	pci_config_write32(bus, rid, PCI_BRIDGE_MEMORY, memory_window(base, size));
	pci_config_write32(bus, rid, PCI_BRIDGE_PREFETCH, WINDOW_CLOSED);
	pci_config_write32(bus, rid, PCI_BRIDGE_BASE_HIGH, 0);
	pci_config_write32(bus, rid, PCI_BRIDGE_LIMIT_HIGH, 0);
}
