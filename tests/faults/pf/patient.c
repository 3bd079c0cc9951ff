/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F52: waits for a VF that asks and keeps its mailbox, and serves nobody meanwhile.
 * wraps: pf_mailbox_round
 */
#include "clock.h"
#include "pf.h"

#define PATIENCE_NS 200000000ull

bool __real_pf_mailbox_round(struct pf *pf);
bool __wrap_pf_mailbox_round(struct pf *pf);

bool __wrap_pf_mailbox_round(struct pf *pf)
{
	uint32_t events = mmio_read32(pf->regs, IGB_MBVFICR);

	for (unsigned n = 0; n < IGB_VF_MAX; n++) {
		reg32_t control = reg32_nth(IGB_P2VMAILBOX0, n, 4);
		uint64_t until = clock_ns() + PATIENCE_NS;
		bool free = !(events & 1u << n);

		while (!free && clock_ns() < until) {
			mmio_write32(pf->regs, control, (uint32_t)P2V_PFU);
			free = mmio_read32(pf->regs, control) & P2V_PFU;
		}
		if (events & 1u << n && free) {
			mmio_write32(pf->regs, control, 0);
		}
	}
	return __real_pf_mailbox_round(pf);
}
