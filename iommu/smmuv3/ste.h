/* SPDX-License-Identifier: BSD-2-Clause */
/* Stream table entries as plain words (IHI 0070 G.b, 5.2). Pure functions. */
#ifndef CW_SMMU_STE_H
#define CW_SMMU_STE_H

#include "bits.h"
#include "iommu.h"

#define STE_DWORDS 8

/* Bits of one dword each; only dword 0 decides what the others mean. */
#define STE0_V	       BIT(0)
#define STE0_CONFIG    BITS(3, 1)
#define CONFIG_S2      6 /* stage 1 bypassed, stage 2 translates */

#define STE1_MEV       BIT(19) /* similar events may be merged */
#define STE1_SHCFG     BITS(45, 44)
#define SHCFG_INCOMING 1

#define STE2_S2VMID    BITS(15, 0)
#define STE2_S2T0SZ    BITS(37, 32)
#define STE2_S2SL0     BITS(39, 38)
#define STE2_S2IR0     BITS(41, 40)
#define STE2_S2OR0     BITS(43, 42)
#define STE2_S2SH0     BITS(45, 44)
#define STE2_S2TG      BITS(47, 46) /* 0: 4 KiB */
#define STE2_S2PS      BITS(50, 48)
#define STE2_S2AA64    BIT(51)
#define STE2_S2R       BIT(58)
#define WALK_WB_RA_WA  1

#define STE3_S2TTB     BITS(51, 4)

/*
 * The two forms of abort, both decided by dword 0 alone. V=0 is the zero state: the SMMU aborts and
 * records C_BAD_STE, so DMA by a function nobody owns is seen and attributed. V=1 with Config=0
 * aborts silently: for a stream that floods the event queue.
 */
#define STE0_ABORT	  0ull
#define STE0_ABORT_SILENT STE0_V

struct ste {
	uint64_t dword[STE_DWORDS];
};

#define PHYSICAL_SIZE_48 5 /* the most that 4 KiB pages reach without LPA2 */

/* Bits of a physical address, by the encoding of IDR5.OAS and S2PS (0..5). */
unsigned physical_size_bits(unsigned physical_size);

/*
 * Can an SMMU with this output size walk these tables, started at the level and width they state?
 * STATUS_INVALID: level and width do not fit each other (5.2 S2SL0; Arm ARM D8.2), or the root is
 * misaligned or out of reach. Anything else would be ILLEGAL or, worse, walked at another depth.
 */
enum status MUST_USE ste_check_stage2(const struct iommu_tables *tables, unsigned physical_size);

/* The entry for tables that passed the check. */
struct ste ste_stage2(const struct iommu_tables *tables, unsigned physical_size);

#endif
