/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resets of a function and of a bus (PCIe 6.6). Waits are asleep; each has its bound. INTx is off
 * all the time: the line may be one that another partition hears.
 */
#include "bus.h"

#include "clock.h"

#define MS		1000000ull

#define PENDING_STEP_NS (1 * MS)
#define PENDING_STEPS	1000 /* of the longest completion timeouts in use; then FLR ends them */
#define FLR_NS		(100 * MS)
#define BUS_RESET_NS	(2 * MS) /* at least 1 ms (PCI-to-PCI bridge 1.2, 3.2.5.17) */
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

/* No mastering, no decode. Interrupt Disable is set already, but for a VF, which has none. */
static void silence(const struct pci_bus *bus, rid_t rid)
{
	pci_config_write16(bus, rid, PCI_COMMAND,
			   pci_config_read16(bus, rid, PCI_COMMAND) & PCI_COMMAND_INTX_OFF);
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
		if (f->caps.express && f->parent != PCI_BUS_ROOT) { /* it has a link */
			pci_config_write16(bus, rid, f->caps.express + PCI_EXPRESS_LNKCTL,
					   f->link_control);
		}
		if (f->total_vfs) {
			pci_sriov_off(bus, f);
		}
		pci_write_bars(bus, f);
		pci_config_write16(bus, rid, PCI_COMMAND, f->decode | PCI_COMMAND_INTX_OFF);
	}
}

bool pci_has_flr(const struct pci_bus *bus, rid_t rid, uint16_t express)
{
	return express &&
	       (pci_config_read32(bus, rid, express + PCI_EXPRESS_DEVCAP) & PCI_EXPRESS_DEVCAP_FLR);
}

enum status pci_function_reset(const struct pci_bus *bus, rid_t rid, uint16_t express)
{
	if (!pci_has_flr(bus, rid, express)) {
		return STATUS_UNSUPPORTED;
	}
	silence(bus, rid);
	wait_for_transactions(bus, rid, express);
	uint16_t control = pci_config_read16(bus, rid, express + PCI_EXPRESS_DEVCTL);

	pci_config_write16(bus, rid, express + PCI_EXPRESS_DEVCTL,
			   control | PCI_EXPRESS_DEVCTL_FLR);
	clock_sleep_ns(FLR_NS);
	enum status status = pci_function_wait(bus, rid);

	if (status == STATUS_OK) {
		restore(bus, rid);
	}
	return status;
}

enum status pci_secondary_reset(const struct pci_bus *bus, const struct pci_function *port)
{
	uint16_t control = pci_config_read16(bus, port->rid, PCI_BRIDGE_CONTROL);
	unsigned end = pci_below_end(bus, port);
	enum status status = STATUS_OK;

	for (unsigned i = port->below; i < end; i++) {
		const struct pci_function *f = &bus->functions[i];

		silence(bus, f->rid);
		if (f->caps.express) {
			wait_for_transactions(bus, f->rid, f->caps.express);
		}
	}
	pci_config_write16(bus, port->rid, PCI_BRIDGE_CONTROL, control | PCI_BRIDGE_BUS_RESET);
	clock_sleep_ns(BUS_RESET_NS);
	pci_config_write16(bus, port->rid, PCI_BRIDGE_CONTROL, control);
	clock_sleep_ns(FLR_NS);
	for (unsigned i = port->below; i < end; i++) {
		const struct pci_function *f = &bus->functions[i];
		enum status one = pci_function_wait(bus, f->rid);

		if (one == STATUS_OK) {
			restore(bus, f->rid);
		}
		status = status == STATUS_OK ? one : status;
	}
	return status;
}
