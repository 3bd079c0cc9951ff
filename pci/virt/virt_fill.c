/* SPDX-License-Identifier: BSD-2-Clause */
/* First values of the shown registers, BAR sizing, and the shadow's own accessors. */
#include "virt_rules.h"

#include <string.h>

#define BAR_IO	     0x1u
#define BAR_WIDE     0x4u
#define BAR_PREFETCH 0x8u

uint32_t virt_get(const struct pci_virt_slot *slot, unsigned at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++) {
		value |= (uint32_t)slot->shadow[at + i] << (8 * i);
	}
	return value;
}

void virt_put(struct pci_virt_slot *slot, unsigned at, unsigned bytes, uint32_t value)
{
	for (unsigned i = 0; i < bytes; i++) {
		slot->shadow[at + i] = (uint8_t)(value >> (8 * i));
	}
}

uint32_t virt_device_read(const struct pci_bus *bus, rid_t rid, unsigned at, unsigned bytes)
{
	return bytes == 4   ? pci_config_read32(bus, rid, (uint16_t)at)
	       : bytes == 2 ? pci_config_read16(bus, rid, (uint16_t)at)
			    : pci_config_read8(bus, rid, (uint16_t)at);
}

void virt_device_write(const struct pci_bus *bus, rid_t rid, unsigned at, unsigned bytes,
		       uint32_t value)
{
	if (bytes == 4) {
		pci_config_write32(bus, rid, (uint16_t)at, value);
	} else if (bytes == 2) {
		pci_config_write16(bus, rid, (uint16_t)at, (uint16_t)value);
	} else {
		pci_config_write8(bus, rid, (uint16_t)at, (uint8_t)value);
	}
}

/* The BAR that register `index` belongs to; its upper half when `*upper`. */
static const struct pci_bar *bar_of(const struct pci_virt_slot *slot, unsigned index, bool *upper)
{
	const struct pci_bar *bars = slot->identity.bars;

	*upper = index > 0 && bars[index - 1].space == PCI_SPACE_MEM64;
	return *upper ? &bars[index - 1] : &bars[index];
}

static unsigned bar_index(const struct virt_rule *rule)
{
	return (rule->offset - PCI_BAR0) / 4u;
}

static uint32_t bar_value(const struct pci_virt_slot *slot, unsigned index)
{
	bool upper;
	const struct pci_bar *bar = bar_of(slot, index, &upper);
	uint32_t type = (bar->space == PCI_SPACE_IO ? BAR_IO : 0) |
			(bar->space == PCI_SPACE_MEM64 ? BAR_WIDE : 0) |
			(bar->prefetchable ? BAR_PREFETCH : 0);

	if (bar->space == PCI_SPACE_NONE) {
		return 0;
	}
	return upper ? (uint32_t)(bar->pci_address >> 32) : (uint32_t)bar->pci_address | type;
}

/* Address bits below the size are fixed at 0: that is how a BAR tells its size. */
static uint32_t bar_mask(const struct pci_virt_slot *slot, unsigned index)
{
	bool upper;
	const struct pci_bar *bar = bar_of(slot, index, &upper);
	uint64_t mask = bar->space == PCI_SPACE_NONE ? 0 : ~(bar->size - 1);

	return (uint32_t)(upper ? mask >> 32 : mask);
}

uint32_t virt_writable(const struct pci_virt_slot *slot, const struct virt_rule *rule)
{
	uint32_t writable = rule->shadow | rule->device;

	return rule->source == FROM_BAR ? writable & bar_mask(slot, bar_index(rule)) : writable;
}

/* The list is linked anew through the capabilities that are shown, in this order. */
static uint8_t next_cap(const struct pci_virt_slot *slot, enum virt_group after)
{
	static const uint8_t order[] = {GROUP_POWER, GROUP_MSI, GROUP_MSIX, GROUP_EXPRESS};
	bool passed = after == GROUP_CAPS;

	for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
		if (passed && slot->base[order[i]] != GROUP_ABSENT) {
			return slot->base[order[i]];
		}
		passed = passed || order[i] == after;
	}
	return slot->vendor_caps;
}

static uint32_t first_value(const struct pci_virt_slot *slot, const struct virt_rule *rule)
{
	const struct pci_virt_identity *identity = &slot->identity;

	uint32_t value = 0;

	switch (rule->source) {
	case FROM_IDENTITY:
		memcpy(&value, (const uint8_t *)identity + rule->field, rule->bytes);
		return value;
	case FROM_BAR:
		return bar_value(slot, bar_index(rule));
	case FROM_FIRST_CAP:
	case FROM_NEXT_CAP:
		return next_cap(slot, rule->group);
	case FROM_VECTORS:
		return identity->msix_vectors - 1u;
	default:
		return rule->preset;
	}
}

void virt_fill(struct pci_virt_slot *slot)
{
	for (unsigned i = 0; i < VIRT_RULES; i++) {
		const struct virt_rule *rule = &virt_rules[i];
		unsigned at;

		if (virt_rule_at(slot, rule, &at)) {
			/* Two rules may share a register: each sets its own bits. */
			uint32_t kept =
				virt_get(slot, at, rule->bytes) & ~virt_writable(slot, rule);

			virt_put(slot, at, rule->bytes, kept | first_value(slot, rule));
		}
	}
}
