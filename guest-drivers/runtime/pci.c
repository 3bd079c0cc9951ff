/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space by ECAM, bus 0 (PCIe 5.0 7.2.2); BARs and message interrupts (PCI 3.0 6). */
#include "internal.h"

#define PCI_COMMAND	   0x04u
#define PCI_COMMAND_MEMORY BIT(1)
#define PCI_COMMAND_MASTER BIT(2)
#define PCI_STATUS	   0x06u
#define PCI_STATUS_LIST	   BIT(4)
#define PCI_BAR0	   0x10u
#define PCI_LIST	   0x34u
#define BAR_IO		   BIT(0)
#define BAR_64		   BIT(2)
#define BAR_FLAGS	   0xfull
#define CAP_MSI		   0x05u
#define CAP_MSIX	   0x11u
#define MSI_ENABLE	   BIT(0)
#define MSI_64		   BIT(7)
#define MSIX_ENABLE	   BIT(15)
#define HOPS		   64u /* of a capability list */
#define DEVFNS		   256u

static uint64_t window_next = GUEST_PCI_MMIO_BASE;

uint64_t pci_config_address(uint8_t devfn, uint16_t offset)
{
	return GUEST_ECAM_BASE + ((uint64_t)devfn << 12) + (offset & 0xfffu);
}

uint32_t pci_read(const struct pci_device *device, uint16_t offset, unsigned size)
{
	uint64_t address = pci_config_address(device->devfn, offset);

	return size == 1   ? arch_mmio_read8(address)
	       : size == 2 ? arch_mmio_read16(address)
			   : arch_mmio_read32(address);
}

void pci_write(const struct pci_device *device, uint16_t offset, unsigned size, uint32_t value)
{
	uint64_t address = pci_config_address(device->devfn, offset);

	if (size == 1) {
		arch_mmio_write8(address, (uint8_t)value);
	} else if (size == 2) {
		arch_mmio_write16(address, (uint16_t)value);
	} else {
		arch_mmio_write32(address, value);
	}
}

bool pci_find(uint16_t vendor, uint16_t device, unsigned nth, struct pci_device *found)
{
	for (unsigned devfn = 0; devfn < DEVFNS; devfn++) {
		struct pci_device at = {(uint8_t)devfn, vendor, device};

		if (pci_read(&at, 0, 4) == ((uint32_t)device << 16 | vendor) && nth-- == 0) {
			*found = at;
			return true;
		}
	}
	return false;
}

uint16_t pci_capability(const struct pci_device *device, uint8_t id)
{
	uint8_t at;

	if (!(pci_read(device, PCI_STATUS, 2) & PCI_STATUS_LIST)) {
		return 0;
	}
	at = (uint8_t)pci_read(device, PCI_LIST, 1);
	for (unsigned hop = 0; hop < HOPS && at >= 0x40; hop++) {
		uint32_t head = pci_read(device, at & 0xfc, 2);

		if ((head & 0xff) == id) {
			return at & 0xfc;
		}
		at = (uint8_t)(head >> 8);
	}
	return 0;
}

uint16_t pci_extended_capability(const struct pci_device *device, uint16_t id)
{
	uint16_t at = 0x100;

	for (unsigned hop = 0; hop < 16 * HOPS && at >= 0x100; hop++) {
		uint32_t head = pci_read(device, at, 4);

		if (head == 0 || head == ~0u) {
			break;
		}
		if ((head & 0xffff) == id) {
			return at;
		}
		at = (uint16_t)(head >> 20 & 0xffc);
	}
	return 0;
}

device_id_t pci_device_id(const struct pci_device *device)
{
	return (device_id_t){device->devfn}; /* bus 0; the machine's msi-map is the identity */
}

uint64_t pci_take_window(uint64_t size)
{
	uint64_t base = align_up(window_next, size);

	window_next = base + size;
	return base;
}

/* Sizes the BAR with decoding off (PCI 3.0 6.2.5.1) and places it in the low window. */
static void place(const struct pci_device *device, uint16_t offset, uint32_t flags)
{
	uint32_t command = pci_read(device, PCI_COMMAND, 2);
	uint32_t mask;

	pci_write(device, PCI_COMMAND, 2, command & ~(uint32_t)PCI_COMMAND_MEMORY);
	pci_write(device, offset, 4, ~0u);
	mask = pci_read(device, offset, 4) & ~(uint32_t)BAR_FLAGS;
	pci_write(device, offset, 4, mask ? (uint32_t)pci_take_window(-mask) : 0);
	if (flags & BAR_64) {
		pci_write(device, offset + 4, 4, 0);
	}
	pci_write(device, PCI_COMMAND, 2, command);
}

uint64_t pci_bar(const struct pci_device *device, unsigned index)
{
	uint16_t offset = (uint16_t)(PCI_BAR0 + 4 * index);
	uint32_t low = pci_read(device, offset, 4);
	uint64_t high = low & BAR_64 ? pci_read(device, offset + 4, 4) : 0;

	if (low & BAR_IO) {
		return 0;
	}
	if (!(low & ~BAR_FLAGS) && !high) {
		place(device, offset, low);
		low = pci_read(device, offset, 4);
	}
	return high << 32 | (low & ~BAR_FLAGS);
}

void pci_enable(const struct pci_device *device)
{
	uint32_t command = pci_read(device, PCI_COMMAND, 2);

	pci_write(device, PCI_COMMAND, 2, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

enum status pci_msix_set(const struct pci_device *device, unsigned vector, uint64_t address,
			 uint32_t data)
{
	uint16_t cap = pci_capability(device, CAP_MSIX);
	uint32_t control, table;
	uint64_t entry;

	if (!cap) {
		return STATUS_NOT_FOUND;
	}
	control = pci_read(device, cap + 2, 2);
	if (vector > (control & 0x7ff)) {
		return STATUS_RANGE;
	}
	table = pci_read(device, cap + 4, 4);
	entry = pci_bar(device, table & 7) + (table & ~7u) + 16ull * vector;
	arch_mmio_write32(entry + 12, 1); /* masked while it changes */
	arch_mmio_write32(entry, (uint32_t)address);
	arch_mmio_write32(entry + 4, (uint32_t)(address >> 32));
	arch_mmio_write32(entry + 8, data);
	arch_mmio_write32(entry + 12, 0);
	pci_write(device, cap + 2, 2, control | (uint32_t)MSIX_ENABLE);
	return STATUS_OK;
}

enum status pci_msi_set(const struct pci_device *device, uint64_t address, uint16_t data)
{
	uint16_t cap = pci_capability(device, CAP_MSI);
	uint32_t control;

	if (!cap) {
		return STATUS_NOT_FOUND;
	}
	control = pci_read(device, cap + 2, 2);
	pci_write(device, cap + 4, 4, (uint32_t)address);
	if (control & MSI_64) {
		pci_write(device, cap + 8, 4, (uint32_t)(address >> 32));
	}
	pci_write(device, cap + (control & MSI_64 ? 12 : 8), 2, data);
	pci_write(device, cap + 2, 2, control | (uint32_t)MSI_ENABLE);
	return STATUS_OK;
}
