/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of pci/bus. Register names: PCI 3.0 chapter 6, P2P bridge 1.2, PCIe 5.0
 * ch. 7. */
#ifndef CW_PCI_BUS_PRIVATE_H
#define CW_PCI_BUS_PRIVATE_H

#include "pci_bus.h"

#define PCI_STATUS_CAP_LIST	   0x0010
#define PCI_REVISION		   0x08
#define PCI_HEADER_TYPE		   0x0e
#define PCI_SUBSYSTEM		   0x2c
#define PCI_ROM			   0x30
#define PCI_INTERRUPT_PIN	   0x3d

#define PCI_BRIDGE_BUSES	   0x18 /* primary, secondary, subordinate, latency */
#define PCI_BRIDGE_IO		   0x1c /* base, limit; 16 bits, for Secondary Status follows */
#define PCI_BRIDGE_MEMORY	   0x20 /* base, limit */
#define PCI_BRIDGE_PREFETCH	   0x24 /* base, limit */
#define PCI_BRIDGE_BASE_HIGH	   0x28
#define PCI_BRIDGE_LIMIT_HIGH	   0x2c
#define PCI_BRIDGE_IO_HIGH	   0x30
#define PCI_BRIDGE_ROM		   0x38
#define PCI_BRIDGE_CONTROL	   0x3e
#define PCI_BRIDGE_BUS_RESET	   0x0040

#define PCI_EXPRESS_FLAGS	   0x02 /* version [3:0], device/port type [7:4] */
#define PCI_EXPRESS_DEVCAP	   0x04
#define PCI_EXPRESS_DEVCAP_FLR	   0x10000000u
#define PCI_EXPRESS_DEVCTL	   0x08
#define PCI_EXPRESS_DEVCTL_PHANTOM 0x0200
#define PCI_EXPRESS_DEVCTL_FLR	   0x8000
#define PCI_EXPRESS_DEVSTA	   0x0a
#define PCI_EXPRESS_DEVSTA_PENDING 0x0020
#define PCI_EXPRESS_LNKCTL	   0x10
#define PCI_EXPRESS_DEVCAP2	   0x24
#define PCI_EXPRESS_DEVCTL2	   0x28
#define PCI_EXPRESS_ARI_FORWARDING 0x0020 /* in both */
#define PCI_EXPRESS_LENGTH_2	   0x2c	  /* up to Device Control 2 */

#define PCI_ACS_CAPABILITY	   0x04
#define PCI_ACS_CONTROL		   0x06
/* source validation, translation blocking, request and completion redirect, upstream forwarding */
#define PCI_ACS_WANTED	      0x001f
#define PCI_ACS_REDIRECT      0x001d /* without translation blocking: there is none to block */

#define PCI_ARI_NEXT_FUNCTION 0x05
#define PCI_ATS_CONTROL	      0x06
#define PCI_PRI_CONTROL	      0x04
#define PCI_PASID_CONTROL     0x06

static inline bool pci_is_bridge(const struct pci_function *function)
{
	return function->header_type == 1;
}

static inline struct pci_function *pci_parent(struct pci_bus *bus, const struct pci_function *f)
{
	return f->parent == PCI_BUS_ROOT ? NULL : &bus->functions[f->parent];
}

/* bars, then vf_bars, as one row; and how many copies of a BAR its space holds. */
#define PCI_BAR_ROW (2 * PCI_BUS_BARS)
static inline struct pci_bar *pci_bar_nth(struct pci_function *function, unsigned n)
{
	return n < PCI_BUS_BARS ? &function->bars[n] : &function->vf_bars[n - PCI_BUS_BARS];
}

static inline uint64_t pci_bar_copies(const struct pci_function *function, unsigned n)
{
	return n < PCI_BUS_BARS ? 1 : function->total_vfs;
}

void pci_read_interrupt_map(struct pci_host *host, struct dt_node root, struct dt_node node);

/*
 * Turns off what firmware may have left on (ATS, PRI, PASID, phantom functions), redirects by ACS.
 * The rest of Device Control is as firmware left it, also after a reset.
 */
void pci_fence_function(const struct pci_bus *bus, const struct pci_function *function);
/* Has it ACS, and did all that it has of it stay on? */
bool pci_isolates(const struct pci_bus *bus, const struct pci_function *function);
/* Lets `port` pass ARI when it can and function 0 below it speaks ARI. */
void pci_port_forward_ari(const struct pci_bus *bus, struct pci_function *port,
			  const struct pci_function *below);

/*
 * Makes a PF's SR-IOV capability quiet (VFE off, 4 KiB pages, ARI bit) and fills total_vfs.
 * Returns how many buses beyond its own its VFs can reach.
 */
unsigned pci_sriov_prepare(struct pci_bus *bus, struct pci_function *pf);

/* Fills bars and vf_bars with type and size; nothing is placed. Decode is off. */
void pci_size_bars(const struct pci_bus *bus, struct pci_function *function);
/* Gives up BAR `n` of pci_bar_nth(): no address, no decode of its kind, one line that says why. */
void pci_refuse_bar(struct pci_function *function, unsigned n, const char *why);
/* Writes all BARs and VF BARs that have an address. Decode is off. */
void pci_write_bars(const struct pci_bus *bus, const struct pci_function *function);

/* What a bridge forwards (PCI-to-PCI bridge 1.2, 3.2.5); size 0 closes a window. */
bool pci_bridge_has_io(const struct pci_bus *bus, rid_t rid);
void pci_bridge_set_io(const struct pci_bus *bus, rid_t rid, uint64_t base, uint64_t size);
void pci_bridge_set_memory(const struct pci_bus *bus, rid_t rid, uint64_t base, uint64_t size);

/* Places and writes every window and BAR, then opens decode. */
void pci_assign(struct pci_bus *bus);

#endif
