/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMMUv3 registers, non-secure programming interface: only what is touched.
 * Arm IHI 0070 G.b, chapter 6. The two 64 KiB pages are one frame here.
 */
#ifndef CW_SMMU_REGISTERS_H
#define CW_SMMU_REGISTERS_H

#include "bits.h"
#include "mmio.h"

REG32(SMMU_IDR0, 0x0000);	     /* 6.3.1 features */
REG32(SMMU_IDR1, 0x0004);	     /* 6.3.2 sizes */
REG32(SMMU_IDR3, 0x000c);	     /* 6.3.4 features */
REG32(SMMU_IDR5, 0x0014);	     /* 6.3.6 address sizes */
REG32(SMMU_CR0, 0x0020);	     /* 6.3.9 enables */
REG32(SMMU_CR1, 0x0028);	     /* 6.3.11 memory attributes of tables and queues */
REG32(SMMU_CR2, 0x002c);	     /* 6.3.12 */
REG32(SMMU_GBPA, 0x0044);	     /* 6.3.14 what happens while disabled */
REG32(SMMU_IRQ_CTRL, 0x0050);	     /* 6.3.16 */
REG32(SMMU_GERROR, 0x0060);	     /* 6.3.19 */
REG32(SMMU_GERRORN, 0x0064);	     /* 6.3.20 */
REG64(SMMU_GERROR_IRQ_CFG0, 0x0068); /* 6.3.21 MSI address */
REG64(SMMU_STRTAB_BASE, 0x0080);     /* 6.3.24 */
REG32(SMMU_STRTAB_BASE_CFG, 0x0088); /* 6.3.25 */
REG64(SMMU_CMDQ_BASE, 0x0090);	     /* 6.3.26 */
REG32(SMMU_CMDQ_PROD, 0x0098);	     /* 6.3.27 */
REG32(SMMU_CMDQ_CONS, 0x009c);	     /* 6.3.28 */
REG64(SMMU_EVENTQ_BASE, 0x00a0);     /* 6.3.29 */
REG64(SMMU_EVENTQ_IRQ_CFG0, 0x00b0); /* 6.3.30 MSI address */
REG32(SMMU_EVENTQ_PROD, 0x100a8);    /* page 1: the page-0 alias is optional */
REG32(SMMU_EVENTQ_CONS, 0x100ac);    /* page 1 */

#define SMMU_FRAME_SIZE	      0x20000

#define IDR0_S2P	      BIT(0)
#define IDR0_S1P	      BIT(1)
#define IDR0_TTF_AARCH64      BIT(3)
#define IDR0_COHACC	      BIT(4)
#define IDR0_HYP	      BIT(9)
#define IDR0_ATS	      BIT(10)
#define IDR0_MSI	      BIT(13)
#define IDR0_VMID16	      BIT(18)
#define IDR0_TTENDIAN	      BITS(22, 21)
#define IDR0_STALL_MODEL      BITS(25, 24)
#define TTENDIAN_BIG	      3
#define STALL_FORCED	      2

#define IDR1_SIDSIZE	      BITS(5, 0)
#define IDR1_EVENTQS	      BITS(20, 16)
#define IDR1_CMDQS	      BITS(25, 21)
#define IDR1_QUEUES_PRESET    BIT(29)
#define IDR1_TABLES_PRESET    BIT(30)

#define IDR3_RIL	      BIT(10)
#define IDR5_OAS	      BITS(2, 0)
#define IDR5_GRAN4K	      BIT(4)

#define CR0_SMMUEN	      BIT(0)
#define CR0_EVENTQEN	      BIT(2)
#define CR0_CMDQEN	      BIT(3)
#define CR0_ATSCHK	      BIT(4)

#define CR1_QUEUE_IC	      BITS(1, 0)
#define CR1_QUEUE_OC	      BITS(3, 2)
#define CR1_QUEUE_SH	      BITS(5, 4)
#define CR1_TABLE_IC	      BITS(7, 6)
#define CR1_TABLE_OC	      BITS(9, 8)
#define CR1_TABLE_SH	      BITS(11, 10)
#define CR1_WB		      1

#define CR2_RECINVSID	      BIT(1)
#define CR2_PTM		      BIT(2)

#define GBPA_ABORT	      BIT(20)
#define GBPA_UPDATE	      BIT(31)

#define IRQ_CTRL_GERROR	      BIT(0)
#define IRQ_CTRL_EVENTQ	      BIT(2)

#define GERROR_CMDQ_ERR	      BIT(0)
#define GERROR_EVENTQ_ABT_ERR BIT(2)
#define GERROR_SFM_ERR	      BIT(8)

#define STRTAB_BASE_RA	      BIT(62)
#define STRTAB_CFG_LOG2SIZE   BITS(5, 0)
#define QUEUE_BASE_ALLOCATE   BIT(62) /* RA of an input queue, WA of an output queue */
#define QUEUE_BASE_LOG2SIZE   BITS(4, 0)
#define CMDQ_CONS_ERR	      BITS(30, 24)
#define EVENTQ_OVFLG	      BIT(31) /* OVACKFLG in CONS */

/* Shareability, as everywhere in the architecture. */
#define SH_INNER 3

#endif
