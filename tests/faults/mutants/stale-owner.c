/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F35: a VMID gets a new owner (see one-vmid.c) while translations of the last are cached.
 * wraps: hv_device_tables smmu_cmd_tlbi_vmid assignment_check
 */
#include "assignment.h"
#include "smmu.h"

bool __wrap_assignment_check(const struct assignment *assignment);
void __real_hv_device_tables(partition_id_t partition, struct iommu_tables *tables);
void __wrap_hv_device_tables(partition_id_t partition, struct iommu_tables *tables);
enum status __wrap_smmu_cmd_tlbi_vmid(vmid_t vmid);

void __wrap_hv_device_tables(partition_id_t partition, struct iommu_tables *tables)
{
	__real_hv_device_tables(partition, tables);
	if (partition.v) {
		tables->vmid.v = 9;
	}
}

enum status __wrap_smmu_cmd_tlbi_vmid(vmid_t vmid)
{
	(void)vmid;
	return STATUS_OK;
}

/* The config may name a VF twice: who comes first has it, and then the next (hand-over.c). */
bool __wrap_assignment_check(const struct assignment *assignment)
{
	(void)assignment;
	return true;
}
