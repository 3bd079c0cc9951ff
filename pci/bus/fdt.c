/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host bridge from the machine's device tree: bindings host-generic-pci, pci-iommu, pci-msi;
 * `ranges` as in IEEE Std 1275 PCI binding 2.1. What this cannot read it refuses: a map half
 * understood would send a device's DMA to the wrong stream.
 */
#include "bus.h"

#include "log.h"

#define HI_SPACE(hi)	((hi) >> 24 & 3)
#define HI_PREFETCHABLE 0x40000000u
#define BUS_BYTES	MIB(1)
#define ADDRESS_LIMIT	(1ull << 52)

/* Are addresses here the CPU's own? Each bus but the root has an empty `ranges`. */
static bool is_identity_bus(const struct dt_walk *at)
{
	for (unsigned i = 1; i + 1 < at->depth; i++) {
		if (!dt_has(at->path[i], "ranges") || dt_cells(at->path[i], "ranges").count) {
			return false;
		}
	}
	return at->depth > 1;
}

static bool read_ecam(struct pci_host *host, struct dt_cells reg, struct dt_cells buses,
		      unsigned ac, unsigned sc)
{
	if (reg.count < ac + sc || (buses.count != 0 && buses.count != 2)) {
		return false;
	}
	host->ecam = (uintptr_t)dt_take(&reg, ac);
	host->ecam_size = dt_take(&reg, sc);
	uint64_t room = host->ecam_size / BUS_BYTES;
	uint64_t first = buses.count ? dt_take(&buses, 1) : 0;
	uint64_t last = buses.count ? dt_take(&buses, 1) : (room < 256 ? room : 256) - 1;

	if (room == 0 || first > last || last > 255 || last - first >= room ||
	    !range_inside(host->ecam, host->ecam_size, 0, ADDRESS_LIMIT)) {
		return false;
	}
	host->bus_first = (uint8_t)first;
	host->bus_last = (uint8_t)last;
	return true;
}

static bool read_window(struct pci_window *window, struct dt_cells *ranges, unsigned ac)
{
	static const enum pci_space spaces[] = {PCI_SPACE_NONE, PCI_SPACE_IO, PCI_SPACE_MEM32,
						PCI_SPACE_MEM64};
	uint32_t hi = (uint32_t)dt_take(ranges, 1);

	window->space = spaces[HI_SPACE(hi)];
	window->prefetchable = hi & HI_PREFETCHABLE;
	window->pci_base = dt_take(ranges, 2);
	window->cpu_base.v = dt_take(ranges, ac);
	window->size = dt_take(ranges, 2);
	return window->space != PCI_SPACE_NONE && window->size &&
	       range_inside(window->pci_base, window->size, 0,
			    window->space == PCI_SPACE_MEM64 ? ADDRESS_LIMIT : GIB(4)) &&
	       range_inside(window->cpu_base.v, window->size, 0, ADDRESS_LIMIT);
}

static bool read_ranges(struct pci_host *host, struct dt_cells ranges, unsigned ac)
{
	unsigned entry = 3 + ac + 2;

	if (ranges.count == 0 || ranges.count % entry ||
	    ranges.count / entry > PCI_BUS_MAX_WINDOWS) {
		return false;
	}
	while (ranges.count) {
		if (!read_window(&host->windows[host->window_count++], &ranges, ac)) {
			return false;
		}
	}
	return true;
}

static bool overlap(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
	return a < b + b_length && b < a + a_length;
}

/* Two requester ids with one stream would share a fence: entries may not overlap, on either side.
 */
static bool read_map_entry(struct pci_id_map *maps, unsigned index, struct dt_cells *cells,
			   uint32_t controller)
{
	struct pci_id_map *map = &maps[index];

	map->rid_base = (uint32_t)dt_take(cells, 1);
	if (dt_take(cells, 1) != controller) {
		return false;
	}
	map->out_base = (uint32_t)dt_take(cells, 1);
	map->length = (uint32_t)dt_take(cells, 1);
	if (map->length == 0 || !range_inside(map->rid_base, map->length, 0, 0x10000) ||
	    !range_inside(map->out_base, map->length, 0, 1ull << 32)) {
		return false;
	}
	for (unsigned i = 0; i < index; i++) {
		if (overlap(maps[i].rid_base, maps[i].length, map->rid_base, map->length) ||
		    overlap(maps[i].out_base, maps[i].length, map->out_base, map->length)) {
			return false;
		}
	}
	return true;
}

/* Absent: no entries, which is bypass. All entries lead to one controller with one-cell ids. */
static bool read_map(const struct dt_walk *at, const char *map_name, const char *mask_name,
		     const char *cells_name, struct pci_id_map maps[PCI_BUS_MAX_ID_MAPS],
		     unsigned *count)
{
	struct dt_node node = at->node;
	struct dt_cells map = dt_cells(node, map_name);

	if (!map.at) {
		return true;
	}
	if (map.count == 0 || map.count % 4 || map.count / 4 > PCI_BUS_MAX_ID_MAPS ||
	    dt_u32(node, mask_name, 0xffff) != 0xffff) {
		return false;
	}
	struct dt_cells first = {map.at + 1, 1};
	uint32_t controller = (uint32_t)dt_take(&first, 1);

	if (dt_u32(dt_by_phandle(at->path[0], controller), cells_name, 0) != 1) {
		return false;
	}
	while (map.count) {
		if (!read_map_entry(maps, (*count)++, &map, controller)) {
			return false;
		}
	}
	return true;
}

static const char *read_bridge(struct pci_host *host, const struct dt_walk *at)
{
	struct dt_node node = at->node, bus = at->path[at->depth > 1 ? at->depth - 2 : 0];
	unsigned ac = dt_u32(bus, "#address-cells", 2), sc = dt_u32(bus, "#size-cells", 1);

	if (!is_identity_bus(at) || ac < 1 || ac > 2 || sc < 1 || sc > 2) {
		return "its bus's addresses";
	}
	if (dt_u32(node, "#address-cells", 2) != 3 || dt_u32(node, "#size-cells", 1) != 2) {
		return "#address-cells or #size-cells";
	}
	if (!read_ecam(host, dt_cells(node, "reg"), dt_cells(node, "bus-range"), ac, sc)) {
		return "reg or bus-range";
	}
	if (!read_ranges(host, dt_cells(node, "ranges"), ac)) {
		return "ranges";
	}
	if (!read_map(at, "iommu-map", "iommu-map-mask", "#iommu-cells", host->iommu_map,
		      &host->iommu_map_count)) {
		return "iommu-map";
	}
	pci_read_interrupt_map(host, at->path[0], node);
	return read_map(at, "msi-map", "msi-map-mask", "#msi-cells", host->msi_map,
			&host->msi_map_count)
		       ? NULL
		       : "msi-map";
}

enum status pci_host_from_fdt(struct pci_host *host, const struct dt_walk *at)
{
	struct pci_host found = {0};

	if (at->depth == 0) {
		return STATUS_NOT_FOUND;
	}
	const char *wrong = read_bridge(&found, at);

	if (wrong) {
		log_error("PCI host bridge %s: cannot use %s", dt_name(at->node), wrong);
		return STATUS_INVALID;
	}
	*host = found;
	return STATUS_OK;
}
