/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI host bridge a partition sees: bus 0 of a generic ECAM, one slot for each function it
 * owns. Every access is answered from one rule table (register → who answers, writable mask,
 * write-1-to-clear mask). What has no rule reads as absent (0; all-ones for an empty slot) and
 * drops writes.
 *
 * Leans on: lib, pci/bus. Specification: PCIe 5.0 chapters 7 and 9.3 (VF configuration space).
 * Lock: one for each bridge, taken by pci_virt_read/write and the add/remove pair; never held
 * while a function resets.
 */
#ifndef CW_PCI_VIRT_H
#define CW_PCI_VIRT_H

#include "lock.h"
#include "pci_bus.h"
#include "status.h"
#include "types.h"

#define PCI_VIRT_SLOTS	      9	  /* slot 0 is the host bridge itself, always present */
#define PCI_VIRT_SHADOW_BYTES 256 /* the extended space always reads as empty */
#define PCI_VIRT_GROUPS	      13  /* register blocks of the rule table, see virt_rules.h */

/* What a guest may be shown of one physical function. Filled by hv-glue from pci/bus and vf. */
struct pci_virt_identity {
	rid_t rid;  /* the physical function behind the slot */
	bool is_vf; /* ids are synthesised, decode is ours */
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_revision;
	struct pci_bar bars[PCI_BUS_BARS]; /* where stage 2 maps them: the guest's BAR values */
	struct pci_capabilities caps;
	uint16_t msix_vectors; /* 0 hides MSI-X */
	uint8_t interrupt_pin; /* 0: no INTx; the function's Interrupt Disable stays set */
};

struct pci_virt_slot {
	bool present;
	bool silent; /* a function-level reset is under way, or it failed for good */
	struct pci_virt_identity identity; /* never changed by a guest */
	uint16_t decode; /* bits of the hardware Command that are ours, not the guest's */
	uint8_t base[PCI_VIRT_GROUPS];		    /* where each register block is shown */
	uint32_t shadow[PCI_VIRT_SHADOW_BYTES / 4]; /* what the guest sees and wrote */
	/* By the guest, of 8 bytes too; part of "exits for the device". Kept after remove. */
	uint64_t accesses;
};

struct pci_virt {
	struct lock lock;
	const struct pci_bus *bus;
	partition_id_t owner;
	struct pci_virt_slot slots[PCI_VIRT_SLOTS];
};

void pci_virt_init(struct pci_virt *bridge, const struct pci_bus *bus, partition_id_t owner);

/*
 * Shows a function in slot `slot` (1 … PCI_VIRT_SLOTS-1, an empty one) as device `slot`, function
 * 0, with BARs already holding their addresses, as pci/bus placed them, and Command 0. The physical
 * function has decode on and bus mastering off; its MSI and MSI-X are disabled here. On error
 * nothing was written and the slot stays empty. STATUS_HARDWARE: the function does not answer;
 * STATUS_STATE: the memory decode of a whole function is off; STATUS_INVALID: a capability overlaps
 * another, or is not what the function has there, or the MSI-X table is outside its BAR.
 */
enum status MUST_USE pci_virt_add(struct pci_virt *bridge, unsigned slot,
				  const struct pci_virt_identity *identity);

/*
 * The mirror image, of a slot that is shown: bus mastering off first, then the slot reads as empty.
 * The partition's vCPUs are stopped, so no reset asked for by the guest is under way.
 */
void pci_virt_remove(struct pci_virt *bridge, unsigned slot);

/* Is it as a driver that takes its interrupts by INTx leaves it? */
bool pci_virt_uses_intx(const struct pci_virt *bridge, unsigned slot);

/*
 * A guest's access at `offset` into its ECAM, size 1, 2 or 4 (8 is two 4s). Never fails: what is
 * misaligned or outside reads all-ones, what has no rule reads 0, and both drop the write.
 *
 * A write may start a function-level reset of a VF (Device Control, Initiate FLR): it then returns
 * after the reset's 100 ms, on the guest's own core, without the lock; meanwhile the slot reads
 * all-ones. A VF that does not come back reads all-ones until it is removed.
 */
uint64_t pci_virt_read(struct pci_virt *bridge, uint64_t offset, unsigned size);
void pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value);

/* A dword as the guest reads it, uncounted; 0 in a slot that is empty or silent. */
uint32_t pci_virt_peek(struct pci_virt *bridge, unsigned slot, unsigned reg);

#endif
