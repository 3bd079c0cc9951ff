/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the SMMU model share: model_smmu.c (registers, events), model_smmu_commands.c
 * and model_smmu_walk.c (entries, tables, accesses). */
#ifndef CW_HOST_MODEL_SMMU_PARTS_H
#define CW_HOST_MODEL_SMMU_PARTS_H

#include "model_smmu.h"

#define B(n)		  (1ull << (n))
#define GET(word, hi, lo) (((uint64_t)(word) >> (lo)) & (B((hi) - (lo) + 1) - 1))

enum { SMMUEN = 1, EVENTQEN = 4, CMDQEN = 8, ATSCHK = 16 };
enum { ABORT = 1 << 20 };
#define UPDATE 0x80000000u
#define OVFLG  0x80000000u
enum { CMDQ_ERR = 1, EVENTQ_ABT_ERR = 4 };

static inline uint32_t queue_size(const struct model_smmu_queue *queue)
{
	return 1u << GET(queue->base, 4, 0);
}

static inline uint32_t queue_used(const struct model_smmu_queue *queue)
{
	return (queue->prod - queue->cons) & (2 * queue_size(queue) - 1);
}

static inline uint64_t *queue_slot(const struct model_smmu_queue *queue, uint32_t index,
				   size_t dwords)
{
	uint64_t base = queue->base & 0x00fffffffffffe0ull;

	return (uint64_t *)(uintptr_t)base + (index & (queue_size(queue) - 1)) * dwords;
}

static inline bool error_active(const struct model_smmu *smmu, uint32_t error)
{
	return (smmu->gerror ^ smmu->gerrorn) & error;
}

__attribute__((format(printf, 2, 3))) void model_smmu_violate(struct model_smmu *smmu,
							      const char *format, ...);
void model_smmu_expect(struct model_smmu *smmu, bool condition, const char *what);
/* Puts an event into the queue, or loses it. */
void model_smmu_record(struct model_smmu *smmu, const uint64_t record[4]);
/* Consumes at most one command; false: nothing more can be consumed now. */
bool model_smmu_consume(struct model_smmu *smmu, uint64_t now_ns);

#endif
