/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream table: linear, all abort, changed as IHI 0070 G.b 3.21.3.1 says. The SMMU may read an
 * entry at any time and its words in any order, so dword 0 alone turns an entry on or off, and the
 * rest changes only while the SMMU is known to hold nothing but abort.
 */
#include "smmu.h"

#include <string.h>

static struct ste *entries;
static uint8_t *owners; /* a partition_id_t's number for each stream */

enum status stream_table_init(struct arena *arena)
{
	size_t count = (size_t)1 << smmu.stream_id_bits;
	size_t bytes = count * sizeof(struct ste);

	/* The base is aligned to the size of the table (6.3.24). Zeroes: abort. */
	entries = arena_take(arena, bytes, bytes < PAGE_SIZE ? PAGE_SIZE : bytes);
	owners = arena_take(arena, count, 1);
	if (!entries || !owners) {
		return STATUS_NO_MEMORY;
	}
	memset(owners, PARTITION_NONE.v, count);
	mmio_write64(smmu.registers, SMMU_STRTAB_BASE, STRTAB_BASE_RA | pa_of(entries).v);
	mmio_write32(smmu.registers, SMMU_STRTAB_BASE_CFG,
		     (uint32_t)field_prep(STRTAB_CFG_LOG2SIZE, smmu.stream_id_bits));
	return STATUS_OK;
}

/* STATUS_OK: there is an entry for it. */
static enum status find(stream_id_t stream)
{
	if (!smmu.ready) {
		return STATUS_STATE;
	}
	return (uint64_t)stream.v >> smmu.stream_id_bits ? STATUS_RANGE : STATUS_OK;
}

partition_id_t stream_owner(stream_id_t stream)
{
	if (find(stream) != STATUS_OK) {
		return PARTITION_NONE;
	}
	return (partition_id_t){__atomic_load_n(&owners[stream.v], __ATOMIC_RELAXED)};
}

static void set_owner(stream_id_t stream, partition_id_t owner)
{
	__atomic_store_n(&owners[stream.v], owner.v, __ATOMIC_RELAXED);
}

/* The SMMU uses the entry, and what it points at, as it is in memory now, and nothing older. */
static enum status confirm(stream_id_t stream)
{
	arch_publish();
	smmu_submit(command_cfgi(CMD_CFGI_STE, stream));
	if (smmu.stage1) {
		smmu_submit(command_cfgi(CMD_CFGI_CD, stream));
	}
	return smmu_sync();
}

/*
 * Off: the abort first and confirmed, then the translations cached under it, then the remains.
 * Without tables, which stay its owner's, their translations stay until a detach: it gets at none.
 */
static enum status turn_off(stream_id_t stream, uint64_t abort, const struct iommu_tables *tables)
{
	struct ste *entry = &entries[stream.v];

	table_store64(&entry->dword[0], abort);
	enum status status = confirm(stream);

	if (status == STATUS_OK && tables) {
		smmu_tlbi_vmid(tables->vmid);
		status = smmu_sync();
	}
	if (status == STATUS_OK && abort == STE0_ABORT) {
		for (unsigned i = 1; i < STE_DWORDS; i++) {
			table_store64(&entry->dword[i], 0);
		}
	}
	return status;
}

/* On, in mirror order: the rest while it aborts, confirmed, then dword 0, confirmed. */
static enum status turn_on(stream_id_t stream, const struct ste *image)
{
	struct ste *entry = &entries[stream.v];

	table_store64(&entry->dword[0], STE0_ABORT); /* it may have been the silent abort */
	for (unsigned i = 1; i < STE_DWORDS; i++) {
		table_store64(&entry->dword[i], image->dword[i]);
	}
	enum status status = confirm(stream);

	if (status == STATUS_OK) {
		table_store64(&entry->dword[0], image->dword[0]);
		status = confirm(stream);
	}
	return status;
}

/* Only a confirmed abort makes it nobody's again: until then a detach is owed. */
static enum status take_back(stream_id_t stream, const struct iommu_tables *tables)
{
	enum status status = turn_off(stream, STE0_ABORT, tables);

	if (status == STATUS_OK) {
		if (smmu.stage1) {
			context_give(tables);
		}
		set_owner(stream, PARTITION_NONE);
	}
	return status;
}

static enum status attach(stream_id_t stream, const struct iommu_tables *tables,
			  partition_id_t owner)
{
	struct ste image = ste_stage2(tables, smmu.physical_size);

	if (smmu.stage1) {
		pa_t descriptor;
		enum status status = context_take(tables, &descriptor);

		if (status != STATUS_OK) {
			return status;
		}
		image = ste_stage1(descriptor);
	}
	set_owner(stream, owner);
	fault_log_reserve(stream);
	enum status status = turn_on(stream, &image);

	if (status != STATUS_OK) {
		(void)!take_back(stream, tables);
	}
	return status;
}

enum status iommu_attach(stream_id_t stream, const struct iommu_tables *tables,
			 partition_id_t owner)
{
	enum status status = find(stream);

	if (status != STATUS_OK) {
		return status;
	}
	if (partition_is(owner, PARTITION_NONE) || !is_aligned(tables->root.v, PAGE_SIZE) ||
	    tables->root.v >> physical_size_bits(smmu.physical_size)) {
		return STATUS_INVALID;
	}
	lock_acquire(&smmu.lock);
	status = partition_is(stream_owner(stream), PARTITION_NONE) ? attach(stream, tables, owner)
								    : STATUS_BUSY;
	lock_release(&smmu.lock);
	return status;
}

enum status iommu_detach(stream_id_t stream, const struct iommu_tables *tables,
			 partition_id_t owner)
{
	enum status status = find(stream);

	if (status != STATUS_OK) {
		return status;
	}
	lock_acquire(&smmu.lock);
	status = partition_is(owner, PARTITION_NONE) || !partition_is(stream_owner(stream), owner)
			 ? STATUS_DENIED
			 : take_back(stream, tables);
	lock_release(&smmu.lock);
	return status;
}

enum status iommu_silence(stream_id_t stream)
{
	enum status status = find(stream);

	if (status == STATUS_OK) {
		lock_acquire(&smmu.lock);
		status = turn_off(stream, STE0_ABORT_SILENT, NULL);
		lock_release(&smmu.lock);
	}
	return status;
}
