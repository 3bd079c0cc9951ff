/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The identity map: one level-1 table of 512 blocks of 1 GiB. Block 1 (the first GiB of RAM) is
 * normal memory, everything else device memory, so nothing outside it is touched speculatively.
 */
#include "internal.h"

#define BLOCK_VALID  BIT(0)
#define BLOCK_NORMAL (1ull << 2) /* MAIR attribute 1 */
#define BLOCK_INNER  (3ull << 8)
#define BLOCK_AF     BIT(10)
#define BLOCK_PXN    BIT(53)
#define BLOCK_UXN    BIT(54)

uint64_t root_table[512] __attribute__((aligned(4096)));

void mmu_build(void)
{
	for (uint64_t i = 0; i < ARRAY_SIZE(root_table); i++) {
		root_table[i] = (i * GIB(1)) | BLOCK_VALID | BLOCK_AF | BLOCK_UXN | BLOCK_PXN;
	}
	root_table[GUEST_RAM_BASE / GIB(1)] =
		GUEST_RAM_BASE | BLOCK_VALID | BLOCK_AF | BLOCK_UXN | BLOCK_NORMAL | BLOCK_INNER;
}

void fetch_anywhere(void)
{
	for (uint64_t i = 0; i < ARRAY_SIZE(root_table); i++) {
		root_table[i] &= ~BLOCK_PXN;
	}
	__asm__ volatile("dsb ish\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}
