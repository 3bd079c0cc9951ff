/* SPDX-License-Identifier: BSD-2-Clause */
/* What a message interrupt and its table can be made to do: F22, F23. */
#include "attack.h"

#define CAP_MSIX   0x11u
#define ENTRY_SIZE 16u
#define MARK	   0x5au
#define SETTLE_NS  5000000ull

/* A message is a write: where does it go? */
static void aim(const char *step, uint64_t address)
{
	uint32_t before = irq_count_all();
	enum status status = engine_interrupt(address, MARK);

	clock_sleep_ns(SETTLE_NS);
	report(step, irq_count_all() != before ? "delivered" : "dropped", "address=0x%lx sent=%u",
	       address, status == STATUS_OK);
}

void attack_msi_elsewhere(void)
{
	uint64_t at[TARGETS];
	unsigned count = boot_numbers("target", at, TARGETS);
	volatile uint32_t *own = (volatile uint32_t *)(uintptr_t)scratch_page(1);

	if (!interrupts_start()) {
		return;
	}
	interrupts_control("own-event-before");
	*own = 0;
	aim("own-ram", scratch_page(1));
	outcome("own-ram-after", *own == MARK ? "landed" : "empty");
	for (unsigned i = 0; i < count; i++) {
		aim("elsewhere", at[i]);
	}
	interrupts_control("own-event-after");
	engine_control("control-after");
}

/* One access of any width anywhere, read and written; it faults or it does not, here. */
static void touch(uint64_t address, unsigned size, unsigned *faults, unsigned *taken)
{
	struct probe_result read = probe_read(address, size);
	struct probe_result write = probe_write(address, size, read.value ^ ~0ull);

	*faults += read.faulted + write.faulted;
	*taken += !read.faulted + !write.faulted;
}

static void touch_range(const char *step, uint64_t from, uint64_t bytes)
{
	unsigned faults = 0, taken = 0;

	for (unsigned size = 1; size <= 8; size *= 2) {
		for (uint64_t at = 0; at < bytes; at++) {
			touch(from + at, size, &faults, &taken);
		}
	}
	report(step, taken ? "taken" : "fault", "from=0x%lx faults=%u taken=%u", from, faults,
	       taken);
}

void attack_msix_table(void)
{
	const struct pci_device *pci;
	uint64_t table, pending, size;
	uint32_t location, where, low;
	unsigned vectors;
	uint16_t cap, bar;

	if (!interrupts_start()) {
		return;
	}
	interrupts_control("own-event-before");
	pci = &engine()->pci;
	cap = pci_capability(pci, CAP_MSIX);
	if (!cap) {
		outcome("table", "missing");
		return;
	}
	vectors = (pci_read(pci, cap + 2, 2) & 0x7ff) + 1;
	location = pci_read(pci, cap + 4, 4);
	where = pci_read(pci, cap + 8, 4);
	bar = (uint16_t)(0x10 + 4 * (location & 7));
	table = pci_bar(pci, location & 7) + (location & ~7u);
	pending = pci_bar(pci, where & 7) + (where & ~7u);
	low = pci_read(pci, bar, 4);
	pci_write(pci, bar, 4, ~0u);
	size = -(pci_read(pci, bar, 4) & ~15u);
	pci_write(pci, bar, 4, low);
	/* The location is the function's, not the guest's. */
	pci_write(pci, cap + 4, 4, ~0u);
	pci_write(pci, cap + 8, 4, ~0u);
	report("location",
	       pci_read(pci, cap + 4, 4) == location && pci_read(pci, cap + 8, 4) == where
		       ? "fixed"
		       : "moved",
	       "vectors=%u size=0x%lx", vectors, size);
	touch_range("table", table, (uint64_t)vectors * ENTRY_SIZE);
	touch_range("after-the-last", table + (uint64_t)vectors * ENTRY_SIZE, ENTRY_SIZE);
	touch_range("pending", pending, 16);
	/* Where the BAR ends the next function's begins. */
	touch_range("beyond", pci_bar(pci, location & 7) + size, 64);
	if (engine_start()) {
		interrupts_control("own-event-after");
		engine_control("control-after");
	}
}
