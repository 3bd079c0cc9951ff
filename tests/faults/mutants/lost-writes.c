/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest writes to MSI and MSI-X control stays in its own view, and its device never hears.
 * wraps: virt_push
 */
#include "virt_rules.h"

void __real_virt_push(const struct pci_bus *bus, const struct pci_virt_slot *slot,
		      const struct virt_rule *rule, unsigned at);
void __wrap_virt_push(const struct pci_bus *bus, const struct pci_virt_slot *slot,
		      const struct virt_rule *rule, unsigned at);

void __wrap_virt_push(const struct pci_bus *bus, const struct pci_virt_slot *slot,
		      const struct virt_rule *rule, unsigned at)
{
	if (at <= PCI_STATUS) {
		__real_virt_push(bus, slot, rule, at);
	}
}
