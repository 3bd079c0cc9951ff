/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine with one strict SMMU, and tables built by hand. */
#ifndef SMMU_FIXTURE_H
#define SMMU_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arena.h"
#include "iommu.h"
#include "model_smmu.h"
#include "models.h"

#define SMMU_BASE 0x9050000

extern struct model_smmu device;
extern struct arena smmu_arena;

/* The SMMU is one without stage 2, and tables are of stage 1. */
extern bool fixture_stage1;
/* Runs a file's tests on an SMMU with stage 2, then on one without. */
#define run_on_both_stages(tests)                                                                  \
	(fixture_stage1 = false,                                                                   \
	 cmocka_run_group_tests_name("stage 2", tests, NULL, NULL) +                               \
		 (fixture_stage1 = true,                                                           \
		  cmocka_run_group_tests_name("stage 1", tests, NULL, NULL)))

/* Resets everything; the SMMU is as after reset. A cmocka set-up. */
int fixture_reset(void **state);
/* Also runs iommu_init() with 10 bits of stream ids. A cmocka set-up. */
int fixture_start(void **state);
/* Fails on a violation. A cmocka tear-down. */
int fixture_check(void **state);

enum status start_smmu(unsigned stream_id_bits);

#define P0 ((partition_id_t){0})
#define P1 ((partition_id_t){1})

static inline stream_id_t sid(uint32_t stream)
{
	return (stream_id_t){stream};
}

/* A zeroed page below 4 GiB, so within the reach of every SMMU. Gone at the next reset. */
uint64_t *low_page(void);

struct iommu_tables new_tables(uint16_t vmid);

enum { MAP_R = 1, MAP_W = 2, MAP_RW = 3, MAP_NO_AF = 4 };

/* Maps a page (level 3) or block (1, 2). Level 0..2 with `pa` 0 and no access: unlinks. */
void map_at(const struct iommu_tables *tables, unsigned level, uint64_t ipa, uint64_t pa, int how);
void unmap_at(const struct iommu_tables *tables, unsigned level, uint64_t ipa);

/* Access by a device, read and write alike. */
bool reaches(uint32_t stream, uint64_t address, uint64_t pa);
bool aborts(uint32_t stream, uint64_t address);

#endif
