/* SPDX-License-Identifier: BSD-2-Clause */
#include "virt_rules.h"

#define ALL		    0xffffffffu
#define IDENTITY(name)	    .source = FROM_IDENTITY, .field = offsetof(struct pci_virt_identity, name)

#define MSI_CONTROL_GUEST   0x0071u /* enable, vectors in use */
#define MSI_ADDRESS	    0xfffffffcu
#define MSIX_CONTROL_GUEST  0xc000u /* enable, function mask */

#define POWER_VERSION	    0x0003u /* PM 1.2, no PME */
#define POWER_STATE	    0x0003u
#define POWER_NO_SOFT_RESET 0x0008u

#define DEVCTL_DEFAULT	    0x2810u /* read requests of 512 bytes, no snoop, relaxed ordering */
#define DEVCTL_SHADOW	    0x78ffu
#define DEVCTL_FLR	    0x8000u

/*
 * What is missing here reads 0, unless virt_place() put it there: latency timer, header type
 * (single function), BIST, CardBus, ROM BAR, interrupt pin of a function whose INTx is not routed,
 * PME, link and slot registers, and every extended capability (SR-IOV, ATS, PRI, PASID, AER, ARI).
 *
 * Memory decode, the power state and Device Control never reach hardware: a guest that turns them
 * off and then touches a BAR must not raise an error on the bus (F47). MSI address and data do;
 * the IOMMU and the interrupt controller fence what they make by the function's own id.
 */
/* clang-format off */
const struct virt_rule virt_rules[] = {
	{GROUP_IDENTITY, PCI_VENDOR_ID, 2, IDENTITY(vendor)},
	{GROUP_IDENTITY, PCI_DEVICE_ID, 2, IDENTITY(device)},
	{GROUP_IDENTITY, 0x08, 4, IDENTITY(class_revision)},
	{GROUP_IDENTITY, 0x2c, 2, IDENTITY(subsystem_vendor)},
	{GROUP_IDENTITY, 0x2e, 2, IDENTITY(subsystem)},

	{GROUP_HEADER, PCI_COMMAND, 2, .shadow = PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_OFF,
				       .device = PCI_COMMAND_MASTER},
	{GROUP_INTX,   PCI_COMMAND, 2, .device = PCI_COMMAND_INTX_OFF},
	{GROUP_IO,     PCI_COMMAND, 2, .shadow = PCI_COMMAND_IO},
	{GROUP_HEADER, PCI_STATUS, 2, .live = VIRT_STATUS_ERRORS, .w1c = VIRT_STATUS_ERRORS},
	{GROUP_INTX,   PCI_STATUS, 2, .live = VIRT_STATUS_INTX},
	{GROUP_HEADER, 0x0c, 1, .shadow = ALL}, /* cache line size */
	{GROUP_HEADER, PCI_BAR0 + 0x00, 4, FROM_BAR, .shadow = ALL},
	{GROUP_HEADER, PCI_BAR0 + 0x04, 4, FROM_BAR, .shadow = ALL},
	{GROUP_HEADER, PCI_BAR0 + 0x08, 4, FROM_BAR, .shadow = ALL},
	{GROUP_HEADER, PCI_BAR0 + 0x0c, 4, FROM_BAR, .shadow = ALL},
	{GROUP_HEADER, PCI_BAR0 + 0x10, 4, FROM_BAR, .shadow = ALL},
	{GROUP_HEADER, PCI_BAR0 + 0x14, 4, FROM_BAR, .shadow = ALL},
	{GROUP_HEADER, 0x3c, 1, .shadow = ALL}, /* interrupt line */
	{GROUP_INTX,   0x3d, 1, IDENTITY(interrupt_pin)},

	{GROUP_POWER, 2, 2, .preset = POWER_VERSION},
	{GROUP_POWER, 4, 2, .preset = POWER_NO_SOFT_RESET, .shadow = POWER_STATE},

	{GROUP_MSI, MSI_CONTROL, 2, .device = MSI_CONTROL_GUEST},
	{GROUP_MSI, 4, 4, .device = MSI_ADDRESS},
	{GROUP_MSI32, 8, 2, .device = ALL}, /* data */
	{GROUP_MSI64, 8, 4, .device = ALL}, /* upper address */
	{GROUP_MSI64, 12, 2, .device = ALL}, /* data */
	{GROUP_MSI32_MASK, 12, 4, .device = ALL},
	{GROUP_MSI32_MASK, 16, 4, .live = ALL}, /* pending */
	{GROUP_MSI64_MASK, 16, 4, .device = ALL},
	{GROUP_MSI64_MASK, 20, 4, .live = ALL}, /* pending */

	{GROUP_MSIX, MSIX_CONTROL, 2, .device = MSIX_CONTROL_GUEST},

	{GROUP_EXPRESS, EXPRESS_DEVCTL, 2, .preset = DEVCTL_DEFAULT, .shadow = DEVCTL_SHADOW},
	{GROUP_RESET,   EXPRESS_DEVCTL, 2, .reset = DEVCTL_FLR},
};
/* clang-format on */
