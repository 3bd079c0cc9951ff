/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F23: a function is shown whatever it says of its MSI-X table and its other capabilities.
 * wraps: virt_place
 * test: pci/virt/test_virt_slots
 * fails: test_add_refuses_bad_capabilities
 */
#include "virt_rules.h"

enum status __real_virt_place(const struct pci_bus *bus, struct pci_virt_slot *slot);
enum status __wrap_virt_place(const struct pci_bus *bus, struct pci_virt_slot *slot);

enum status __wrap_virt_place(const struct pci_bus *bus, struct pci_virt_slot *slot)
{
	(void)!__real_virt_place(bus, slot);
	return STATUS_OK;
}
