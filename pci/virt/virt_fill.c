/* SPDX-License-Identifier: BSD-2-Clause */
/* First values of the shown registers, BAR sizing, and what is passed on. */
#include "virt_rules.h"

#include <string.h>

#define BAR_IO	     0x1u
#define BAR_WIDE     0x4u
#define BAR_PREFETCH 0x8u

void virt_push(const struct pci_bus *bus, const struct pci_virt_slot *slot,
	       const struct virt_rule *rule, unsigned at)
{
	uint32_t value = virt_get(slot, at, rule->bytes);

	if (at == PCI_COMMAND) {
		value &= PCI_COMMAND_MASTER |
			 (slot->identity.interrupt_pin ? PCI_COMMAND_INTX_OFF : 0);
		value |= slot->decode;
	}
	/* Its width is the register's: a neighbour that clears on 1 is left alone. */
	pci_config_write(bus, slot->identity.rid, at, rule->bytes, value);
}

/*
 * A BAR's register: its first value, or with `sizing` which of its bits can be written; those below
 * the size cannot: that is how a BAR tells it. A 64-bit BAR has two registers.
 */
static uint32_t bar_register(const struct pci_virt_slot *slot, const struct virt_rule *rule,
			     bool sizing)
{
	unsigned index = (rule->offset - PCI_BAR0) / 4u;
	const struct pci_bar *bar = &slot->identity.bars[index];
	bool upper = index && bar[-1].space == PCI_SPACE_MEM64;
	uint64_t value;

	bar -= upper;
	if (bar->space == PCI_SPACE_NONE) {
		return 0;
	}
	value = sizing ? ~(bar->size - 1)
		       : bar->pci_address | (bar->space == PCI_SPACE_IO ? BAR_IO : 0) |
				 (bar->space == PCI_SPACE_MEM64 ? BAR_WIDE : 0) |
				 (bar->prefetchable ? BAR_PREFETCH : 0);
	return (uint32_t)(upper ? value >> 32 : value);
}

uint32_t virt_writable(const struct pci_virt_slot *slot, const struct virt_rule *rule)
{
	return rule->source == FROM_BAR ? bar_register(slot, rule, true)
					: rule->shadow | rule->device;
}

static uint32_t first_value(const struct pci_virt_slot *slot, const struct virt_rule *rule)
{
	uint32_t value = rule->preset;

	if (rule->source == FROM_BAR) {
		value = bar_register(slot, rule, false);
	} else if (rule->source == FROM_IDENTITY) {
		memcpy(&value, (const uint8_t *)&slot->identity + rule->field, rule->bytes);
	}
	return value;
}

void virt_fill(const struct pci_bus *bus, struct pci_virt_slot *slot)
{
	for (unsigned i = 0; i < VIRT_RULES; i++) {
		const struct virt_rule *rule = &virt_rules[i];
		unsigned at;

		if (virt_rule_at(slot, rule, &at)) {
			/* Two rules may share a register: each sets its own bits. */
			uint32_t kept =
				virt_get(slot, at, rule->bytes) & ~virt_writable(slot, rule);

			virt_put(slot, at, rule->bytes, kept | first_value(slot, rule));
			if (rule->device) {
				virt_push(bus, slot, rule, at);
			}
		}
	}
}
