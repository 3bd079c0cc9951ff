/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which interrupt line a function's INTx pin leads to: swizzled through the bridges above it
 * (PCI-to-PCI bridge 1.2, 9.1), then the host's interrupt-map (Devicetree Specification 2.4.3).
 * What this cannot read is left out: a function without a line has no INTx.
 */
#include "bus.h"

#define PINS	   4
#define HEAD_CELLS 5 /* unit address of three, pin, phandle; then the controller's own */
#define GIC_CELLS  3
#define GIC_SPI	   0
#define GIC_SPIS   988
#define LEVEL_HIGH 4

void pci_read_interrupt_map(struct pci_host *host, struct dt_node root, struct dt_node node)
{
	struct dt_cells map = dt_cells(node, "interrupt-map");
	struct dt_cells mask = dt_cells(node, "interrupt-map-mask");

	if (map.count < HEAD_CELLS || mask.count != 4) {
		return;
	}
	struct dt_cells first = {map.at + 4, 1};
	uint64_t phandle = dt_take(&first, 1);
	unsigned unit_cells =
		dt_u32(dt_by_phandle(root, (uint32_t)phandle), "#address-cells", 0) & 3;

	host->intx_unit_mask = (uint32_t)dt_take(&mask, 1);
	dt_take(&mask, 2);
	host->intx_pin_mask = (uint8_t)dt_take(&mask, 1);
	while (map.count >= HEAD_CELLS + unit_cells + GIC_CELLS &&
	       host->intx_count < PCI_BUS_MAX_INTX) {
		struct pci_intx *intx = &host->intx[host->intx_count];

		intx->unit = (uint32_t)dt_take(&map, 1) & host->intx_unit_mask;
		dt_take(&map, 2);
		intx->pin = (uint8_t)dt_take(&map, 1) & host->intx_pin_mask;
		bool good = dt_take(&map, 1) == phandle;

		dt_take(&map, unit_cells);
		good &= dt_take(&map, 1) == GIC_SPI;
		intx->intid.v = 32 + (uint32_t)dt_take(&map, 1);
		good &= dt_take(&map, 1) == LEVEL_HIGH && intx->intid.v - 32 < GIC_SPIS;
		host->intx_count += good;
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
