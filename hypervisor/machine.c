/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <string.h>

#include "bits.h"
#include "dt.h"
#include "log.h"

#define GIC_EDGE 1 /* interrupt flags cell */

/* The n-th entry of `reg`. libfdt walks from the root to find a parent: the caller does it once. */
static bool read_reg(const void *fdt, int parent, int node, unsigned index,
		     struct machine_region *region)
{
	int address = fdt_address_cells(fdt, parent), size = fdt_size_cells(fdt, parent);
	struct dt_cells reg = dt_cells(fdt, node, "reg");
	unsigned entry = (unsigned)(address + size);

	if (address < 1 || address > 2 || size < 1 || size > 2 || reg.count < entry * (index + 1)) {
		return false;
	}
	reg.at += entry * index;
	region->base.v = dt_take(&reg, (unsigned)address);
	region->size = dt_take(&reg, (unsigned)size);
	return true;
}

static bool find_region(const void *fdt, const char *compatible, struct machine_region *region,
			int *node)
{
	*node = dt_next_enabled(fdt, -1, compatible);
	return *node >= 0 && read_reg(fdt, fdt_parent_offset(fdt, *node), *node, 0, region);
}

/* The interrupt called `name` (or the first, without a name), as the GICv3 binding writes it. */
static void read_interrupt(const void *fdt, int node, const char *name,
			   struct machine_interrupt *out)
{
	int index = name ? fdt_stringlist_search(fdt, node, "interrupt-names", name) : 0;
	struct dt_cells cells = dt_cells(fdt, node, "interrupts");

	if (index < 0 || cells.count / 3 <= (unsigned)index) {
		return;
	}
	cells.at += 3 * index;
	if (dt_take(&cells, 1) == 0) { /* an SPI */
		out->intid = 32 + (uint32_t)dt_take(&cells, 1);
		out->edge = dt_take(&cells, 1) == GIC_EDGE;
	}
}

static void read_memory(struct machine *machine, const void *fdt)
{
	int node = -1;

	while ((node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory", 7)) >= 0) {
		int parent = fdt_parent_offset(fdt, node);

		for (unsigned i = 0;
		     dt_is_enabled(fdt, node) && machine->memory_count < MACHINE_MEMORY &&
		     read_reg(fdt, parent, node, i, &machine->memory[machine->memory_count]);
		     i++) {
			machine->memory_count++;
		}
	}
}

static enum status read_reserved(struct machine *machine, const void *fdt)
{
	int parent = fdt_path_offset(fdt, "/reserved-memory"), node, entries = fdt_num_mem_rsv(fdt);
	struct machine_region region;

	for (int i = 0; i < entries; i++) {
		if (machine->reserved_count == MACHINE_RESERVED ||
		    fdt_get_mem_rsv(fdt, i, &region.base.v, &region.size) != 0) {
			return STATUS_NO_MEMORY;
		}
		machine->reserved[machine->reserved_count++] = region;
	}
	if (parent < 0) {
		return STATUS_OK;
	}
	fdt_for_each_subnode(node, fdt, parent)
	{
		for (unsigned i = 0; read_reg(fdt, parent, node, i, &region); i++) {
			if (machine->reserved_count == MACHINE_RESERVED) {
				return STATUS_NO_MEMORY;
			}
			machine->reserved[machine->reserved_count++] = region;
		}
	}
	return STATUS_OK;
}

static void read_cores(struct machine *machine, const void *fdt)
{
	int cpus = fdt_path_offset(fdt, "/cpus"), node;

	if (cpus < 0) {
		return;
	}

	int cells = fdt_address_cells(fdt, cpus);

	fdt_for_each_subnode(node, fdt, cpus)
	{
		struct dt_cells reg = dt_cells(fdt, node, "reg");

		if (dt_is(fdt, node, "device_type", "cpu") && cells > 0 && cells <= 2 &&
		    reg.count == (unsigned)cells &&
		    machine->core_count < ARRAY_SIZE(machine->affinities)) {
			machine->affinities[machine->core_count++] = dt_take(&reg, reg.count);
		}
	}
}

static void read_fit(struct machine *machine, const void *fdt)
{
	int chosen = fdt_path_offset(fdt, "/chosen");
	struct dt_cells start = dt_cells(fdt, chosen, "linux,initrd-start");
	struct dt_cells end = dt_cells(fdt, chosen, "linux,initrd-end");

	if (start.count == end.count && (end.count == 1 || end.count == 2)) {
		uint64_t from = dt_take(&start, 2), to = dt_take(&end, 2);

		machine->fit = to > from ? va_of((pa_t){from}) : NULL;
		machine->fit_size = to > from ? to - from : 0;
	}
}

static void read_devices(struct machine *machine, const void *fdt)
{
	int node;

	if (find_region(fdt, "arm,pl011", &machine->uart, &node)) {
		read_interrupt(fdt, node, NULL, &machine->uart_interrupt);
	}
	if (find_region(fdt, "arm,smmu-v3", &machine->smmu, &node)) {
		read_interrupt(fdt, node, "eventq", &machine->smmu_event);
		read_interrupt(fdt, node, "gerror", &machine->smmu_error);
	}
	(void)find_region(fdt, "arm,gic-v3-its", &machine->its, &node);
	if (find_region(fdt, "arm,gic-v3", &machine->gicd, &node)) {
		for (int parent = fdt_parent_offset(fdt, node);
		     machine->gicr_count < MACHINE_GICR &&
		     read_reg(fdt, parent, node, machine->gicr_count + 1,
			      &machine->gicr[machine->gicr_count]);) {
			machine->gicr_count++;
		}
	}
	for (node = -1; machine->ecam_count < MACHINE_ECAM;) {
		node = dt_next_enabled(fdt, node, "pci-host-ecam-generic");
		if (node < 0) {
			break;
		}
		machine->ecam_count += read_reg(fdt, fdt_parent_offset(fdt, node), node, 0,
						&machine->ecam[machine->ecam_count]);
	}
}

enum status machine_read(struct machine *machine, const void *fdt)
{
	memset(machine, 0, sizeof(*machine));
	if (fdt_check_header(fdt) != 0) {
		return STATUS_INVALID;
	}
	machine->fdt = fdt;
	read_devices(machine, fdt);
	read_memory(machine, fdt);
	read_cores(machine, fdt);
	read_fit(machine, fdt);
	if (read_reserved(machine, fdt) != STATUS_OK) {
		return STATUS_NO_MEMORY;
	}
	return machine->memory_count && machine->gicr_count && machine->core_count ? STATUS_OK
										   : STATUS_INVALID;
}
