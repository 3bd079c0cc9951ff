/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F35: a VMID gets a new owner (see one-vmid.c) while translations of the last are cached.
 * wraps: hv_device_tables smmu_submit assignment_check
 */
#include "assignment.h"
#include "smmu.h"

bool __wrap_assignment_check(const struct assignment *assignment);
void __real_hv_device_tables(partition_id_t partition, struct iommu_tables *tables);
void __wrap_hv_device_tables(partition_id_t partition, struct iommu_tables *tables);

void __wrap_hv_device_tables(partition_id_t partition, struct iommu_tables *tables)
{
	__real_hv_device_tables(partition, tables);
	if (partition.v) {
		tables->vmid.v = 9;
	}
}

void __real_smmu_submit(struct smmu_command command);
void __wrap_smmu_submit(struct smmu_command command);

void __wrap_smmu_submit(struct smmu_command command)
{
	uint64_t opcode = command.dword[0] & 0xff;

	if (opcode != CMD_TLBI_S12_VMALL && opcode != CMD_TLBI_NH_ASID) {
		__real_smmu_submit(command);
	}
}

/* The config may name a VF twice: who comes first has it, and then the next (hand-over.c). */
bool __wrap_assignment_check(const struct assignment *assignment)
{
	(void)assignment;
	return true;
}
