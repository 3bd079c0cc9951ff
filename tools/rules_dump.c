/* SPDX-License-Identifier: BSD-2-Clause */
/* What only a machine's dump can tell: where BARs are, and who shares a page with whom. */
#include "dump.h"

#include <string.h>

#include "guest_map.h"

#define PAGE_MASK 4095ull

static bool is_memory(const struct dump_bar *bar)
{
	return bar->size && (bar->space == SPACE_MEM32 || bar->space == SPACE_MEM64);
}

static bool fits_a_guest(const struct dump_bar *bar)
{
	return bar->address >= GUEST_PCI_MMIO_BASE && bar->size <= GUEST_PCI_MMIO_SIZE &&
	       bar->address - GUEST_PCI_MMIO_BASE <= GUEST_PCI_MMIO_SIZE - bar->size;
}

static const char *bar_obstacle(const struct dump_bar bars[DUMP_BARS], const char *what)
{
	for (unsigned i = 0; i < DUMP_BARS; i++) {
		if (bars[i].size && bars[i].space == SPACE_NONE) {
			return keep_printf("its %sBAR %u (0x%llx bytes) found no room in the "
					   "machine's windows",
					   what, i, (unsigned long long)bars[i].size);
		}
		if (is_memory(&bars[i]) && !fits_a_guest(&bars[i])) {
			return keep_printf("its %sBAR %u at 0x%llx lies outside 0x%llx to 0x%llx, "
					   "where guests have BARs",
					   what, i, (unsigned long long)bars[i].address,
					   GUEST_PCI_MMIO_BASE,
					   GUEST_PCI_MMIO_BASE + GUEST_PCI_MMIO_SIZE - 1);
		}
	}
	return NULL;
}

const char *dump_obstacle(const struct dump *dump, const struct dump_function *function)
{
	if (dump_is_bridge(function)) {
		return "a bridge: it stays with the hypervisor";
	}
	if (!dump->smmu || !dump_is_fenced(dump, function->rid)) {
		return dump->smmu ? "its bus bypasses the SMMU: nothing fences its DMA"
				  : "the machine has no usable SMMU: nothing fences its DMA";
	}
	if (!dump->its) {
		return "the machine has no usable ITS for its interrupts";
	}
	return bar_obstacle(function->bars, "");
}

static bool share_a_page(const struct dump_bar *a, const struct dump_bar *b)
{
	uint64_t a_first = a->address & ~PAGE_MASK, a_last = (a->address + a->size - 1) | PAGE_MASK;

	return is_memory(a) && is_memory(b) && b->address <= a_last &&
	       b->address + b->size - 1 >= a_first;
}

static bool functions_share(const struct dump_function *a, const struct dump_function *b)
{
	for (unsigned i = 0; i < DUMP_BARS * DUMP_BARS; i++) {
		if (share_a_page(&a->bars[i / DUMP_BARS], &b->bars[i % DUMP_BARS])) {
			return true;
		}
	}
	return false;
}

/* Does the partition have this function whole? */
static bool has_it(const struct partition *partition, int rid)
{
	for (unsigned i = 0; i < partition->device_count; i++) {
		if (partition->devices[i].function == rid) {
			return true;
		}
	}
	return false;
}

static const char *sharers(const struct dump *dump, const struct dump_function *function,
			   const struct partition *owner)
{
	const char *list = "";

	for (unsigned i = 0; i < dump->count; i++) {
		const struct dump_function *other = &dump->functions[i];

		if (dump_is_machine(other) && other != function && !dump_is_vf(other) &&
		    !(owner && has_it(owner, other->rid)) && functions_share(function, other)) {
			list = keep_printf("%s%s%s", list, *list ? ", " : "", bdf_text(other->rid));
		}
	}
	return list;
}

const char *dump_page_sharers(const struct dump *dump, const struct dump_function *function)
{
	return sharers(dump, function, NULL);
}

static void check_function(const struct dump *dump, const struct partition *partition,
			   const struct device *device, struct report *report)
{
	const struct dump_function *function = dump_find(dump, device->function);
	const char *obstacle = function ? bar_obstacle(function->bars, "") : NULL;
	const char *others = function ? sharers(dump, function, partition) : "";

	if (obstacle) {
		report_add(report, SEVERITY_RULE, device->path, "%s: %s",
			   bdf_text(device->function), obstacle);
		report_fix(report, "free room below 4 GiB (fewer devices or VFs), or leave it out");
	}
	if (*others) {
		report_add(report, SEVERITY_RULE, device->path,
			   "a BAR of %s shares a 4 KiB page with one of %s",
			   bdf_text(device->function), others);
		report_fix(report, "give all of them to %s, or none", partition->name);
	}
}

static void check_vf(const struct dump *dump, const struct device *device, struct report *report)
{
	const struct dump_function *pf = dump_find(dump, device->vf_of);
	const char *obstacle = pf ? bar_obstacle(pf->vf_bars, "VF ") : NULL;

	if (obstacle) {
		report_add(report, SEVERITY_RULE, device->path, "%s: %s", bdf_text(device->vf_of),
			   obstacle);
		report_fix(report, "free room below 4 GiB, or leave its VFs out");
	}
	for (unsigned i = 0; pf && i < DUMP_BARS; i++) {
		if (is_memory(&pf->vf_bars[i]) && pf->vf_bars[i].size <= PAGE_MASK) {
			unsigned sharers = (unsigned)((PAGE_MASK + 1) / pf->vf_bars[i].size);
			unsigned first = (unsigned)device->index / sharers * sharers;

			report_add(report, SEVERITY_RULE, device->path,
				   "VF BAR %u has 0x%llx bytes: VFs %u to %u of %s share a page", i,
				   (unsigned long long)pf->vf_bars[i].size, first,
				   first + sharers - 1, bdf_text(device->vf_of));
			report_fix(report, "give the whole card to one partition");
		}
	}
}

void rules_check_dump(const struct config *config, const struct dump *dump, struct report *report)
{
	for (unsigned i = 0; i < config->partition_count; i++) {
		const struct partition *partition = &config->partitions[i];

		for (unsigned j = 0; j < partition->device_count; j++) {
			const struct device *device = &partition->devices[j];

			if (device->function >= 0) {
				check_function(dump, partition, device, report);
			} else if (device->vf_of >= 0) {
				check_vf(dump, device, report);
			}
		}
	}
}
