/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which interrupt line a function's INTx pin leads to: swizzled through the bridges above it
 * (PCI-to-PCI bridge 1.2, 9.1), then the host's interrupt-map (Devicetree Specification 2.4.3).
 * What this cannot read is left out: a function without a line has no INTx.
 */
#include <libfdt.h>

#include "bus.h"

#define PINS	   4
#define HEAD_CELLS 5 /* unit address of three, pin, phandle; then the controller's own */
#define GIC_CELLS  3
#define GIC_SPI	   0
#define GIC_SPIS   988
#define LEVEL_HIGH 4

static uint32_t cell(const fdt32_t *cells, unsigned index)
{
	return fdt32_ld(&cells[index]);
}

void pci_read_interrupt_map(struct pci_host *host, const void *fdt, int node)
{
	int left = 0, mask_length = 0, width = 0;
	const fdt32_t *map = fdt_getprop(fdt, node, "interrupt-map", &left);
	const fdt32_t *mask = fdt_getprop(fdt, node, "interrupt-map-mask", &mask_length);

	if (!map || left < 4 * HEAD_CELLS || !mask || mask_length != 16) {
		return;
	}
	uint32_t phandle = cell(map, 4);
	const fdt32_t *address = fdt_getprop(fdt, fdt_node_offset_by_phandle(fdt, phandle),
					     "#address-cells", &width);
	uint32_t unit_cells = address && width == 4 ? cell(address, 0) : 0;
	int entry = HEAD_CELLS + GIC_CELLS + (int)(unit_cells & 3);

	host->intx_unit_mask = cell(mask, 0);
	host->intx_pin_mask = (uint8_t)cell(mask, 3);
	for (; left >= 4 * entry && host->intx_count < PCI_BUS_MAX_INTX; map += entry) {
		const fdt32_t *target = map + entry - GIC_CELLS;
		struct pci_intx *intx = &host->intx[host->intx_count];

		left -= 4 * entry;
		intx->unit = cell(map, 0) & host->intx_unit_mask;
		intx->pin = (uint8_t)cell(map, 3) & host->intx_pin_mask;
		intx->intid.v = 32 + cell(target, 1);
		host->intx_count += cell(map, 4) == phandle && cell(target, 0) == GIC_SPI &&
				    cell(target, 1) < GIC_SPIS && cell(target, 2) == LEVEL_HIGH;
	}
}

bool pci_bus_line(const struct pci_bus *bus, const struct pci_function *function, intid_t *line)
{
	const struct pci_function *f = function;
	unsigned pin = f->interrupt_pin - 1u;

	if (pin >= PINS) {
		return false;
	}
	for (; f->parent != PCI_BUS_ROOT; f = &bus->functions[f->parent]) {
		/* A link has device 0 only, whatever ARI makes of the number. */
		bool link = pci_express_is_link(bus->functions[f->parent].express_type);

		pin = (pin + (link ? 0 : f->rid.v >> 3 & 31)) % PINS;
	}
	for (unsigned i = 0; i < bus->host.intx_count; i++) {
		const struct pci_intx *intx = &bus->host.intx[i];

		if (intx->unit == ((uint32_t)f->rid.v << 8 & bus->host.intx_unit_mask) &&
		    intx->pin == ((pin + 1) & bus->host.intx_pin_mask)) {
			*line = intx->intid;
			return true;
		}
	}
	return false;
}
