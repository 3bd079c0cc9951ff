/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <libfdt.h>
#include <string.h>

#include "bits.h"
#include "log.h"

#define GIC_EDGE 1 /* interrupt flags cell */

static uint64_t read_cells(const fdt32_t *cells, unsigned count)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < count; i++) {
		value = value << 32 | fdt32_ld(&cells[i]);
	}
	return value;
}

/* The n-th entry of `reg`. */
static bool read_reg(const void *fdt, int node, unsigned index, struct machine_region *region)
{
	int parent = fdt_parent_offset(fdt, node), length;
	int address = fdt_address_cells(fdt, parent), size = fdt_size_cells(fdt, parent);
	const fdt32_t *cells = fdt_getprop(fdt, node, "reg", &length);
	unsigned entry = (unsigned)(address + size);

	if (!cells || address < 1 || address > 2 || size < 1 || size > 2 ||
	    (unsigned)length / 4 < entry * (index + 1)) {
		return false;
	}
	cells += entry * index;
	region->base.v = read_cells(cells, (unsigned)address);
	region->size = read_cells(cells + address, (unsigned)size);
	return true;
}

static bool reads(const void *fdt, int node, const char *property, const char *value)
{
	int length, wanted = (int)strlen(value) + 1;
	const char *text = fdt_getprop(fdt, node, property, &length);

	return text && length == wanted && !memcmp(text, value, (size_t)wanted);
}

static bool is_enabled(const void *fdt, int node)
{
	return !fdt_getprop(fdt, node, "status", NULL) || reads(fdt, node, "status", "okay") ||
	       reads(fdt, node, "status", "ok");
}

/* The next enabled node after `from` that is compatible; negative: none. */
static int next_compatible(const void *fdt, int from, const char *compatible)
{
	int node = from;

	do {
		node = fdt_node_offset_by_compatible(fdt, node, compatible);
	} while (node >= 0 && !is_enabled(fdt, node));
	return node;
}

static bool find_region(const void *fdt, const char *compatible, struct machine_region *region,
			int *node)
{
	*node = next_compatible(fdt, -1, compatible);
	return *node >= 0 && read_reg(fdt, *node, 0, region);
}

/* The interrupt called `name` (or the first, without a name), as the GICv3 binding writes it. */
static void read_interrupt(const void *fdt, int node, const char *name,
			   struct machine_interrupt *out)
{
	int length, index = name ? fdt_stringlist_search(fdt, node, "interrupt-names", name) : 0;
	const fdt32_t *cells = fdt_getprop(fdt, node, "interrupts", &length);

	if (!cells || index < 0 || length / 12 <= index) {
		return;
	}
	cells += 3 * index;
	if (fdt32_ld(cells) == 0) { /* an SPI */
		out->intid = 32 + fdt32_ld(cells + 1);
		out->edge = fdt32_ld(cells + 2) == GIC_EDGE;
	}
}

static void read_memory(struct machine *machine, const void *fdt)
{
	int node = -1;

	while ((node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory", 7)) >= 0) {
		for (unsigned i = 0;
		     is_enabled(fdt, node) && machine->memory_count < MACHINE_MEMORY &&
		     read_reg(fdt, node, i, &machine->memory[machine->memory_count]);
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
		for (unsigned i = 0; read_reg(fdt, node, i, &region); i++) {
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
		int length;
		const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &length);

		if (reg && reads(fdt, node, "device_type", "cpu") && cells > 0 && cells <= 2 &&
		    length == 4 * cells && machine->core_count < ARRAY_SIZE(machine->affinities)) {
			machine->affinities[machine->core_count++] =
				read_cells(reg, (unsigned)cells);
		}
	}
}

static void read_fit(struct machine *machine, const void *fdt)
{
	int chosen = fdt_path_offset(fdt, "/chosen"), length, same;
	const fdt32_t *start = fdt_getprop(fdt, chosen, "linux,initrd-start", &length);
	const fdt32_t *end = start ? fdt_getprop(fdt, chosen, "linux,initrd-end", &same) : NULL;

	if (end && same == length && (length == 4 || length == 8)) {
		uint64_t from = read_cells(start, (unsigned)length / 4);
		uint64_t to = read_cells(end, (unsigned)length / 4);

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
		while (machine->gicr_count < MACHINE_GICR &&
		       read_reg(fdt, node, machine->gicr_count + 1,
				&machine->gicr[machine->gicr_count])) {
			machine->gicr_count++;
		}
	}
	for (node = -1; machine->ecam_count < MACHINE_ECAM;) {
		node = next_compatible(fdt, node, "pci-host-ecam-generic");
		if (node < 0) {
			break;
		}
		machine->ecam_count += read_reg(fdt, node, 0, &machine->ecam[machine->ecam_count]);
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
