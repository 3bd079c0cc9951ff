/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not a broken guard: a device that goes on mastering after it was taken away, as one that ignores
 * its reset would (F31). The stream's abort alone must hold it.
 * wraps: pci_virt_remove
 */
#include "pci_virt.h"

void __wrap_pci_virt_remove(struct pci_virt *bridge, unsigned slot);

void __wrap_pci_virt_remove(struct pci_virt *bridge, unsigned slot)
{
	bridge->slots[slot].present = false;
}
