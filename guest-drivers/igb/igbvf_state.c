/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VF's registers remember: left full by one owner, looked through by the next. Statistics
 * are not among them (read-only), nor what the part changes by itself (STATUS, the mailbox's bits).
 */
#include "igbvf.h"

#define EVERY_VECTOR 7u
#define RXDCTL_WB    0x00010000u /* write back at once: the reset value */
#define QUEUE_NEXT   0x100u	 /* from queue 0's registers to queue 1's */

static const struct row {
	uint16_t offset;
	uint32_t clean;	 /* as after the part's reset */
	uint32_t litter; /* what can be written there */
} rows[] = {
	{0x1524, 0, EVERY_VECTOR}, /* EIMS, EIAC, EIAM, EICR */
	{0x152c, 0, EVERY_VECTOR},
	{0x1530, 0, EVERY_VECTOR},
	{0x1580, 0, 0},
	{0x1680, 0, 0x1f40}, /* EITR */
	{0x1684, 0, 0x1f40},
	{0x1688, 0, 0x1f40},
	{0x1700, 0, 0x8182}, /* IVAR, IVAR_MISC */
	{0x1740, 0, 0x81},
};

static const struct row queue_rows[] = {
	{0x2800, 0, 0x5eed0000}, /* RDBAL, RDBAH, RDLEN, SRRCTL, RDH, RDT, RXDCTL */
	{0x2804, 0, 0x5eed},	 {0x2808, 0, 0x5e80},	  {0x280c, 0, 0x82000001},
	{0x2810, 0, 0x5e},	 {0x2818, 0, 0x5e},	  {0x2828, RXDCTL_WB, 0x02000000},
	{0x3800, 0, 0x5eed0000}, /* TDBAL, TDBAH, TDLEN, TDH, TDT, TXDCTL, TDWBAL, TDWBAH */
	{0x3804, 0, 0x5eed},	 {0x3808, 0, 0x5e80},	  {0x3810, 0, 0x5e},
	{0x3818, 0, 0x5e},	 {0x3828, 0, 0x02000000}, {0x3838, 0, 0x5eed0000},
	{0x383c, 0, 0x5eed},
};

/* The `index`-th of all; false: there are no more. */
static bool row_at(unsigned index, struct row *row)
{
	if (index < ARRAY_SIZE(rows)) {
		*row = rows[index];
		return true;
	}
	index -= (unsigned)ARRAY_SIZE(rows);
	if (index < 2 * ARRAY_SIZE(queue_rows)) {
		*row = queue_rows[index % ARRAY_SIZE(queue_rows)];
		row->offset += index < ARRAY_SIZE(queue_rows) ? 0 : QUEUE_NEXT;
		return true;
	}
	index -= 2 * (unsigned)ARRAY_SIZE(queue_rows);
	*row = (struct row){(uint16_t)(IGB_VMBMEM.offset + 4 * index), 0, 0x5eed0000u | index};
	return index < MAILBOX_WORDS;
}

/* The PF's owner may have told the VF to reset, whoever drives it. */
static bool is_clean(const struct row *row, uint32_t value)
{
	return value == row->clean ||
	       (row->offset == IGB_VMBMEM.offset && field_get(MBX_TYPE, value) == MBX_PF_CONTROL);
}

unsigned igbvf_residue(mmio_t regs, void (*found)(uint32_t offset, uint32_t value))
{
	unsigned count = 0;
	struct row row;

	for (unsigned i = 0; row_at(i, &row); i++) {
		uint32_t value = mmio_read32(regs, (reg32_t){row.offset});

		if (!is_clean(&row, value)) {
			count++;
			found(row.offset, value);
		}
	}
	return count;
}

unsigned igbvf_litter(mmio_t regs)
{
	unsigned stuck = 0;
	struct row row;

	mmio_write32(regs, IGBVF_MAILBOX, (uint32_t)V2P_VFU); /* and is never given back */
	for (unsigned i = 0; row_at(i, &row); i++) {
		mmio_write32(regs, (reg32_t){row.offset}, row.litter);
	}
	for (unsigned i = 0; row_at(i, &row); i++) {
		stuck += mmio_read32(regs, (reg32_t){row.offset}) == row.litter;
	}
	return stuck;
}
