/* SPDX-License-Identifier: BSD-2-Clause */
/* What keeps a function to itself: ACS, and the translation services that stay off; ARI Forwarding.
 */
#include "bus.h"

static void clear(const struct pci_bus *bus, rid_t rid, uint16_t capability, uint16_t offset)
{
	if (capability) {
		pci_config_write16(bus, rid, capability + offset, 0);
	}
}

void pci_fence_function(const struct pci_bus *bus, const struct pci_function *function)
{
	const struct pci_capabilities *caps = &function->caps;
	rid_t rid = function->rid;

	clear(bus, rid, caps->ats, PCI_ATS_CONTROL);
	clear(bus, rid, caps->pri, PCI_PRI_CONTROL);
	clear(bus, rid, caps->pasid, PCI_PASID_CONTROL);
	if (caps->express) {
		/* A phantom function would be a second requester id without a stream
		 * (PCIe 7.5.3.4). */
		uint16_t control = function->device_control &
				   ~(PCI_EXPRESS_DEVCTL_PHANTOM | PCI_EXPRESS_DEVCTL_FLR);

		pci_config_write16(bus, rid, caps->express + PCI_EXPRESS_DEVCTL, control);
	}
	if (caps->acs) {
		uint16_t able = pci_config_read16(bus, rid, caps->acs + PCI_ACS_CAPABILITY);

		pci_config_write16(bus, rid, caps->acs + PCI_ACS_CONTROL, able & PCI_ACS_WANTED);
	}
}

/* A downstream port must have it all (6.12.1.1); elsewhere what is missing is not needed. */
bool pci_isolates(const struct pci_bus *bus, const struct pci_function *f)
{
	uint16_t acs = f->caps.acs;

	if (!acs) {
		return false;
	}
	uint16_t needed = f->express_type == PCI_EXPRESS_DOWNSTREAM
				  ? PCI_ACS_REDIRECT
				  : pci_config_read16(bus, f->rid, acs + PCI_ACS_CAPABILITY);

	return !(needed & PCI_ACS_WANTED & ~pci_config_read16(bus, f->rid, acs + PCI_ACS_CONTROL));
}

/* Device Control 2 came with version 2 of the capability (7.5.3.2). */
static bool has_control_2(const struct pci_bus *bus, const struct pci_function *port)
{
	uint16_t express = port->caps.express;

	return express && express + PCI_EXPRESS_LENGTH_2 <= 0x100 &&
	       (pci_config_read16(bus, port->rid, express + PCI_EXPRESS_FLAGS) & 0xf) >= 2;
}

/* 6.13: set only when what is right below is an ARI device. */
void pci_port_forward_ari(const struct pci_bus *bus, struct pci_function *port,
			  const struct pci_function *below)
{
	uint16_t express = port->caps.express;

	if (!has_control_2(bus, port)) {
		return;
	}
	uint32_t able = pci_config_read32(bus, port->rid, express + PCI_EXPRESS_DEVCAP2);
	uint16_t control = pci_config_read16(bus, port->rid, express + PCI_EXPRESS_DEVCTL2);

	port->ari_forwarding = below->caps.ari && (able & PCI_EXPRESS_ARI_FORWARDING);
	control &= (uint16_t)~PCI_EXPRESS_ARI_FORWARDING;
	control |= port->ari_forwarding ? PCI_EXPRESS_ARI_FORWARDING : 0;
	pci_config_write16(bus, port->rid, express + PCI_EXPRESS_DEVCTL2, control);
}
