/* SPDX-License-Identifier: BSD-2-Clause */
/* Which register blocks a function is shown with, and where. Does not trust its lists. */
#include "virt_rules.h"

#include <string.h>

#include "bits.h"

#define HEADER_DWORDS	   16
#define FIRST_CAPABILITY   0x40
#define POWER_DWORDS	   2
#define MSI_DWORDS	   3 /* the smallest layout */
#define MSIX_DWORDS	   3
#define EXPRESS_DWORDS	   3 /* as far as Device Control */
#define MSIX_ENTRY_BYTES   16

#define EXPRESS_VERSION	   0x000fu
#define EXPRESS_INTEGRATED 0x0090u /* Root Complex Integrated Endpoint: right on bus 0, no link */
#define EXPRESS_DEVCAP	   4
#define DEVCAP_ROLE_ERRORS 0x00008000u
#define DEVCAP_FLR	   0x10000000u

/*
 * What is being placed: the slot, where the last capability's link is, and one bit for each dword
 * of its 256 bytes already taken.
 */
struct placing {
	const struct pci_bus *bus;
	struct pci_virt_slot *slot;
	unsigned link;
	uint64_t taken;
};

static uint32_t device(const struct placing *placing, unsigned at, unsigned bytes)
{
	return pci_config_read(placing->bus, placing->slot->identity.rid, at, bytes);
}

static bool take(struct placing *placing, unsigned offset, unsigned dwords)
{
	uint64_t mask;

	if (dwords == 0) {
		return true;
	}
	if (!is_aligned(offset, 4) ||
	    !range_inside(offset, (uint64_t)dwords * 4, 0, PCI_VIRT_SHADOW_BYTES)) {
		return false;
	}
	mask = (BIT(dwords) - 1) << (offset / 4);
	if (placing->taken & mask) {
		return false;
	}
	placing->taken |= mask;
	return true;
}

/* The list is linked anew through the capabilities that are shown, in the order they come. */
static void link_capability(struct placing *placing, uint8_t id, unsigned offset)
{
	virt_put(placing->slot, PCI_STATUS, 2, VIRT_STATUS_LIST);
	virt_put(placing->slot, placing->link, 1, offset);
	virt_put(placing->slot, offset, 2, id);
	placing->link = offset + 1;
}

/* Where it is shown; one that is absent (offset 0) stays hidden, and is no error. */
static bool place(struct placing *placing, enum virt_group group, uint8_t id, unsigned offset,
		  unsigned dwords)
{
	if (offset == 0) {
		return true;
	}
	if (!take(placing, offset, dwords) || device(placing, offset, 1) != id) {
		return false;
	}
	placing->slot->base[group] = (uint8_t)offset;
	link_capability(placing, id, offset);
	return true;
}

/* Its layout depends on two bits of Message Control (PCIe 7.7.1). */
static bool place_msi(struct placing *placing)
{
	struct pci_virt_slot *slot = placing->slot;
	unsigned offset = slot->identity.caps.msi;
	uint32_t control;
	bool wide, maskable;

	if (offset == 0 || !place(placing, GROUP_MSI, PCI_CAP_ID_MSI, offset, MSI_DWORDS)) {
		return offset == 0;
	}
	control = device(placing, offset + MSI_CONTROL, 2) & MSI_CONTROL_FIXED;
	wide = control & MSI_CONTROL_64;
	maskable = control & MSI_CONTROL_MASKABLE;
	slot->base[wide ? GROUP_MSI64 : GROUP_MSI32] = (uint8_t)offset;
	if (maskable) {
		slot->base[wide ? GROUP_MSI64_MASK : GROUP_MSI32_MASK] = (uint8_t)offset;
	}
	virt_put(slot, offset + MSI_CONTROL, 2, control);
	return take(placing, offset + MSI_DWORDS * 4, (wide ? 1 : 0) + (maskable ? 2 : 0));
}

/* Copies a BIR/offset register; do the `bytes` at its location lie inside a memory BAR? */
static bool place_inside_bar(struct placing *placing, unsigned at, uint64_t bytes)
{
	uint32_t location = device(placing, at, 4);
	unsigned index = location & MSIX_BIR;
	const struct pci_bar *bar = &placing->slot->identity.bars[index < PCI_BUS_BARS ? index : 0];

	virt_put(placing->slot, at, 4, location);
	return index < PCI_BUS_BARS && bar->space >= PCI_SPACE_MEM32 &&
	       range_inside(location & ~MSIX_BIR, bytes, 0, bar->size);
}

