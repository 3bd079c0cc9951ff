/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arm IHI 0069H (GICv3 and GICv4), the registers we touch: ITS and the LPI part of a redistributor
 * (chapter 12), and the LPI configuration byte (5.1). GICv4.0; the vPE tables for each
 * redistributor of GICv4.1 (GICR_TYPER.RVPEID) are not supported.
 */
#ifndef CW_GIC_REGISTERS_H
#define CW_GIC_REGISTERS_H

#include "bits.h"
#include "mmio.h"

/* clang-format off */
/* --- ITS control frame --------------------------------------------------------------------- */
REG32(GITS_CTLR,	0x0000);
#define GITS_CTLR_ENABLED	BIT(0)
#define GITS_CTLR_VIRTUAL	BIT(1) /* ImDe; some ITSs deliver no vLPI without it */
#define GITS_CTLR_QUIESCENT	BIT(31)

REG64(GITS_TYPER,	0x0008);
#define GITS_TYPER_PHYSICAL	BIT(0)
#define GITS_TYPER_VIRTUAL	BIT(1)
#define GITS_TYPER_ITT_ENTRY	BITS(7, 4)	/* bytes - 1 */
#define GITS_TYPER_ID_BITS	BITS(12, 8)	/* of an EventID, - 1 */
#define GITS_TYPER_DEV_BITS	BITS(17, 13)	/* of a DeviceID, - 1 */
#define GITS_TYPER_PTA		BIT(19)		/* RDbase is an address, else a PE number */
#define GITS_TYPER_HCC		BITS(31, 24)	/* collections held without memory */
#define GITS_TYPER_CID_BITS	BITS(35, 32)	/* of an ICID, - 1, when CIL */
#define GITS_TYPER_CIL		BIT(36)

REG64(GITS_CBASER,	0x0080);
#define GITS_CBASER_SIZE	BITS(7, 0)	/* 4 KiB pages - 1 */
#define GITS_CBASER_ADDRESS	BITS(51, 12)

REG64(GITS_CWRITER,	0x0088);
#define GITS_CWRITER_RETRY	BIT(0)
REG64(GITS_CREADR,	0x0090);
#define GITS_CREADR_STALLED	BIT(0)
#define GITS_QUEUE_OFFSET	BITS(19, 5)	/* of both, in place */

REG64(GITS_BASER0,	0x0100);
#define GITS_BASER_COUNT	8u
#define GITS_BASER_SIZE		BITS(7, 0)	/* pages - 1 */
#define GITS_BASER_PAGE_SIZE	BITS(9, 8)	/* 4, 16, 64 KiB */
#define GITS_BASER_ADDRESS	BITS(47, 12)
#define GITS_BASER_ADDRESS_HIGH	BITS(15, 12)	/* address[51:48], with 64 KiB pages */
#define GITS_BASER_ENTRY_SIZE	BITS(52, 48)	/* bytes - 1 */
#define GITS_BASER_TYPE		BITS(58, 56)
#define GITS_BASER_INDIRECT	BIT(62)
#define GITS_TABLE_DEVICES	1u
#define GITS_TABLE_VPES		2u
#define GITS_TABLE_COLLECTIONS	4u

/* Of GITS_CBASER and GITS_BASER<n> alike. */
#define GITS_TABLE_SHAREABILITY	BITS(11, 10)
#define GITS_TABLE_OUTER_CACHE	BITS(55, 53)
#define GITS_TABLE_INNER_CACHE	BITS(61, 59)
#define GITS_TABLE_VALID	BIT(63)

/* --- redistributor: RD_base and, 128 KiB above it, VLPI_base -------------------------------- */
REG32(GICR_CTLR,	0x0000);
#define GICR_CTLR_ENABLE_LPIS	BIT(0)
#define GICR_CTLR_RWP		BIT(3)

REG64(GICR_TYPER,	0x0008);
#define GICR_TYPER_PLPIS	BIT(0)
#define GICR_TYPER_VLPIS	BIT(1)
#define GICR_TYPER_DIRTY	BIT(2)		/* VPENDBASER.Dirty also covers becoming resident */
#define GICR_TYPER_RVPEID	BIT(7)		/* GICv4.1 */
#define GICR_TYPER_PROCESSOR	BITS(23, 8)

REG64(GICR_PROPBASER,	0x0070);
REG64(GICR_PENDBASER,	0x0078);
REG64(GICR_VPROPBASER,	0x20070);
REG64(GICR_VPENDBASER,	0x20078);
#define GICR_PROP_ID_BITS	BITS(4, 0)	/* of an INTID, - 1 */
#define GICR_PROP_ADDRESS	BITS(51, 12)
#define GICR_PEND_ADDRESS	BITS(51, 16)
#define GICR_PEND_PTZ		BIT(62)		/* PENDBASER: the table is zeroed */
#define GICR_VPEND_DIRTY	BIT(60)
#define GICR_VPEND_PENDING_LAST	BIT(61)
#define GICR_VPEND_IDAI		BIT(62)		/* the table's IMPLEMENTATION DEFINED area is unused */
#define GICR_VPEND_VALID	BIT(63)

/* Of the four alike. */
#define GICR_TABLE_INNER_CACHE	BITS(9, 7)
#define GICR_TABLE_SHAREABILITY	BITS(11, 10)
#define GICR_TABLE_OUTER_CACHE	BITS(58, 56)

/* Values of the cache and shareability fields. */
#define GIC_CACHE_NONE		1u		/* normal, non-cacheable */
#define GIC_CACHE_WRITE_BACK	7u		/* read- and write-allocate */
#define GIC_SHARE_INNER		1u

/* --- LPI configuration ------------------------------------------------------------------------ */
#define LPI_FIRST		8192u
#define LPI_NO_DOORBELL		1023u
#define LPI_PROPERTY_ENABLE	BIT(0)
#define LPI_PROPERTY_RES1	BIT(1)
#define LPI_PROPERTY_PRIORITY	BITS(7, 2)
/* clang-format on */

#endif
