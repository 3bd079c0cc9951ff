/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O BARs. They are smaller than a page, and a bridge's I/O window is shared by all, so a guest's
 * window is trapped: what lies inside one BAR of its own is passed on, exactly as wide as it was.
 */
#include "hooks.h"

/* 0: what is there is not its own. */
static uintptr_t find_port(const struct partition_side *side, uint64_t offset, unsigned size)
{
	for (unsigned i = 0; i < side->count * PCI_BUS_BARS; i++) {
		const struct assignment *a = &side->assignments[i / PCI_BUS_BARS];
		const struct pci_bar *bar = &a->identity.bars[i % PCI_BUS_BARS];

		if (a->attached && bar->space == PCI_SPACE_IO && size <= 4 &&
		    range_inside(offset, size, bar->pci_address, bar->size)) {
			return (uintptr_t)(bar->cpu_address.v + offset - bar->pci_address);
		}
	}
	return 0;
}

uint64_t ports_read(void *context, uint64_t offset, unsigned size)
{
	uintptr_t port = find_port(context, offset, size);

	return !port	   ? ~0ull /* nobody answers */
	       : size == 1 ? arch_mmio_read8(port)
	       : size == 2 ? arch_mmio_read16(port)
			   : arch_mmio_read32(port);
}

void ports_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	uintptr_t port = find_port(context, offset, size);

	if (port && size == 1) {
		arch_mmio_write8(port, (uint8_t)value);
	} else if (port && size == 2) {
		arch_mmio_write16(port, (uint16_t)value);
	} else if (port) {
		arch_mmio_write32(port, (uint32_t)value);
	}
}
