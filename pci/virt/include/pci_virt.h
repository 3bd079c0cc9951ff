/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI host bridge a partition sees: bus 0 of a generic ECAM, one slot for each function it
 * owns. Every access is answered from one rule table (register → who answers, writable mask,
 * write-1-to-clear mask). What has no rule reads as absent (0; all-ones for an empty slot) and
 * drops writes.
 *
 * Leans on: lib, pci/bus. Specification: PCIe 5.0 chapters 7 and 9.3 (VF configuration space).
 * Lock: one for each bridge, taken by pci_virt_read/write and the add/remove pair.
 */
#ifndef CW_PCI_VIRT_H
#define CW_PCI_VIRT_H

#include "lock.h"
#include "pci_bus.h"
#include "status.h"
#include "types.h"

#define PCI_VIRT_SLOTS	    8  /* slot 0 is the host bridge itself, always present */
#define PCI_VIRT_CAP_BYTES  64 /* shadow bytes kept for a function's standard header */

/* What a guest may be shown of one physical function. Filled by hv-glue from pci/bus and vf. */
struct pci_virt_identity {
	rid_t rid;	       /* the physical function behind the slot */
	bool is_vf;	       /* ids are synthesised, decode is ours */
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_revision;
	struct pci_bar bars[PCI_BUS_BARS]; /* where stage 2 maps them: the guest's BAR values */
	struct pci_capabilities caps;
	uint16_t msix_vectors;
};

/* Counted for each function; "exits for the device" is made of these. */
struct pci_virt_counters {
	uint64_t reads, writes, refused_writes;
};

struct pci_virt_slot {
	bool present;
	struct pci_virt_identity identity;
	uint16_t command;		 /* what the guest wrote and may write */
	uint32_t bar_shadow[PCI_BUS_BARS]; /* what the guest wrote: sizing works, nothing moves */
	uint8_t cache_line, interrupt_line;
	struct pci_virt_counters counters;
};

struct pci_virt {
	struct lock lock;
	const struct pci_bus *bus;
	partition_id_t owner;
	struct pci_virt_slot slots[PCI_VIRT_SLOTS];
	uint64_t accesses;
};

void pci_virt_init(struct pci_virt *bridge, const struct pci_bus *bus, partition_id_t owner);

/*
 * Shows a function in slot `slot` (1 … PCI_VIRT_SLOTS-1) as device `slot`, function 0, with BARs
 * already holding their addresses and Command 0. The physical function has decode on and bus
 * mastering off. STATUS_BUSY: slot taken; STATUS_RANGE: no such slot.
 */
enum status MUST_USE pci_virt_add(struct pci_virt *bridge, unsigned slot,
				  const struct pci_virt_identity *identity);

/* The mirror image: bus mastering off first, then the slot reads as empty. */
void pci_virt_remove(struct pci_virt *bridge, unsigned slot);

/*
 * A guest's access at `offset` into its ECAM, size 1, 2 or 4 (8 reads as two 4s). Never fails: an
 * access that is misaligned, outside, or without a rule reads as absent and drops the write.
 */
uint64_t pci_virt_read(struct pci_virt *bridge, uint64_t offset, unsigned size);
void pci_virt_write(struct pci_virt *bridge, uint64_t offset, unsigned size, uint64_t value);

#endif
