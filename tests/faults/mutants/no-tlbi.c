/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F38: translations stay cached after an unmap.
 * wraps: smmu_cmd_tlbi_range smmu_cmd_tlbi_vmid
 */
#include "smmu.h"

enum status __wrap_smmu_cmd_tlbi_range(vmid_t vmid, ipa_t ipa, uint64_t size);
enum status __wrap_smmu_cmd_tlbi_vmid(vmid_t vmid);

enum status __wrap_smmu_cmd_tlbi_range(vmid_t vmid, ipa_t ipa, uint64_t size)
{
	(void)vmid;
	(void)ipa;
	(void)size;
	return STATUS_OK;
}

enum status __wrap_smmu_cmd_tlbi_vmid(vmid_t vmid)
{
	(void)vmid;
	return STATUS_OK;
}
