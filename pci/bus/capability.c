/* SPDX-License-Identifier: BSD-2-Clause */
/* Capability lists (PCI 3.0 6.7, PCIe 7.6.3). A device may lie: every walk counts its hops. */
#include "bus.h"

#define FIRST_CAPABILITY 0x40
#define FIRST_EXTENDED	 0x100
#define CONFIG_END	 0x1000

uint16_t pci_find_capability(const struct pci_bus *bus, rid_t rid, uint8_t id)
{
	uint16_t status = pci_config_read16(bus, rid, PCI_STATUS);
	uint8_t at = pci_config_read8(bus, rid, PCI_CAP_POINTER) & 0xfc;

	if (status == 0xffff || !(status & PCI_STATUS_CAP_LIST)) {
		return 0;
	}
	for (unsigned hop = 0; hop < PCI_CAPABILITY_HOPS && at >= FIRST_CAPABILITY; hop++) {
		uint16_t header = pci_config_read16(bus, rid, at);

		if (header == 0xffff) {
			return 0;
		}
		if ((header & 0xff) == id) {
			return at;
		}
		at = (uint8_t)(header >> 8) & 0xfc;
	}
	return 0;
}

uint16_t pci_find_extended_capability(const struct pci_bus *bus, rid_t rid, uint16_t id)
{
	uint16_t at = FIRST_EXTENDED;

	for (unsigned hop = 0; hop < PCI_CAPABILITY_HOPS && at >= FIRST_EXTENDED; hop++) {
		uint32_t header = pci_config_read32(bus, rid, at);

		if (header == 0 || header == ~0u) {
			return 0;
		}
		if ((header & 0xffff) == id) {
			return at;
		}
		at = (header >> 20) & 0xffc;
	}
	return 0;
}

/* How many bytes from its start a capability must have, for its registers to lie in its space. */
static uint16_t room_for(uint16_t at, unsigned length, unsigned end)
{
	return at + length <= end ? at : 0;
}

void pci_read_capabilities(const struct pci_bus *bus, rid_t rid, struct pci_capabilities *caps)
{
	const struct {
		uint16_t id, length;
		uint16_t *at;
	} plain[] =
		{
			{PCI_CAP_ID_EXPRESS, 0x14, &caps->express},
			{PCI_CAP_ID_MSI, 0x0a, &caps->msi},
			{PCI_CAP_ID_MSIX, 0x0c, &caps->msix},
			{PCI_CAP_ID_POWER, 0x08, &caps->power},
		},
	  extended[] = {
		  {PCI_EXT_CAP_ID_AER, 0x2c, &caps->aer},
		  {PCI_EXT_CAP_ID_ACS, 0x08, &caps->acs},
		  {PCI_EXT_CAP_ID_ARI, 0x08, &caps->ari},
		  {PCI_EXT_CAP_ID_SRIOV, 0x40, &caps->sriov},
		  {PCI_EXT_CAP_ID_ATS, 0x08, &caps->ats},
		  {PCI_EXT_CAP_ID_PRI, 0x10, &caps->pri},
		  {PCI_EXT_CAP_ID_PASID, 0x08, &caps->pasid},
	  };

	*caps = (struct pci_capabilities){0};
	for (unsigned i = 0; i < ARRAY_SIZE(plain); i++) {
		*plain[i].at = room_for(pci_find_capability(bus, rid, (uint8_t)plain[i].id),
					plain[i].length, FIRST_EXTENDED);
	}
	/* Only PCI Express has the extended space; a conventional function may mirror the first. */
	for (unsigned i = 0; caps->express && i < ARRAY_SIZE(extended); i++) {
		*extended[i].at = room_for(pci_find_extended_capability(bus, rid, extended[i].id),
					   extended[i].length, CONFIG_END);
	}
}

uint16_t pci_read_msix(const struct pci_bus *bus, rid_t rid, uint16_t msix,
		       const struct pci_bar bars[PCI_BUS_BARS], uint8_t *bar, uint32_t *offset)
{
	if (!msix) {
		return 0;
	}
	uint16_t vectors = (uint16_t)((pci_config_read16(bus, rid, msix + 2) & 0x7ff) + 1);
	uint32_t table = pci_config_read32(bus, rid, msix + 4);
	uint8_t index = table & 7;

	if (index >= PCI_BUS_BARS || bars[index].space < PCI_SPACE_MEM32 ||
	    !range_inside(table & ~7u, vectors * 16ull, 0, bars[index].size)) {
		return 0;
	}
	*bar = index;
	*offset = table & ~7u;
	return vectors;
}
