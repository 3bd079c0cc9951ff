/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F39: the SMMU goes on with the stream entry it has cached. The device is a stubborn one
 * (see stubborn-device.c), because bus mastering off would hide it.
 * wraps: smmu_submit pci_virt_remove
 */
#include "pci_virt.h"
#include "smmu.h"

void __wrap_pci_virt_remove(struct pci_virt *bridge, unsigned slot);
void __real_smmu_submit(struct smmu_command command);
void __wrap_smmu_submit(struct smmu_command command);

void __wrap_smmu_submit(struct smmu_command command)
{
	uint64_t opcode = command.dword[0] & 0xff;

	if (opcode != CMD_CFGI_STE && opcode != CMD_CFGI_CD) {
		__real_smmu_submit(command);
	}
}

void __wrap_pci_virt_remove(struct pci_virt *bridge, unsigned slot)
{
	bridge->slots[slot].present = false;
}
