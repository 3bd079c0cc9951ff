/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F49: a field is passed on with its whole dword, so the fields beside it are written, too.
 * wraps: pci_config_write
 * test: pci/virt/test_virt_config
 * fails: test_f49_command_and_status
 */
#include "pci_bus.h"

void __real_pci_config_write(const struct pci_bus *bus, rid_t rid, unsigned at, unsigned bytes,
			     uint32_t value);
void __wrap_pci_config_write(const struct pci_bus *bus, rid_t rid, unsigned at, unsigned bytes,
			     uint32_t value);

void __wrap_pci_config_write(const struct pci_bus *bus, rid_t rid, unsigned at, unsigned bytes,
			     uint32_t value)
{
	uint32_t shift = 8 * (at & 3), mask = (uint32_t)((1ull << 8 * bytes) - 1) << shift;
	uint32_t beside = pci_config_read32(bus, rid, at & ~3u) & ~mask;

	__real_pci_config_write(bus, rid, at & ~3u, 4, beside | (value << shift & mask));
}
