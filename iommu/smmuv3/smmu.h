/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this driver share. There is one SMMU.
 * smmu_lock guards the command queue and the stream table; event_lock (events.c) comes before it;
 * the lock of GERRORN (errors.c) is innermost.
 */
#ifndef CW_SMMU_H
#define CW_SMMU_H

#include "commands.h"
#include "iommu.h"
#include "lock.h"
#include "registers.h"
#include "ste.h"

struct smmu {
	mmio_t registers;
	bool ready;			/* iommu_init() succeeded */
	bool stage1;			/* no stage 2 (IDR0.S2P): stage 1, and a VMID is an ASID */
	bool coherent;			/* IDR0.COHACC: it snoops the CPUs' caches */
	bool has_range;			/* IDR3.RIL: invalidation by range */
	bool has_el2;			/* IDR0.HYP */
	bool has_ats, has_msi;		/* IDR0 */
	uint8_t physical_size;		/* IDR5.OAS as S2PS encodes it, at most 48 bits */
	uint8_t stream_id_bits;		/* of the stream table */
	uint8_t cmdq_bits, eventq_bits; /* of their sizes */
	struct lock lock;
	struct iommu_totals totals;
};

extern struct smmu smmu;

/* --- errors.c: SMMU_GERROR, shared by both queues --- */
uint32_t smmu_errors_active(void);
/* Acknowledges those of `errors` that are active and returns them. */
uint32_t smmu_errors_acknowledge(uint32_t errors);

/* Memory of 1 << bits entries for a queue that is disabled; NULL: there is none. */
void *smmu_queue_init(struct arena *arena, unsigned bits, size_t entry, reg64_t base,
		      reg32_t producer, reg32_t consumer);

/* --- cmdq.c: with the lock held --- */
enum status MUST_USE smmu_cmdq_init(struct arena *arena);
/* Puts a command into the queue; waits for room. That it could not is smmu_sync()'s to say. */
void smmu_submit(struct smmu_command command);
/*
 * Everything submitted since the last one is complete. STATUS_HARDWARE: some command was refused;
 * STATUS_TIMEOUT: or not taken.
 */
enum status MUST_USE smmu_sync(void);

/* --- commands.c: with the lock held; nothing is complete before smmu_sync() --- */
void smmu_tlbi_vmid(vmid_t vmid);
/* At least [ipa, ipa+size); the whole VMID where that is cheaper. */
void smmu_tlbi_range(vmid_t vmid, ipa_t ipa, uint64_t size);
void smmu_tlbi_all(void);

/* --- table_store.c --- */
/* The only way to change an entry or context descriptor: one untorn store, cleaned for a
 * non-coherent SMMU. */
void table_store64(uint64_t *at, uint64_t value);

/* --- stream_table.c --- */
enum status MUST_USE stream_table_init(struct arena *arena);
/* Any stream, any core, no lock. PARTITION_NONE for nobody's and for one beyond the table. */
partition_id_t stream_owner(stream_id_t stream);

/* --- contexts.c: context descriptors, with the lock held --- */
enum status MUST_USE contexts_init(struct arena *arena);
/* The descriptor for these tables, one more stream using it. STATUS_INVALID: not with this ASID. */
enum status MUST_USE context_take(const struct iommu_tables *tables, pa_t *at);
/* The mirror image, once the stream is confirmed to abort. */
void context_give(const struct iommu_tables *tables);

/* --- events.c --- */
enum status MUST_USE smmu_eventq_init(struct arena *arena);

/* --- fault_log.c: counters, de-duplication and quota, a slot for each stream seen --- */
enum status MUST_USE fault_log_init(struct arena *arena);
/* An owned stream gets its slot before it can be crowded out. */
void fault_log_reserve(stream_id_t stream);
/* Counts one record; true when it is new and within the quota: report it. */
bool fault_log_note(const struct iommu_event *event, uint64_t now_ns);

#endif
