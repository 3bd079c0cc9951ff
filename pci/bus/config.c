/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space through the ECAM (PCIe 7.2.2), names and id maps. */
#include "bus.h"

#include <string.h>

#define ECAM_FUNCTION 4096u

static bool config_address(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes,
			   uintptr_t *address)
{
	const struct pci_host *host = &bus->host;
	unsigned number = rid.v >> 8;

	if (number < host->bus_first || number > host->bus_last || offset + bytes > ECAM_FUNCTION ||
	    offset % bytes != 0) {
		return false;
	}
	*address =
		host->ecam + (uintptr_t)(rid.v - (host->bus_first << 8)) * ECAM_FUNCTION + offset;
	return true;
}

/* A register of a function in memory; NULL: it is not one's. */
static uint8_t *soft_address(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes)
{
	unsigned index = (unsigned)rid.v - bus->soft.first.v;

	return index < bus->soft.count && offset + bytes <= PCI_BUS_SOFT_BYTES
		       ? &bus->soft.spaces[index][offset]
		       : NULL;
}

uint32_t pci_config_read(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes)
{
	const uint8_t *soft = soft_address(bus, rid, offset, bytes);
	uintptr_t address;
	uint32_t value = 0;

	if (soft) {
		memcpy(&value, soft, bytes);
		return value;
	}

	if (!config_address(bus, rid, offset, bytes, &address)) {
		return ~0u;
	}
	return bytes == 1   ? arch_mmio_read8(address)
	       : bytes == 2 ? arch_mmio_read16(address)
			    : arch_mmio_read32(address);
}

/*
 * A configuration write is non-posted (PCIe 2.1): the barrier makes the core wait for its
 * completion, which "bus mastering off" and "decode off" rely on.
 */
void pci_config_write(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes,
		      uint32_t value)
{
	uint8_t *soft = soft_address(bus, rid, offset, bytes);
	uintptr_t address;

	if (soft) {
		if (offset != PCI_STATUS) { /* no error is ever in it that could be cleared */
			memcpy(soft, &value, bytes);
		}
		return;
	}

	if (!config_address(bus, rid, offset, bytes, &address)) {
		return;
	}
	if (bytes == 1) {
		arch_mmio_write8(address, (uint8_t)value);
	} else if (bytes == 2) {
		arch_mmio_write16(address, (uint16_t)value);
	} else {
		arch_mmio_write32(address, value);
	}
	arch_barrier();
}

bool pci_bus_still_there(const struct pci_bus *bus, rid_t rid, uint16_t vendor, uint16_t device)
{
	return pci_config_read32(bus, rid, PCI_VENDOR_ID) == ((uint32_t)device << 16 | vendor);
}

struct pci_name pci_name_of(rid_t rid)
{
	static const char digits[] = "0123456789abcdef";
	struct pci_name name = {"0000:bb:dd.f"};

	name.text[5] = digits[rid.v >> 12];
	name.text[6] = digits[rid.v >> 8 & 15];
	name.text[8] = digits[rid.v >> 7 & 1];
	name.text[9] = digits[rid.v >> 3 & 15];
	name.text[11] = digits[rid.v & 7];
	return name;
}

struct pci_function *pci_bus_find(struct pci_bus *bus, rid_t rid)
{
	for (unsigned i = 0; i < bus->function_count; i++) {
		if (bus->functions[i].rid.v == rid.v) {
			return &bus->functions[i];
		}
	}
	return NULL;
}

static enum status translate(const struct pci_id_map *maps, unsigned count, rid_t rid,
			     uint32_t *out)
{
	for (unsigned i = 0; i < count; i++) {
		if (rid.v >= maps[i].rid_base && rid.v - maps[i].rid_base < maps[i].length) {
			*out = maps[i].out_base + (rid.v - maps[i].rid_base);
			return STATUS_OK;
		}
	}
	return STATUS_NOT_FOUND;
}

enum status pci_bus_stream_id(const struct pci_bus *bus, rid_t rid, stream_id_t *stream)
{
	return translate(bus->host.iommu_map, bus->host.iommu_map_count, rid, &stream->v);
}

enum status pci_bus_device_id(const struct pci_bus *bus, rid_t rid, device_id_t *device)
{
	return translate(bus->host.msi_map, bus->host.msi_map_count, rid, &device->v);
}
