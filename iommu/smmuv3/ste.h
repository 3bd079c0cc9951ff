/* SPDX-License-Identifier: BSD-2-Clause */
/* Stream table entries and context descriptors as plain words (IHI 0070 G.b, 5.2, 5.4). Pure. */
#ifndef CW_SMMU_STE_H
#define CW_SMMU_STE_H

#include "bits.h"
#include "iommu.h"

#define STE_DWORDS 8

/* Bits of one dword each; only dword 0 decides what the others mean. */
#define STE0_V	       BIT(0)
#define STE0_CONFIG    BITS(3, 1)
#define CONFIG_S1      5 /* stage 1 translates, by one descriptor: no substreams */
#define CONFIG_S2      6 /* stage 1 bypassed, stage 2 translates */
#define STE0_S1CONTEXT BITS(51, 6)

#define STE1_S1CIR     BITS(3, 2)
#define STE1_S1COR     BITS(5, 4)
#define STE1_S1CSH     BITS(7, 6)
#define STE1_MEV       BIT(19) /* similar events may be merged */
#define STE1_SHCFG     BITS(45, 44)
#define SHCFG_INCOMING 1

#define STE2_S2VMID    BITS(15, 0)
#define STE2_S2T0SZ    BITS(37, 32)
#define STE2_S2SL0     BITS(39, 38)
#define SL0_LEVEL_1    1
#define STE2_S2IR0     BITS(41, 40)
#define STE2_S2OR0     BITS(43, 42)
#define STE2_S2SH0     BITS(45, 44)
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

/* Context descriptor, dword 0. */
#define CD0_T0SZ BITS(5, 0)
#define CD0_IR0	 BITS(9, 8)
#define CD0_OR0	 BITS(11, 10)
#define CD0_SH0	 BITS(13, 12)
#define CD0_EPD1 BIT(30) /* no walk by TTB1 */
#define CD0_V	 BIT(31)
#define CD0_IPS	 BITS(34, 32)
#define CD0_AA64 BIT(41)
#define CD0_R	 BIT(45) /* faults are recorded */
#define CD0_A	 BIT(46) /* and abort; S=0: nothing stalls */
#define CD0_ASET BIT(47) /* the CPUs' ASIDs are others */
#define CD0_ASID BITS(63, 48)
#define CD1_TTB0 BITS(51, 4)
/* dword 3, MAIR: index 0 normal, write-back; IOMMU_ATTR_DEVICE nGnRE */
#define CD3_MAIR (0xffull | 0x04ull << (8 * IOMMU_ATTR_DEVICE))

/* As long as an entry. */
struct cd {
	uint64_t dword[STE_DWORDS];
};

#define PHYSICAL_SIZE_40 2 /* the least that IOMMU_INPUT_BITS fit in: S2T0SZ */
#define PHYSICAL_SIZE_48 5 /* the most that 4 KiB pages reach without LPA2 */

/* Bits of a physical address, by the encoding of IDR5.OAS and S2PS (0..5). */
unsigned physical_size_bits(unsigned physical_size);

struct ste ste_stage2(const struct iommu_tables *tables, unsigned physical_size);

/* Stage 1: the descriptor of such tables, and the entry that points at it. */
struct cd cd_stage1(const struct iommu_tables *tables, unsigned physical_size);
struct ste ste_stage1(pa_t descriptor);

#endif
