/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A partition's RAM in the tables of its CPUs and of its devices; and a guest gives a block of it
 * up: gone for both when the call returns, unused until the partition's next start.
 */
#include "arch.h"
#include "iommu.h"
#include "partition.h"

enum status partition_map_memory(struct partition *partition)
{
	ipa_t ram = {GUEST_RAM_BASE};
	uint64_t size = partition->config->memory_size;
	enum status status =
		stage2_map(partition->cpu_root, ram, partition->memory, size, STAGE2_RAM);

	if (status == STATUS_OK && iommu_stage1()) {
		return stage2_map(partition->device_root, ram, partition->memory, size, STAGE1_RAM);
	}
	if (status == STATUS_OK) {
		stage2_share(partition->device_root, partition->cpu_root, ram, size);
	}
	return status;
}

enum status partition_release_block(struct partition *partition, ipa_t ipa)
{
	struct iommu_tables tables = {.vmid = partition_vmid(partition)};

	partition->released = true;
	stage2_unmap(partition->cpu_root, ipa, STAGE2_BLOCK, tables.vmid);
	if (iommu_stage1()) {
		stage2_unmap(partition->device_root, ipa, STAGE2_BLOCK, tables.vmid);
	}
	enum status status = iommu_invalidate(&tables, ipa, STAGE2_BLOCK);

	/* Without an SMMU no device was given to anybody, and none reads these tables. */
	return status == STATUS_STATE ? STATUS_OK : status;
}
