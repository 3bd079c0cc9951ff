/* SPDX-License-Identifier: BSD-2-Clause */
/* The contract is what the part holds, not what was written to it: read back, again and again. */
#include "pf.h"

#include "runtime.h"

#define VERIFY_NS    1000000000ull
#define LINES	     8u
#define LINES_WINDOW 10000000000ull

static bool holds(const struct pf *pf, const struct pf_register *row)
{
	return (mmio_read32(pf->regs, row->reg) & row->mask) == row->value;
}

static void say_wrong(struct pf *pf, const struct pf_register *row, unsigned vf)
{
	uint32_t value = mmio_read32(pf->regs, row->reg) & row->mask;

	pf->mended++;
	if (!log_allowed(&pf->quota, clock_ns(), LINES, LINES_WINDOW)) {
		return;
	}
	if (vf < IGB_VF_MAX) {
		say("pf-service: VF %u: %s reads 0x%08x, its contract says 0x%08x: set again", vf,
		    row->name, value, row->value);
	} else {
		say("pf-service: %s reads 0x%08x, the contracts say 0x%08x: set again", row->name,
		    value, row->value);
	}
}

/* Of VF `vf`, or what is everybody's: how many are wrong. `mend`: said, and set again. */
static unsigned check(struct pf *pf, unsigned vf, bool mend)
{
	struct pf_register rows[PF_REGISTERS];
	unsigned count =
		vf < IGB_VF_MAX ? pf_contract_registers(pf, vf, rows) : pf_common_registers(rows);
	unsigned wrong = 0;

	for (unsigned i = 0; i < count; i++) {
		if (!holds(pf, &rows[i])) {
			wrong++;
			if (mend) {
				say_wrong(pf, &rows[i], vf);
			}
		}
	}
	if (wrong && mend && vf < IGB_VF_MAX) {
		pf_open_pool(pf, vf);
	} else if (wrong && mend) {
		pf_open_switch(pf);
	}
	return wrong;
}

/* An address nobody has a contract for would hand its frames to somebody. */
static unsigned check_stray(struct pf *pf, unsigned index, bool mend)
{
	struct pf_register row = {"RAH", reg32_nth(IGB_RAH0, index, 8), (uint32_t)RAH_AV, 0};

	if (holds(pf, &row)) {
		return 0;
	}
	if (mend) {
		say_wrong(pf, &row, index);
		mmio_write32(pf->regs, row.reg, 0);
	}
	return 1;
}

static unsigned check_all(struct pf *pf, bool mend)
{
	unsigned wrong = check(pf, IGB_VF_MAX, mend);

	for (unsigned i = 0; i < RAR_COUNT; i++) {
		wrong += i < IGB_VF_MAX && pf->vfs[i].contract.present ? check(pf, i, mend)
								       : check_stray(pf, i, mend);
	}
	return wrong;
}

unsigned pf_verify(struct pf *pf)
{
	pf->verified_ns = clock_ns();
	return check_all(pf, true) ? check_all(pf, false) : 0;
}

void pf_verify_round(struct pf *pf)
{
	unsigned wrong;

	if (clock_ns() - pf->verified_ns < VERIFY_NS) {
		return;
	}
	wrong = pf_verify(pf);
	if (wrong && log_allowed(&pf->quota, clock_ns(), LINES, LINES_WINDOW)) {
		say("pf-service: the part does not hold its contracts: %u registers are wrong",
		    wrong);
	}
}
