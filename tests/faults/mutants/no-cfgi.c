/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F39: the SMMU goes on with the stream entry it has cached. The device is a stubborn one
 * (see stubborn-device.c), because bus mastering off would hide it.
 * wraps: smmu_cmd_cfgi_ste smmu_cmd_cfgi_cd pci_virt_remove
 */
#include "pci_virt.h"
#include "smmu.h"

enum status __wrap_smmu_cmd_cfgi_ste(stream_id_t stream);
enum status __wrap_smmu_cmd_cfgi_cd(stream_id_t stream);
void __wrap_pci_virt_remove(struct pci_virt *bridge, unsigned slot);

enum status __wrap_smmu_cmd_cfgi_cd(stream_id_t stream)
{
	(void)stream;
	return STATUS_OK;
}

enum status __wrap_smmu_cmd_cfgi_ste(stream_id_t stream)
{
	(void)stream;
	return STATUS_OK;
}

void __wrap_pci_virt_remove(struct pci_virt *bridge, unsigned slot)
{
	bridge->slots[slot].present = false;
}
