/* SPDX-License-Identifier: BSD-2-Clause */
/* Capability lists (PCI 3.0 6.7, PCIe 7.6.3). A device may lie: every walk counts its hops. */
#include "bus.h"

#define FIRST_CAPABILITY 0x40
#define FIRST_EXTENDED	 0x100
#define CONFIG_END	 0x1000

/* What is looked for: its id, and how many bytes its registers take from its start. */
struct wanted {
	uint16_t id, length;
	uint16_t *at;
};

/* Of each id the first counts, and only where its registers lie within its space. */
static void walk(const struct pci_bus *bus, rid_t rid, uint16_t at, bool extended,
		 const struct wanted *wanted, unsigned count)
{
	for (unsigned hop = 0;
	     hop < PCI_CAPABILITY_HOPS && at >= (extended ? FIRST_EXTENDED : FIRST_CAPABILITY);
	     hop++) {
		uint32_t header = pci_config_read32(bus, rid, at);
		unsigned id = header & (extended ? 0xffff : 0xff);

		if (header == ~0u || (extended && !header)) {
			return;
		}
		for (unsigned i = 0; i < count; i++) {
			if (wanted[i].id == id && !*wanted[i].at &&
			    at + wanted[i].length <= (extended ? CONFIG_END : FIRST_EXTENDED)) {
				*wanted[i].at = at;
			}
		}
		at = extended ? header >> 20 & 0xffc : header >> 8 & 0xfc;
	}
}

void pci_read_capabilities(const struct pci_bus *bus, rid_t rid, struct pci_capabilities *caps)
{
	const struct wanted plain[] = {{PCI_CAP_ID_EXPRESS, 0x14, &caps->express},
				       {PCI_CAP_ID_MSI, 0x0a, &caps->msi},
				       {PCI_CAP_ID_MSIX, 0x0c, &caps->msix},
				       {PCI_CAP_ID_POWER, 0x08, &caps->power}};
	const struct wanted extended[] = {{PCI_EXT_CAP_ID_ACS, 0x08, &caps->acs},
					  {PCI_EXT_CAP_ID_ARI, 0x08, &caps->ari},
					  {PCI_EXT_CAP_ID_SRIOV, 0x40, &caps->sriov},
					  {PCI_EXT_CAP_ID_ATS, 0x08, &caps->ats},
					  {PCI_EXT_CAP_ID_PRI, 0x10, &caps->pri},
					  {PCI_EXT_CAP_ID_PASID, 0x08, &caps->pasid}};

	*caps = (struct pci_capabilities){0};
	if (pci_config_read16(bus, rid, PCI_STATUS) & PCI_STATUS_CAP_LIST) {
		walk(bus, rid, pci_config_read8(bus, rid, PCI_CAP_POINTER) & 0xfc, false, plain,
		     ARRAY_SIZE(plain));
	}
	if (caps->msix) {
		caps->msix_vectors = (pci_config_read16(bus, rid, caps->msix + 2) & 0x7ff) + 1;
	}
	/* Only PCI Express has the extended space; a conventional function may mirror the first. */
	if (caps->express) {
		walk(bus, rid, FIRST_EXTENDED, true, extended, ARRAY_SIZE(extended));
	}
}
