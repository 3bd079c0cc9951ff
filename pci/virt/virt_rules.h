/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rule table: every register of which a guest may see more than a constant. A rule says who
 * answers each bit of one register; a bit in no mask is fixed at its first value, which
 * virt_place() put there for what it read of the device, else 0. Private to pci/virt.
 */
#ifndef CW_VIRT_RULES_H
#define CW_VIRT_RULES_H

#include "bits.h"
#include "pci_virt.h"

/* A block of registers that is shown as a whole, at its own base, or not at all. */
enum virt_group {
	GROUP_IDENTITY, /* every slot, the host bridge's too */
	GROUP_HEADER,	/* every physical function */
	GROUP_IO,	/* it has an I/O BAR */
	GROUP_INTX,	/* its INTx is routed */
	GROUP_POWER,
	GROUP_MSI,
	GROUP_MSI32, /* MSI without 64-bit addresses */
	GROUP_MSI64,
	GROUP_MSI32_MASK,
	GROUP_MSI64_MASK,
	GROUP_MSIX,
	GROUP_EXPRESS,
	GROUP_RESET, /* a VF with function-level reset */
	GROUP_COUNT
};
_Static_assert(GROUP_COUNT == PCI_VIRT_GROUPS, "struct pci_virt_slot has one base for each group");

#define GROUP_ABSENT 0xff /* never a base: capabilities are dword-aligned */

/* Where the first value comes from. */
enum virt_source {
	FROM_PRESET,
	FROM_IDENTITY, /* its `field` */
	FROM_BAR
};

struct virt_rule {
	uint8_t group;
	uint8_t offset; /* from the group's base */
	uint8_t bytes;	/* 1, 2 or 4: the width of every access to the device, too */
	uint8_t source;
	uint16_t field; /* offset in struct pci_virt_identity, `bytes` wide */
	uint32_t preset;
	uint32_t shadow; /* writable; stays here */
	uint32_t device; /* writable; kept here and passed on to the device */
	uint32_t live;	 /* read from the device each time */
	uint32_t w1c;	 /* written ones are passed on, nothing is kept */
	uint32_t reset;	 /* a written one resets the function */
};

#define VIRT_RULES 33
extern const struct virt_rule virt_rules[VIRT_RULES];

/* Is the rule's register shown in this slot? Then `*at` is its offset there. */
static inline bool virt_rule_at(const struct pci_virt_slot *slot, const struct virt_rule *rule,
				unsigned *at)
{
	*at = (unsigned)slot->base[rule->group] + rule->offset;
	return slot->base[rule->group] != GROUP_ABSENT;
}

/* The bits of `rule` that a guest may write in this slot; a BAR's depend on its size. */
uint32_t virt_writable(const struct pci_virt_slot *slot, const struct virt_rule *rule);

/*
 * Finds out which groups the function of a zeroed slot has and where, links its capabilities, and
 * copies what a driver must know of the device. Only reads it, and each register once. STATUS_* as
 * pci_virt_add().
 */
enum status MUST_USE virt_place(const struct pci_bus *bus, struct pci_virt_slot *slot);

/*
 * (Re)sets every register that has a rule to its first value, and the device to the same: bus
 * mastering, MSI and MSI-X off. What virt_place() copied stays.
 */
void virt_fill(const struct pci_bus *bus, struct pci_virt_slot *slot);

/* Passes a register on as the shadow has it. */
void virt_push(const struct pci_bus *bus, const struct pci_virt_slot *slot,
	       const struct virt_rule *rule, unsigned at);

/* The bits of its dword that a naturally aligned register takes. */
static inline uint32_t virt_lanes(unsigned at, unsigned bytes)
{
	return (uint32_t)(BIT(8 * bytes) - 1) << 8 * (at % 4);
}

/* One register of the shadow. */
static inline uint32_t virt_get(const struct pci_virt_slot *slot, unsigned at, unsigned bytes)
{
	return (slot->shadow[at / 4] & virt_lanes(at, bytes)) >> 8 * (at % 4);
}

static inline void virt_put(struct pci_virt_slot *slot, unsigned at, unsigned bytes, uint32_t value)
{
	uint32_t *dword = &slot->shadow[at / 4], lanes = virt_lanes(at, bytes);

	*dword = (*dword & ~lanes) | (value << 8 * (at % 4) & lanes);
}

/* Registers and fields used by the table and by virt_place (PCIe 5.0 section 7.5, 7.7). */
#define VIRT_STATUS_INTX     0x0008u
#define VIRT_STATUS_LIST     0x0010u
#define VIRT_STATUS_ERRORS   0xf900u /* the write-1-to-clear bits */
#define MSI_CONTROL	     2
#define MSI_CONTROL_FIXED    0x018eu /* vectors, 64-bit, maskable */
#define MSI_CONTROL_64	     0x0080u
#define MSI_CONTROL_MASKABLE 0x0100u
#define MSI_CONTROL_ENABLE   0x0001u
#define MSI_CONTROL_CAPABLE  0x000eu
#define MSI_CONTROL_MESSAGES 0x0070u
#define MSIX_CONTROL	     2
#define MSIX_CONTROL_ENABLE  0x8000u
#define MSIX_TABLE	     4
#define MSIX_PBA	     8
#define MSIX_BIR	     0x7u
#define MSIX_VECTORS_MAX     2048
#define EXPRESS_DEVCTL	     8

#endif
