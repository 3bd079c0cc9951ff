/* SPDX-License-Identifier: BSD-2-Clause */
/* What a BAR is and how much it wants (PCI 3.0 6.2.5.1), and writing it. */
#include "bus.h"

#include "bits.h"
#include "log.h"

#define BAR_IO		0x1
#define BAR_IO_RESERVED 0x2
#define BAR_TYPE	0x6
#define BAR_TYPE_64	0x4
#define BAR_PREFETCH	0x8
#define BAR_UNREADABLE	(~0ull) /* size of a BAR whose answer makes no sense */

static uint32_t probe(const struct pci_bus *bus, rid_t rid, uint16_t offset)
{
	pci_config_write32(bus, rid, offset, ~0u);
	uint32_t answer = pci_config_read32(bus, rid, offset);
	pci_config_write32(bus, rid, offset, 0);
	return answer;
}

/* The writable address bits of a sound BAR are one run of ones, from its size's bit to the top. */
static uint64_t size_of_mask(uint64_t mask, uint64_t most)
{
	uint64_t size = ~mask + 1;

	return size && (size & (size - 1)) == 0 && size <= most ? size : BAR_UNREADABLE;
}

/* Fills one BAR; returns how many registers it takes. */
static unsigned size_bar(const struct pci_bus *bus, rid_t rid, uint16_t offset, bool last,
			 struct pci_bar *bar)
{
	uint32_t low = probe(bus, rid, offset);
	uint64_t top = ~0ull << 32;

	if (low == 0) {
		return 1;
	}
	if (low & BAR_IO) {
		/* The upper 16 bits of an I/O BAR may be hardwired to zero. */
		top |= low >> 16 ? 0 : 0xffff0000u;
		bar->space = PCI_SPACE_IO;
		bar->size = size_of_mask((low & ~3u) | top, KIB(64));
		bar->size = low & BAR_IO_RESERVED ? BAR_UNREADABLE : bar->size;
		return 1;
	}
	bar->prefetchable = low & BAR_PREFETCH;
	if ((low & BAR_TYPE) == BAR_TYPE_64 && !last) {
		top = (uint64_t)probe(bus, rid, offset + 4) << 32;
		bar->space = PCI_SPACE_MEM64;
		bar->size = size_of_mask((low & ~15u) | top, BIT(62));
		return 2;
	}
	bar->space = PCI_SPACE_MEM32;
	bar->size = low & BAR_TYPE ? BAR_UNREADABLE : size_of_mask((low & ~15u) | top, GIB(2));
	return 1;
}

void pci_refuse_bar(struct pci_function *function, unsigned n, const char *why)
{
	struct pci_bar *bar = pci_bar_nth(function, n);
	uint16_t decode = bar->space == PCI_SPACE_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

	if (n < PCI_BUS_BARS) {
		function->decode &= (uint16_t)~decode;
	}
	bar->space = PCI_SPACE_NONE;
	log_warn("%s: %sBAR %u (0x%llx bytes) %s; it stays off", pci_name(function->rid),
		 n < PCI_BUS_BARS ? "" : "VF ", n % PCI_BUS_BARS, (unsigned long long)bar->size,
		 why);
}

static void size_row(const struct pci_bus *bus, struct pci_function *function, uint16_t offset,
		     unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count;) {
		struct pci_bar *bar = pci_bar_nth(function, first + i);
		uint16_t at = (uint16_t)(offset + 4 * i);
		unsigned taken = size_bar(bus, function->rid, at, i == count - 1, bar);

		/* A VF has no I/O space (PCIe 9.3.3.14). */
		if (bar->size == BAR_UNREADABLE || (first && bar->space == PCI_SPACE_IO)) {
			pci_refuse_bar(function, first + i, "has no sound size");
		}
		i += taken;
	}
}

void pci_size_bars(const struct pci_bus *bus, struct pci_function *function)
{
	uint16_t sriov = function->caps.sriov;

	function->decode = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	size_row(bus, function, PCI_BAR0, 0, pci_is_bridge(function) ? 2 : PCI_BUS_BARS);
	if (function->total_vfs) {
		size_row(bus, function, sriov + PCI_SRIOV_BAR0, PCI_BUS_BARS, PCI_BUS_BARS);
	}
}

static void write_bar(const struct pci_bus *bus, rid_t rid, uint16_t offset,
		      const struct pci_bar *bar)
{
	if (bar->space == PCI_SPACE_NONE) {
		return;
	}
	pci_config_write32(bus, rid, offset, (uint32_t)bar->pci_address);
	if (bar->space == PCI_SPACE_MEM64) {
		pci_config_write32(bus, rid, offset + 4, (uint32_t)(bar->pci_address >> 32));
	}
}

void pci_write_bars(const struct pci_bus *bus, const struct pci_function *function)
{
	for (uint16_t i = 0; i < PCI_BUS_BARS; i++) {
		write_bar(bus, function->rid, PCI_BAR0 + 4 * i, &function->bars[i]);
		write_bar(bus, function->rid, function->caps.sriov + PCI_SRIOV_BAR0 + 4 * i,
			  &function->vf_bars[i]);
	}
}
