/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two halves of the SMMU model share: model_smmu.c (registers, queues, commands) and
 * model_smmu_walk.c (entries, tables, accesses). */
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

__attribute__((format(printf, 2, 3))) void model_smmu_violate(struct model_smmu *smmu,
							      const char *format, ...);
void model_smmu_expect(struct model_smmu *smmu, bool condition, const char *what);
/* Puts an event into the queue, or loses it. */
void model_smmu_record(struct model_smmu *smmu, const uint64_t record[4]);

#endif
