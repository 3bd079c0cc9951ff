/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest gives pages of its own RAM up: gone for its CPUs and its devices when the call returns
 * (Arm ARM D8.16 break-before-make; SMMU invalidation with completion). They stay unused until the
 * partition's next start.
 */
#include "arch.h"
#include "iommu.h"
#include "partition.h"

/* Without an SMMU no device was given to anybody, and none reads these tables. */
static enum status invalidate(const struct iommu_tables *tables, ipa_t ipa, uint64_t size)
{
	enum status status = iommu_invalidate(tables, ipa, size);

	return status == STATUS_STATE ? STATUS_OK : status;
}

enum status partition_share_memory(struct partition *partition)
{
	ipa_t ram = {GUEST_RAM_BASE};
	uint64_t size = partition->config->memory_size;

	if (iommu_stage1()) {
		return stage2_fill(partition->device_root, ram, partition->memory, size,
				   STAGE1_RAM);
	}
	stage2_share(partition->device_root, partition->cpu_root, ram, size);
	return STATUS_OK;
}

/*
 * The devices' tables follow the CPUs', from which a range has been unmapped: a tree of their own
 * by the same act; a shared one by itself, but a 1 GiB block that had to be split is a table now,
 * and the root follows by way of nothing.
 */
static enum status follow(struct partition *partition, const struct iommu_tables *tables, ipa_t ipa,
			  uint64_t size)
{
	ipa_t first = {ipa.v & ~(GIB(1) - 1)};
	uint64_t gibs = align_up(ipa.v + size, GIB(1)) - first.v;
	enum status status;

	if (iommu_stage1()) {
		return stage2_unmap(partition->device_root, ipa, size, tables->vmid);
	}
	if (stage2_shared(partition->device_root, partition->cpu_root, first, gibs)) {
		return STATUS_OK;
	}
	stage2_unshare(partition->device_root, first, gibs);
	status = invalidate(tables, first, gibs);
	if (status == STATUS_OK) {
		stage2_share(partition->device_root, partition->cpu_root, first, gibs);
	}
	return status;
}

#define TABLES_OF_A_PARTITION 32 /* of the pool that all share */

enum status partition_release_memory(struct partition *partition, ipa_t ipa, uint64_t size)
{
	struct iommu_tables tables;
	enum status status;

	if (!is_aligned(ipa.v | size, PAGE_SIZE) ||
	    !range_inside(ipa.v, size, GUEST_RAM_BASE, partition->config->memory_size)) {
		return STATUS_INVALID;
	}
	hv_device_tables(partition->id, &tables);
	lock_acquire(&partition->tables_lock);

	unsigned before = stage2_tables_used();

	if (partition->split_tables >= TABLES_OF_A_PARTITION) {
		lock_release(&partition->tables_lock);
		return STATUS_NO_MEMORY;
	}
	partition->released = true;
	status = iommu_stage1() ? stage2_split(partition->device_root, ipa, size, tables.vmid)
				: STATUS_OK;
	if (status == STATUS_OK) {
		status = stage2_unmap(partition->cpu_root, ipa, size, tables.vmid);
	}
	if (status == STATUS_OK) {
		status = follow(partition, &tables, ipa, size);
	}
	/* Also of a block that was only split: no device walks to its pages while it is cached. */
	enum status gone = invalidate(&tables, ipa, size);

	partition->split_tables += stage2_tables_used() - before;
	lock_release(&partition->tables_lock);
	return gone == STATUS_OK ? status : gone;
}