static bool place_msix(struct placing *placing)
{
	unsigned offset = placing->slot->identity.caps.msix;
	uint64_t vectors = placing->slot->identity.msix_vectors;

	if (offset == 0 || vectors == 0) {
		return true;
	}
	if (vectors > MSIX_VECTORS_MAX ||
	    !place(placing, GROUP_MSIX, PCI_CAP_ID_MSIX, offset, MSIX_DWORDS)) {
		return false;
	}
	virt_put(placing->slot, offset + MSIX_CONTROL, 2, (uint32_t)vectors - 1);
	return place_inside_bar(placing, offset + MSIX_TABLE, vectors * MSIX_ENTRY_BYTES) &&
	       place_inside_bar(placing, offset + MSIX_PBA, align_up(vectors, 64) / 8);
}

static bool place_express(struct placing *placing)
{
	struct pci_virt_slot *slot = placing->slot;
	unsigned offset = slot->identity.caps.express;
	uint32_t able = DEVCAP_ROLE_ERRORS;

	if (offset == 0 ||
	    !place(placing, GROUP_EXPRESS, PCI_CAP_ID_EXPRESS, offset, EXPRESS_DWORDS)) {
		return offset == 0;
	}
	virt_put(slot, offset + 2, 2,
		 EXPRESS_INTEGRATED | (device(placing, offset + 2, 2) & EXPRESS_VERSION));
	/* A whole function loses its BARs in a reset and may take VFs with it: not the guest's. */
	able |= slot->identity.is_vf ? DEVCAP_FLR : 0;
	able &= device(placing, offset + EXPRESS_DEVCAP, 4);
	virt_put(slot, offset + EXPRESS_DEVCAP, 4, able);
	slot->base[GROUP_RESET] = able & DEVCAP_FLR ? (uint8_t)offset : GROUP_ABSENT;
	return true;
}

/*
 * Vendor-specific capabilities say where a driver's registers are (virtio's do). They are copied,
 * behind all others, and nothing writes them: one that is a window to somewhere does not open.
 */
static void place_vendor(struct placing *placing)
{
	unsigned at = device(placing, PCI_CAP_POINTER, 1) & 0xfc;

	for (unsigned hop = 0; hop < PCI_CAPABILITY_HOPS && at >= FIRST_CAPABILITY; hop++) {
		uint32_t head = device(placing, at, 4);
		unsigned length = head >> 16 & 0xff;

		if ((head & 0xff) == PCI_CAP_ID_VENDOR && length >= 4 &&
		    take(placing, at, (length + 3) / 4)) {
			link_capability(placing, PCI_CAP_ID_VENDOR, at);
			for (unsigned i = 2; i < length; i++) {
				virt_put(placing->slot, at + i, 1, device(placing, at + i, 1));
			}
		}
		at = head >> 8 & 0xfc;
	}
}

/*
 * A VF's decode bit reads 0 on real ones (PCIe 9.3.4.1.3) but some models gate on it: always set.
 * A whole function keeps the decode pci/bus gave it, with INTx off for good unless it is routed.
 */
static enum status take_decode(const struct pci_bus *bus, struct pci_virt_slot *slot)
{
	const struct pci_virt_identity *identity = &slot->identity;
	uint16_t command = pci_config_read16(bus, identity->rid, PCI_COMMAND);

	if (command == 0xffff) {
		return STATUS_HARDWARE;
	}
	slot->decode = PCI_COMMAND_MEMORY;
	if (!identity->is_vf) {
		slot->decode = command & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
		slot->decode |= identity->interrupt_pin ? 0 : PCI_COMMAND_INTX_OFF;
	}
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		if (identity->bars[i].space == PCI_SPACE_IO) {
			slot->base[GROUP_IO] = 0;
		} else if (identity->bars[i].space != PCI_SPACE_NONE &&
			   !(slot->decode & PCI_COMMAND_MEMORY)) {
			return STATUS_STATE;
		}
	}
	return STATUS_OK;
}

enum status virt_place(const struct pci_bus *bus, struct pci_virt_slot *slot)
{
	const struct pci_capabilities *caps = &slot->identity.caps;
	struct placing placing = {bus, slot, PCI_CAP_POINTER, BIT(HEADER_DWORDS) - 1};
	enum status status;

	memset(slot->base, GROUP_ABSENT, sizeof(slot->base));
	slot->base[GROUP_IDENTITY] = 0;
	slot->base[GROUP_HEADER] = 0;
	slot->base[GROUP_INTX] = slot->identity.interrupt_pin ? 0 : GROUP_ABSENT;
	status = take_decode(bus, slot);
	if (status) {
		return status;
	}
	if (!place(&placing, GROUP_POWER, PCI_CAP_ID_POWER, caps->power, POWER_DWORDS) ||
	    !place_msi(&placing) || !place_msix(&placing) || !place_express(&placing)) {
		return STATUS_INVALID;
	}
	place_vendor(&placing);
	return STATUS_OK;
}
