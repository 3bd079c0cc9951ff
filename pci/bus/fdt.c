/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host bridge from the machine's device tree: bindings host-generic-pci, pci-iommu, pci-msi;
 * `ranges` as in IEEE Std 1275 PCI binding 2.1. What this cannot read it refuses: a map half
 * understood would send a device's DMA to the wrong stream.
 */
#include "bus.h"

#include "dt.h"
#include "log.h"

#define COMPATIBLE	"pci-host-ecam-generic"
#define HI_SPACE(hi)	((hi) >> 24 & 3)
#define HI_PREFETCHABLE 0x40000000u
#define BUS_BYTES	MIB(1)
#define MAX_DEPTH	8
#define ADDRESS_LIMIT	(1ull << 52)

/* Are addresses on this bus the CPU's own? It, and every bus above it, has an empty `ranges`. */
static bool is_identity_bus(const void *fdt, int bus)
{
	for (unsigned depth = 0; depth < MAX_DEPTH && bus > 0; depth++) {
		if (!dt_has(fdt, bus, "ranges") || dt_cells(fdt, bus, "ranges").count) {
			return false;
		}
		bus = fdt_parent_offset(fdt, bus);
	}
	return bus == 0;
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

static bool maps_overlap(const struct pci_id_map *a, const struct pci_id_map *b)
{
	bool rids = a->rid_base < b->rid_base + b->length && b->rid_base < a->rid_base + a->length;
	uint64_t a_end = (uint64_t)a->out_base + a->length;
	uint64_t b_end = (uint64_t)b->out_base + b->length;

	return rids || (a->out_base < b_end && b->out_base < a_end);
}

/* Two requester ids with one stream would share a fence: entries may not overlap, on either side.
 */
static bool read_map_entry(struct pci_id_map *maps, unsigned index, struct dt_cells *cells)
{
	struct pci_id_map *map = &maps[index];

	map->rid_base = (uint32_t)dt_take(cells, 1);
	dt_take(cells, 1);
	map->out_base = (uint32_t)dt_take(cells, 1);
	map->length = (uint32_t)dt_take(cells, 1);
	if (map->length == 0 || !range_inside(map->rid_base, map->length, 0, 0x10000) ||
	    !range_inside(map->out_base, map->length, 0, 1ull << 32)) {
		return false;
	}
	for (unsigned i = 0; i < index; i++) {
		if (maps_overlap(&maps[i], map)) {
			return false;
		}
	}
	return true;
}

struct map_binding {
	const char *map, *mask, *cells;
};

/* Absent: no entries, which is bypass. All entries lead to one controller with one-cell ids. */
static bool read_map(const void *fdt, int node, const struct map_binding *binding,
		     struct pci_id_map maps[PCI_BUS_MAX_ID_MAPS], unsigned *count)
{
	struct dt_cells map = dt_cells(fdt, node, binding->map);
	struct dt_cells mask = dt_cells(fdt, node, binding->mask);

	if (!dt_cells(fdt, node, binding->map).at) {
		return true;
	}
	if (map.count == 0 || map.count % 4 || map.count / 4 > PCI_BUS_MAX_ID_MAPS ||
	    (dt_cells(fdt, node, binding->mask).at && dt_take(&mask, 1) != 0xffff)) {
		return false;
	}
	uint32_t controller = fdt32_ld(&map.at[1]);
	struct dt_cells width =
		dt_cells(fdt, fdt_node_offset_by_phandle(fdt, controller), binding->cells);

	if (width.count != 1 || dt_take(&width, 1) != 1) {
		return false;
	}
	while (map.count) {
		if (fdt32_ld(&map.at[1]) != controller || !read_map_entry(maps, *count, &map)) {
			return false;
		}
		(*count)++;
	}
	return true;
}

static const char *read_bridge(struct pci_host *host, const void *fdt, int node)
{
	static const struct map_binding iommu = {"iommu-map", "iommu-map-mask", "#iommu-cells"};
	static const struct map_binding msi = {"msi-map", "msi-map-mask", "#msi-cells"};
	int parent = fdt_parent_offset(fdt, node);
	int ac = fdt_address_cells(fdt, parent), sc = fdt_size_cells(fdt, parent);

	if (ac < 1 || ac > 2 || sc < 1 || sc > 2 || !is_identity_bus(fdt, parent)) {
		return "its bus's addresses";
	}
	if (fdt_address_cells(fdt, node) != 3 || fdt_size_cells(fdt, node) != 2) {
		return "#address-cells or #size-cells";
	}
	if (!read_ecam(host, dt_cells(fdt, node, "reg"), dt_cells(fdt, node, "bus-range"),
		       (unsigned)ac, (unsigned)sc)) {
		return "reg or bus-range";
	}
	if (!read_ranges(host, dt_cells(fdt, node, "ranges"), (unsigned)ac)) {
		return "ranges";
	}
	if (!read_map(fdt, node, &iommu, host->iommu_map, &host->iommu_map_count)) {
		return "iommu-map";
	}
	pci_read_interrupt_map(host, fdt, node);
	return read_map(fdt, node, &msi, host->msi_map, &host->msi_map_count) ? NULL : "msi-map";
}

enum status pci_host_from_fdt(struct pci_host *host, const void *fdt)
{
	struct pci_host found = {0};

	if (fdt_check_header(fdt) != 0) {
		return STATUS_INVALID;
	}
	int node = dt_next_enabled(fdt, -1, COMPATIBLE);

	if (node < 0) {
		return STATUS_NOT_FOUND;
	}
	const char *wrong = read_bridge(&found, fdt, node);

	if (wrong) {
		log_error("PCI host bridge %s: cannot use %s", fdt_get_name(fdt, node, NULL),
			  wrong);
		return STATUS_INVALID;
	}
	*host = found;
	return STATUS_OK;
}
