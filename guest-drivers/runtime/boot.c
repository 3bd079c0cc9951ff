/* SPDX-License-Identifier: BSD-2-Clause */
/* Start-up order of a guest, and what its device tree says (Devicetree 0.4). */
#include "internal.h"

#include <libfdt.h>
#include <string.h>

static const void *tree;
static uint64_t first;
static uint64_t ram_end = GUEST_RAM_BASE + MIB(64); /* without a tree */

uint64_t first_instruction(void)
{
	return first;
}

void fdt_start(uint64_t fdt)
{
	const void *blob = (const void *)(uintptr_t)fdt;
	const fdt64_t *reg;
	int node, length;

	if (fdt < GUEST_RAM_BASE || fdt >= GUEST_RAM_BASE + GIB(1) || (fdt & 7) ||
	    fdt_check_header(blob)) {
		return;
	}
	tree = blob;
	node = fdt_node_offset_by_prop_value(tree, -1, "device_type", "memory", sizeof("memory"));
	reg = node < 0 ? NULL : fdt_getprop(tree, node, "reg", &length);
	if (reg && length >= 16 && fdt64_ld(reg) == GUEST_RAM_BASE) {
		uint64_t size = fdt64_ld(reg + 1);

		ram_end = GUEST_RAM_BASE + (size < GIB(1) ? size : GIB(1));
	}
}

const void *guest_fdt(void)
{
	return tree;
}

void guest_ram(uint64_t *base, uint64_t *end)
{
	*base = GUEST_RAM_BASE;
	*end = ram_end;
}

uint64_t guest_image_end(void)
{
	return (uint64_t)(uintptr_t)image_end;
}

void runtime_start(uint64_t fdt, uint64_t counter)
{
	first = counter;
	console_start();
	fdt_start(fdt);
	if (gic_start_distributor() != STATUS_OK || gic_start_core() != STATUS_OK) {
		say("guest: the interrupt controller does not answer; powering off");
		power_off();
	}
	guest_main();
	power_off();
}
