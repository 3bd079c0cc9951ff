/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VF's last owner left in its registers. A function-level reset stops the queues and little
 * more: ring addresses and interrupt set-up stay on QEMU's model, and the datasheet promises few of
 * them away. They are put back here as soon as the reset is seen (VFLRE), well inside the 100 ms
 * that the hypervisor waits after an FLR before it gives the VF to anybody. A VF's statistics
 * stay: they are read-only, drivers take differences.
 */
#include "pf.h"

#define QUEUES	2u /* of a VF: n and n+8 */
#define VECTORS 3u

static void scrub_queue(const struct pf *pf, unsigned queue)
{
	/* In this order: a ring goes once its queue is off. */
	const struct {
		reg32_t first;
		uint32_t value;
	} rows[] = {
		{IGB_RXDCTL0, RXDCTL_RESET},
		{IGB_TXDCTL0, 0},
		{IGB_RDBAL0, 0},
		{IGB_RDBAH0, 0},
		{IGB_RDLEN0, 0},
		{IGB_SRRCTL0, 0},
		{IGB_RDH0, 0},
		{IGB_RDT0, 0},
		{IGB_TDBAL0, 0},
		{IGB_TDBAH0, 0},
		{IGB_TDLEN0, 0},
		{IGB_TDH0, 0},
		{IGB_TDT0, 0},
		{IGB_TDWBAL0, 0},
		{IGB_TDWBAH0, 0},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		mmio_write32(pf->regs, reg32_nth(rows[i].first, queue, QUEUE_STRIDE),
			     rows[i].value);
	}
}

static void scrub_interrupts(const struct pf *pf, unsigned n)
{
	const reg32_t mirrors[] = {IGB_PVTEIMS0, IGB_PVTEIAC0, IGB_PVTEIAM0};
	const reg32_t copies[] = {IGB_MODEL_VTIVAR0, IGB_MODEL_VTIVAR_MISC0};
	uint32_t vectors = 7u << (22 - VECTORS * n); /* of VF n, in the PF's view (7.3.2) */

	/* A VF's writes to its IVAR may only add bits: the last owner's vectors must go first. */
	mmio_write32(pf->regs, reg32_nth(IGB_IVAR0, n, 4), 0);
	mmio_write32(pf->regs, IGB_EIMC, vectors);
	mmio_write32(pf->regs, IGB_EICR, vectors);
	for (unsigned i = 0; i < ARRAY_SIZE(mirrors); i++) {
		mmio_write32(pf->regs, reg32_nth(mirrors[i], n, MIRROR_STRIDE), 0);
	}
	(void)mmio_read32(pf->regs, reg32_nth(IGB_PVTEICR0, n, MIRROR_STRIDE));
	for (unsigned v = 0; v < VECTORS; v++) {
		mmio_write32(pf->regs, reg32_nth(IGB_EITR0, 22 - VECTORS * n + v, 4), 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(copies); i++) {
		if (mmio_read32(pf->regs, reg32_nth(copies[i], n, 4))) {
			mmio_write32(pf->regs, reg32_nth(copies[i], n, 4), 0);
		}
	}
}

void pf_vf_scrub(const struct pf *pf, unsigned n)
{
	for (unsigned i = 0; i < QUEUES; i++) {
		scrub_queue(pf, n + i * IGB_POOLS);
	}
	scrub_interrupts(pf, n);
}

void pf_buffer_clear(const struct pf *pf, unsigned n)
{
	for (unsigned i = 0; i < MAILBOX_WORDS; i++) {
		mmio_write32(pf->regs, reg32_nth(IGB_VMBMEM, MAILBOX_WORDS * n + i, 4), 0);
	}
}
