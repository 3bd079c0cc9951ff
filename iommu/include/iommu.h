/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream → one partition's tables, or abort. The driver behind it is chosen at link time
 * (smmuv3/ now).
 *
 * Leans on: lib. Specification: Arm IHI 0070 (SMMUv3), Arm ARM D8 (table formats).
 * Abort is the zero state: from iommu_init() on, a stream that nobody attached aborts.
 * Lock: one for the device, around the command queue and the stream table. iommu_events() has its
 * own and may run beside the others.
 */
#ifndef CW_IOMMU_H
#define CW_IOMMU_H

#include "arena.h"
#include "mmio.h"
#include "status.h"
#include "types.h"

struct iommu_config {
	mmio_t registers;
	uint64_t registers_size;
	struct arena *tables;	 /* stream table and queues: IOMMU_ARENA_SIZE bytes are enough */
	unsigned stream_id_bits; /* streams below 1 << this are covered; others abort */
};

/*
 * 64 bytes for each stream, aligned to the size of the table, and 64 KiB: enough for 15 bits at
 * any base and for 16 bits at a base that is a multiple of 4 MiB. The table is zeroed at boot, so
 * ask for the streams there are: 8 bits for each bus that has devices.
 */
#define IOMMU_ARENA_SIZE MIB(6)

/*
 * The tables of one partition's devices, built by the hypervisor: stage 2, or stage 1 where
 * iommu_stage1() says so; IOMMU_INPUT_BITS of address in pages of 4 KiB, so the root is one table,
 * of level 1. Stage 1 leaves are of the EL1&0 regime: AP[1] set (PCIe traffic is unprivileged), nG
 * set, AttrIndx 0 normal write-back or IOMMU_ATTR_DEVICE.
 */
struct iommu_tables {
	vmid_t vmid; /* of stage 1: the ASID, below IOMMU_STAGE1_SPACES */
	pa_t root;
};

#define IOMMU_INPUT_BITS    39
#define IOMMU_STAGE1_SPACES 64
#define IOMMU_ATTR_DEVICE   1

/*
 * The first act on a machine: from its return on no DMA passes the SMMU, whatever a firmware left.
 * Sends no command, so buses may still be numbered; iommu_init() follows.
 */
enum status MUST_USE iommu_block_all(mmio_t registers);

/*
 * The SMMU that was blocked has no stage 2 (IDR0.S2P): it walks stage-1 tables, so a partition's
 * devices need a tree of their own. False before iommu_block_all().
 */
bool iommu_stage1(void);

/*
 * Takes the SMMU over: aborts all traffic first (GBPA), then disables it, checks that it can do
 * stage 2 with 4 KiB pages and 16-bit VMIDs, or else stage 1, builds an all-abort stream table,
 * queues, invalidates everything, and enables it. STATUS_UNSUPPORTED with a log line for a machine
 * it cannot drive; the global abort stays in force then.
 */
enum status MUST_USE iommu_init(const struct iommu_config *config);

/*
 * Points `stream` at `tables` for `owner`. The stream must be aborting. Every store of the update
 * is either abort or the full configuration; when it returns the new configuration is in use.
 * STATUS_BUSY: the stream has an owner; STATUS_RANGE: beyond stream_id_bits; STATUS_INVALID: the
 * root is misaligned or out of reach, the ASID is in use for others, or PARTITION_NONE;
 * STATUS_STATE: no iommu_init().
 * STATUS_TIMEOUT/STATUS_HARDWARE: the command queue failed; the entry is abort in memory, and if
 * the SMMU did not confirm that, the stream stays `owner`'s (STATUS_BUSY) until a detach succeeds.
 */
enum status MUST_USE iommu_attach(stream_id_t stream, const struct iommu_tables *tables,
				  partition_id_t owner);

/*
 * Back to abort, strictly: when it returns STATUS_OK no access by the stream through the old
 * tables can land and none of its translations is cached. STATUS_TIMEOUT/STATUS_HARDWARE: the
 * entry is abort in memory but the SMMU did not confirm; the pages behind it must not be reused,
 * the stream stays `owner`'s and detach may be tried again. STATUS_DENIED: not `owner`'s.
 */
enum status MUST_USE iommu_detach(stream_id_t stream, const struct iommu_tables *tables,
				  partition_id_t owner);

/*
 * For a stream, owned or not, that floods the event queue: it aborts, without a record, until the
 * next attach or detach. Its owner stays, and what is cached of its translations until the detach:
 * this is no revoke. Errors as iommu_detach().
 */
enum status MUST_USE iommu_silence(stream_id_t stream);

/*
 * After a change of the tables that removes or restricts [ipa, ipa+size): drops every cached
 * translation of that range under the VMID and waits for completion. Whole VMID above a bound.
 */
enum status MUST_USE iommu_invalidate(const struct iommu_tables *tables, ipa_t ipa, uint64_t size);

struct iommu_event {
	stream_id_t stream;
	partition_id_t owner; /* PARTITION_NONE: nobody's */
	ipa_t address;
	bool write;
	const char
		*reason;  /* why the transaction was refused: "no-translation", "permission", ... */
	uint8_t raw_type; /* the specification's event number */
};

/*
 * Takes at most 128 records from the event queue and calls `report` once for each new (stream,
 * page, kind of fault): repeats within a second are only counted, and a stream gets at most 16
 * reports a second. Acknowledges GERROR and overflow. `report` may be NULL; it may call anything
 * here but iommu_events().
 *
 * True: records are left. Call again soon, without waiting for an interrupt: the next one comes
 * only after the queue was empty. A storm is ended with iommu_silence().
 */
bool iommu_events(void (*report)(void *context, const struct iommu_event *event), void *context);

/*
 * The stream that made the most records within a second which is not over, if more than `records`;
 * so many are then taken off. With 0 the one to silence while iommu_events() goes on returning true
 * (the last one reported may be a victim of the flood); with IOMMU_FLOOD one that is to be silenced
 * in any case, however it paces itself. False: none, nothing written.
 */
#define IOMMU_FLOOD 8192
bool iommu_flooding_stream(unsigned records, stream_id_t *stream);

struct iommu_counters {
	uint64_t faults;   /* event records consumed for this stream */
	uint64_t distinct; /* reported: new (stream, page, kind) */
};

/*
 * Of one stream since boot; zeroes for a stream never seen. The first 78 streams that were attached
 * and the first 48 others have counters of their own; the rest share one set.
 */
struct iommu_counters iommu_stream_counters(stream_id_t stream);
/* Of the whole device: records, and records lost to a full queue (known only as "some"). */
struct iommu_totals {
	uint64_t records, overflows, command_errors, commands;
};
struct iommu_totals iommu_totals(void);

#endif
