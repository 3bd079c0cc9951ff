/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Isolation groups: which functions can reach each other, or pass for each other, without the
 * SMMU's seeing it. A pure function of the tree; the causeway program runs the same one.
 *
 * Together are: all below a conventional bridge, for they share a requester id; all below a root
 * port without ACS; all below a switch of which any downstream port lacks ACS; the functions of one
 * device of which any lacks ACS (PCIe 6.12). Functions on a root bus are apart: their root complex
 * is assumed to send all DMA to the SMMU. What a card does between its own VFs is the card's.
 */
#ifndef CW_PCI_GROUP_H
#define CW_PCI_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_GROUP_ROOT 0xffff

/* Device/port types of the PCI Express capability (7.5.3.2). */
#define PCI_EXPRESS_NONE       0xff
#define PCI_EXPRESS_ROOT_PORT  4
#define PCI_EXPRESS_UPSTREAM   5
#define PCI_EXPRESS_DOWNSTREAM 6
#define PCI_EXPRESS_TO_PCI     7

/* A function. A bridge stands before all below it; those of one bus side by side, in order. */
struct pci_group_node {
	uint16_t rid;
	uint16_t parent; /* index of the bridge above; PCI_GROUP_ROOT on a root bus */
	uint8_t express_type;
	bool bridge;
	bool isolates;	/* it has ACS, and all that it has is on */
	bool fused;	/* false; pci_group(): all below this bridge is one group with it */
	uint16_t group; /* the result: index of the first function of its group */
};

void pci_group(struct pci_group_node *nodes, unsigned count);

/* Below it there is one link, with one device (7.3.1). */
static inline bool pci_express_is_link(uint8_t express_type)
{
	return express_type == PCI_EXPRESS_ROOT_PORT || express_type == PCI_EXPRESS_DOWNSTREAM;
}

/* A bridge of this type hides who below it does the DMA. */
static inline bool pci_express_is_conventional(uint8_t express_type)
{
	return !pci_express_is_link(express_type) && express_type != PCI_EXPRESS_UPSTREAM;
}

#endif
