/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the walk must know of a PF before its VFs exist (PCIe 9.2.1, 9.3.3): how much BAR space and
 * how many bus numbers they take. Enabling them is vf/'s work.
 */
#include "bus.h"

#include "clock.h"

#define SRIOV_OFF_NS 1000000000ull /* 9.3.3.3.1: VFE cleared, to the next access */

/* The ARI bit lives in the lowest-numbered PF of a device (9.3.3.3.5). */
static bool takes_ari_bit(struct pci_bus *bus, const struct pci_function *pf)
{
	const struct pci_function *port = pci_parent(bus, pf);

	for (const struct pci_function *f = bus->functions; f < pf; f++) {
		if (f->parent == pf->parent && f->caps.sriov) {
			return false;
		}
	}
	return port && port->ari_forwarding && pf->caps.ari;
}

/* First VF Offset and Stride may differ for each NumVFs: the farthest VF of any counts (9.2.1.2).
 */
static unsigned farthest_vf(const struct pci_bus *bus, const struct pci_function *pf)
{
	uint16_t sriov = pf->caps.sriov;
	unsigned farthest = pf->rid.v;

	for (uint16_t n = 1; n <= pf->total_vfs; n++) {
		pci_config_write16(bus, pf->rid, sriov + PCI_SRIOV_NUM_VFS, n);
		unsigned last =
			pf->rid.v + pci_config_read16(bus, pf->rid, sriov + PCI_SRIOV_VF_OFFSET) +
			(n - 1u) * pci_config_read16(bus, pf->rid, sriov + PCI_SRIOV_VF_STRIDE);
		farthest = last > farthest ? last : farthest;
	}
	pci_config_write16(bus, pf->rid, sriov + PCI_SRIOV_NUM_VFS, 0);
	return farthest;
}

/*
 * VFE before NumVFs: the one may not change under the other. VF BAR sizes depend on the page size,
 * VF ids on the ARI bit: both come before either is read.
 */
void pci_sriov_off(const struct pci_bus *bus, const struct pci_function *pf)
{
	uint16_t sriov = pf->caps.sriov;
	uint16_t was = pci_config_read16(bus, pf->rid, sriov + PCI_SRIOV_CONTROL);

	pci_config_write16(bus, pf->rid, sriov + PCI_SRIOV_CONTROL,
			   pf->ari_hierarchy ? PCI_SRIOV_CONTROL_ARI : 0);
	if (was & PCI_SRIOV_CONTROL_VFE) {
		clock_sleep_ns(SRIOV_OFF_NS);
	}
	pci_config_write16(bus, pf->rid, sriov + PCI_SRIOV_NUM_VFS, 0);
	pci_config_write32(bus, pf->rid, sriov + PCI_SRIOV_SYSTEM_PAGE, PCI_SRIOV_PAGE_4K);
}

unsigned pci_sriov_prepare(struct pci_bus *bus, struct pci_function *pf)
{
	uint16_t total = pci_config_read16(bus, pf->rid, pf->caps.sriov + PCI_SRIOV_TOTAL_VFS);

	pf->ari_hierarchy = takes_ari_bit(bus, pf);
	pf->total_vfs = total < PCI_BUS_MAX_VFS ? total : PCI_BUS_MAX_VFS;
	pci_sriov_off(bus, pf);
	return (farthest_vf(bus, pf) >> 8) - (pf->rid.v >> 8);
}

bool pci_bus_vf_reachable(const struct pci_bus *bus, const struct pci_function *pf, uint32_t rid)
{
	bool on_root = pf->parent == PCI_BUS_ROOT;
	const struct pci_function *port = &bus->functions[on_root ? 0 : pf->parent];
	unsigned own = pf->rid.v >> 8, number = rid >> 8;

	if (number < own || number > (on_root ? bus->host.bus_last : port->subordinate)) {
		return false;
	}
	/* The buses that VFs reserve come right after their PF's; somebody else's ends that run. */
	for (const struct pci_function *f = bus->functions;
	     f < bus->functions + bus->function_count; f++) {
		unsigned at = f->rid.v >> 8;

		if (f->rid.v == rid || (at > own && at <= number) ||
		    (f->secondary > own && f->secondary <= number)) {
			return false;
		}
	}
	return number != own || on_root || port->ari_forwarding ||
	       !pci_express_is_link(port->express_type) || (rid & 0xf8) == 0;
}
