/* SPDX-License-Identifier: BSD-2-Clause */
/* Function-level reset (PCIe 6.6.2). Waits are asleep; each has its bound. */
#include "bus.h"

#include "clock.h"

#define MS		1000000ull

#define PENDING_STEP_NS (1 * MS)
#define PENDING_STEPS	1000 /* of the longest completion timeouts in use; then FLR ends them */
#define FLR_NS		(100 * MS)
#define ANSWER_STEP_NS	(10 * MS)
#define ANSWER_STEPS	100 /* 1 s, the bound on configuration retries after a reset (6.6.1) */

enum status pci_function_wait(const struct pci_bus *bus, rid_t rid)
{
	uint64_t end = clock_ns() + ANSWER_STEPS * ANSWER_STEP_NS;

	for (unsigned step = 0; step <= ANSWER_STEPS && (!step || clock_ns() <= end); step++) {
		if (pci_config_read32(bus, rid, PCI_COMMAND) != ~0u) {
			return STATUS_OK;
		}
		clock_sleep_ns(ANSWER_STEP_NS);
	}
	return STATUS_TIMEOUT;
}

/* A function that goes on mastering cannot be waited for: the reset is all the more due. */
static void wait_for_transactions(const struct pci_bus *bus, rid_t rid, uint16_t express)
{
	for (unsigned step = 0; step < PENDING_STEPS; step++) {
		uint16_t state = pci_config_read16(bus, rid, express + PCI_EXPRESS_DEVSTA);

		if (state == 0xffff || !(state & PCI_EXPRESS_DEVSTA_PENDING)) {
			return;
		}
		clock_sleep_ns(PENDING_STEP_NS);
	}
}

static void restore(const struct pci_bus *bus, rid_t rid)
{
	for (unsigned i = 0; i < bus->function_count; i++) {
		const struct pci_function *f = &bus->functions[i];

		if (f->rid.v != rid.v) {
			continue;
		}
		pci_fence_function(bus, f);
		if (f->total_vfs) {
			pci_sriov_quiet(bus, f);
		}
		pci_write_bars(bus, f);
	}
}

enum status pci_function_reset(const struct pci_bus *bus, rid_t rid, uint16_t express)
{
	if (!express ||
	    !(pci_config_read32(bus, rid, express + PCI_EXPRESS_DEVCAP) & PCI_EXPRESS_DEVCAP_FLR)) {
		return STATUS_UNSUPPORTED;
	}
	pci_config_write16(bus, rid, PCI_COMMAND, 0);
	wait_for_transactions(bus, rid, express);
	uint16_t control = pci_config_read16(bus, rid, express + PCI_EXPRESS_DEVCTL);

	pci_config_write16(bus, rid, express + PCI_EXPRESS_DEVCTL,
			   control | PCI_EXPRESS_DEVCTL_FLR);
	clock_sleep_ns(FLR_NS);
	enum status status = pci_function_wait(bus, rid);

	if (status == STATUS_OK) {
		pci_config_write16(bus, rid, PCI_COMMAND, 0);
		restore(bus, rid);
	}
	return status;
}
