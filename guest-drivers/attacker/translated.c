/* SPDX-License-Identifier: BSD-2-Clause */
/* F13: a device that can do ATS is told to, by way of whatever its owner can write. */
#include "attack.h"

#define FIRST_EXTENDED 0x100u
#define END	       0x1000u
#define CAP_ATS	       0x0fu
#define CAP_PRI	       0x13u
#define CAP_PASID      0x1bu

/* Nothing to see of the three capabilities; then all ones, and enables, into every dword there is.
 */
void attack_translated(void)
{
	uint16_t vendor = (uint16_t)boot_number("vendor", 0x1af4);
	uint16_t device = (uint16_t)boot_number("device", 0x1041);
	struct pci_device pci;
	unsigned shown = 0, kept = 0;

	if (!pci_find(vendor, device, 0, &pci)) {
		outcome("device", "missing");
		return;
	}
	for (uint16_t at = FIRST_EXTENDED; at < END; at += 4) {
		uint32_t id = pci_read(&pci, at, 4) & 0xffff;

		shown += id == CAP_ATS || id == CAP_PRI || id == CAP_PASID;
	}
	for (uint16_t at = FIRST_EXTENDED; at < END; at += 4) {
		pci_write(&pci, at, 4, 0xffffffff);
		pci_write(&pci, (uint16_t)(at + 2), 2, 0x8000); /* ATS Enable, smallest unit */
		kept += pci_read(&pci, at, 4) != 0;
	}
	report("enable", "issued", "shown=%u kept=%u", shown, kept);
}
