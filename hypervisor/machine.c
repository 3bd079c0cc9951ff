/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <string.h>

#include "bits.h"
#include "log.h"

#define GIC_EDGE 1 /* interrupt flags cell */

enum kind { UART, SMMU, ITS, GIC, ECAM, KINDS };

static const char *const kinds[KINDS] = {"arm,pl011", "arm,smmu-v3", "arm,gic-v3-its", "arm,gic-v3",
					 "pci-host-ecam-generic"};

/* The n-th entry of `reg`. */
static bool read_reg(const struct dt_walk *at, unsigned index, struct range *range)
{
	unsigned address = dt_u32(at->path[at->depth - 2], "#address-cells", 2);
	unsigned size = dt_u32(at->path[at->depth - 2], "#size-cells", 1);
	struct dt_cells reg = dt_cells(at->node, "reg");

	if (address < 1 || address > 2 || size < 1 || size > 2 ||
	    reg.count < (address + size) * (index + 1)) {
		return false;
	}
	reg.at += (address + size) * index;
	range->base = dt_take(&reg, address);
	range->size = dt_take(&reg, size);
	return true;
}

/* Entries of `reg` from `first` on, as many as there is room for; false: there are more. */
static bool read_regs(const struct dt_walk *at, unsigned first, struct ranges *out)
{
	struct range range;

	for (; read_reg(at, first, &range); first++) {
		if (out->count == MAX_RANGES) {
			return false;
		}
		out->ranges[out->count++] = range;
	}
	return true;
}

/* The interrupt called `name` (or the first, without a name), as the GICv3 binding writes it. */
static void read_interrupt(struct dt_node node, const char *name, struct machine_interrupt *out)
{
	unsigned which;
	int index = name ? dt_position(node, "interrupt-names", &name, 1, &which) : 0;
	struct dt_cells cells = dt_cells(node, "interrupts");

	if (index < 0 || cells.count / 3 <= (unsigned)index) {
		return;
	}
	cells.at += 3 * index;
	if (dt_take(&cells, 1) == 0) { /* an SPI */
		out->intid = 32 + (uint32_t)dt_take(&cells, 1);
		out->edge = dt_take(&cells, 1) == GIC_EDGE;
	}
}

/* The reservation block, up to its entry of zeroes; false: it does not end, or has too many. */
static bool read_reserve_map(struct ranges *reserved, struct dt_cells map)
{
	while (map.count >= 4) {
		uint64_t base = dt_take(&map, 2), size = dt_take(&map, 2);
		bool last = base == 0 && size == 0;

		if (last || reserved->count == MAX_RANGES) {
			return last;
		}
		reserved->ranges[reserved->count++] = (struct range){base, size};
	}
	return false;
}

static void read_core(struct machine *machine, const struct dt_walk *at)
{
	struct dt_cells reg = dt_cells(at->node, "reg");

	if (dt_is(at->node, "device_type", "cpu") && (reg.count == 1 || reg.count == 2) &&
	    reg.count == dt_u32(at->path[at->depth - 2], "#address-cells", 2) &&
	    machine->core_count < ARRAY_SIZE(machine->affinities)) {
		machine->affinities[machine->core_count++] = dt_take(&reg, 2);
	}
}

static void read_fit(struct machine *machine, struct dt_node chosen)
{
	struct dt_cells start = dt_cells(chosen, "linux,initrd-start");
	struct dt_cells end = dt_cells(chosen, "linux,initrd-end");

	if (start.count == end.count && (end.count == 1 || end.count == 2)) {
		uint64_t from = dt_take(&start, 2), to = dt_take(&end, 2);

		machine->fit = to > from ? va_of((pa_t){from}) : NULL;
		machine->fit_size = to > from ? to - from : 0;
	}
}

/* Of each kind the first one counts, whether it can be read or not; of host bridges all do. */
static void read_device(struct machine *machine, const struct dt_walk *at, unsigned *seen)
{
	struct ranges *ecam = &machine->ecam;
	struct range *const ranges[KINDS] = {&machine->uart, &machine->smmu, &machine->its,
					     &machine->gicd, &ecam->ranges[ecam->count]};
	unsigned kind;

	if (dt_position(at->node, "compatible", kinds, KINDS, &kind) < 0 || *seen >> kind & 1 ||
	    !dt_is_enabled(at->node)) {
		return;
	}
	if (kind == ECAM && machine->host_bridge.depth == 0) {
		machine->host_bridge = *at;
	}
	*seen |= kind == ECAM && ecam->count + 1 < MAX_RANGES ? 0 : 1u << kind;
	if (!read_reg(at, 0, ranges[kind])) {
		return;
	}
	if (kind == UART) {
		read_interrupt(at->node, NULL, &machine->uart_interrupt);
	} else if (kind == SMMU) {
		read_interrupt(at->node, "eventq", &machine->smmu_event);
		read_interrupt(at->node, "gerror", &machine->smmu_error);
	} else if (kind == GIC) {
		(void)read_regs(at, 1, &machine->gicr);
	} else if (kind == ECAM) {
		ecam->count++;
	}
}

enum status machine_read(struct machine *machine, const void *fdt)
{
	struct dt_walk at = {.depth = 1}; /* behind the root, which is no device */
	unsigned seen = 0;

	memset(machine, 0, sizeof(*machine));
	if (dt_open(&at.node, fdt, SIZE_MAX) != STATUS_OK) {
		return STATUS_INVALID;
	}
	if (!read_reserve_map(&machine->reserved, dt_reserved(fdt))) {
		return STATUS_NO_MEMORY;
	}
	at.path[0] = at.node;
	while (dt_walk(&at, 0)) {
		const char *name = dt_name(at.node);
		const char *above = at.depth == 3 ? dt_name(at.path[1]) : "";

		if (!strcmp(above, "cpus")) {
			read_core(machine, &at);
		} else if (!strcmp(above, "reserved-memory")) {
			if (!read_regs(&at, 0, &machine->reserved)) {
				return STATUS_NO_MEMORY;
			}
		} else if (at.depth == 2 && !strcmp(name, "chosen")) {
			read_fit(machine, at.node);
		} else if (!strncmp(name, "memory", 6) && dt_is(at.node, "device_type", "memory")) {
			if (dt_is_enabled(at.node)) {
				(void)read_regs(&at, 0, &machine->memory);
			}
		} else {
			read_device(machine, &at, &seen);
		}
	}
	return machine->memory.count && machine->gicr.count && machine->core_count ? STATUS_OK
										   : STATUS_INVALID;
}
