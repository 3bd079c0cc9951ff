/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual ITS's control frame: a GICv3 ITS (no virtual LPIs of its own) with DeviceIDs and
 * EventIDs of 16 bits and IRQ_PARTITION_COLLECTIONS collections. Registers without a row here read
 * 0 and drop writes. The guest's GITS_BASER memory is never used: state is in struct irq_partition.
 */
#include "gic.h"

#include <string.h>

#define VITS_IIDR  0x0000043bu /* Arm as implementer */
#define VITS_PIDR2 0x3bu       /* architecture revision 3 */
#define VITS_TYPER                                                                                 \
	(GITS_TYPER_PHYSICAL | field_prep(GITS_TYPER_ITT_ENTRY, 7) |                               \
	 field_prep(GITS_TYPER_ID_BITS, 15) | field_prep(GITS_TYPER_DEV_BITS, 15) |                \
	 field_prep(GITS_TYPER_CID_BITS, 3) | GITS_TYPER_CIL)
_Static_assert(IRQ_PARTITION_COLLECTIONS == 16, "GITS_TYPER.CIDbits says 4 bits");

#define VITS_BASER_COLLECTIONS 1u
#define VITS_BASER_WRITABLE                                                                        \
	(GITS_TABLE_VALID | GITS_BASER_INDIRECT | GITS_TABLE_INNER_CACHE |                         \
	 GITS_TABLE_OUTER_CACHE | GITS_BASER_ADDRESS | GITS_TABLE_SHAREABILITY |                   \
	 GITS_BASER_PAGE_SIZE | GITS_BASER_SIZE)
#define VITS_CBASER_WRITABLE                                                                       \
	(GITS_TABLE_VALID | GITS_TABLE_INNER_CACHE | GITS_TABLE_OUTER_CACHE |                      \
	 GITS_CBASER_ADDRESS | GITS_TABLE_SHAREABILITY | GITS_CBASER_SIZE)

/* Its table's type, and 8 bytes for an entry. */
#define VITS_BASER_FIXED(type)                                                                     \
	(field_prep(GITS_BASER_TYPE, type) | field_prep(GITS_BASER_ENTRY_SIZE, 7))

/* The 64 bits at an 8-aligned offset: one wide register, or two narrow ones. */
static uint64_t word_read(struct irq_partition *partition, uint32_t offset)
{
	switch (offset) {
	case 0x0000: /* GITS_CTLR, GITS_IIDR. Disabling completes at once. */
		return (uint64_t)VITS_IIDR << 32 | partition->ctlr |
		       (partition->ctlr & GITS_CTLR_ENABLED ? 0 : GITS_CTLR_QUIESCENT);
	case 0x0008:
		return VITS_TYPER;
	case 0x0080:
		return partition->cbaser;
	case 0x0088:
		return partition->cwriter;
	case 0x0090:
		vits_queue_process(partition);
		return partition->creadr;
	case 0x0100:
		return partition->baser[0] | VITS_BASER_FIXED(GITS_TABLE_DEVICES);
	case 0x0108:
		return partition->baser[1] | VITS_BASER_FIXED(GITS_TABLE_COLLECTIONS);
	case 0xffe8:
		return VITS_PIDR2;
	default:
		return 0;
	}
}

/* While the ITS is off nothing is delivered, and nothing is forgotten. */
static void write_ctlr(struct irq_partition *partition, uint64_t value)
{
	bool enable = value & GITS_CTLR_ENABLED;

	if (enable == (bool)(partition->ctlr & GITS_CTLR_ENABLED)) {
		return;
	}
	if (enable) {
		routes_open_all(partition);
	} else {
		routes_close(partition, 0, IRQ_PARTITION_SLOTS);
	}
	if (routes_finish(partition) != STATUS_OK) {
		partition->creadr |= GITS_CREADR_STALLED;
	}
	partition->ctlr = enable ? (uint32_t)GITS_CTLR_ENABLED : 0;
	vits_queue_process(partition);
}

static void write_cwriter(struct irq_partition *partition, uint64_t value)
{
	if (value & GITS_CWRITER_RETRY) {
		partition->creadr &= ~(uint64_t)GITS_CREADR_STALLED;
	}
	partition->cwriter = value & GITS_QUEUE_OFFSET;
	vits_queue_process(partition);
}

/* New tables are empty tables: what the old ones held is gone. Nothing is routed: the ITS is off.
 */
static void write_baser(struct irq_partition *partition, unsigned n, uint64_t value)
{
	partition->baser[n] = value & VITS_BASER_WRITABLE;
	if (n == VITS_BASER_COLLECTIONS) {
		memset(partition->collections, 0, sizeof(partition->collections));
		return;
	}
	routes_forget(partition);
}

static void word_write(struct irq_partition *partition, uint32_t offset, uint64_t value)
{
	bool enabled = partition->ctlr & GITS_CTLR_ENABLED;

	if (offset == 0x0000) {
		write_ctlr(partition, value);
	} else if (offset == 0x0088) {
		write_cwriter(partition, value);
	} else if (offset == 0x0080 && !enabled) {
		partition->cbaser = value & VITS_CBASER_WRITABLE;
		partition->creadr = 0;
		partition->cwriter = 0;
	} else if ((offset == 0x0100 || offset == 0x0108) && !enabled) {
		write_baser(partition, (offset - 0x0100) / 8, value);
	}
}

/* Narrow registers take narrow accesses only. */
static bool access_allowed(uint32_t offset, unsigned size)
{
	bool narrow = (offset & ~7u) == 0x0000 || (offset & ~7u) == 0xffe8;

	return (size == 4 || (size == 8 && !narrow)) && is_aligned(offset, size);
}

uint64_t vits_read(struct irq_partition *partition, uint32_t offset, unsigned size)
{
	uint64_t value = 0;

	lock_acquire(&partition->lock);
	partition->counters.mmio++;
	if (access_allowed(offset, size)) {
		value = word_read(partition, offset & ~7u);
	}
	lock_release(&partition->lock);
	if (size == 4) {
		value = offset & 4 ? value >> 32 : value & UINT32_MAX;
	}
	return value;
}

void vits_write(struct irq_partition *partition, uint32_t offset, unsigned size, uint64_t value)
{
	uint32_t word = offset & ~7u;

	lock_acquire(&partition->lock);
	partition->counters.mmio++;
	if (access_allowed(offset, size)) {
		word_write(partition, word,
			   gic_merge(word_read(partition, word), offset, size, value));
	}
	lock_release(&partition->lock);
}
