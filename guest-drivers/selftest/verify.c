/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers that a contract decides, changed behind the service's back: set again, and counted. */
#include "selftest.h"

#include "runtime.h"

#define VERIFIED_NS   1200000000ull
#define MULTICAST_ALL 0x10000000u /* VMOLR.MPE */

struct tampered {
	const char *name;
	reg32_t reg;
	uint32_t flips, before;
};

static unsigned mended(const struct pf *pf)
{
	return __atomic_load_n(&pf->mended, __ATOMIC_RELAXED);
}

void test_verify(const struct pf *pf)
{
	struct tampered rows[] = {
		{"verify-mac", IGB_RAL0, 0xbad, 0},
		{"verify-pool", reg32_nth(IGB_RAH0, 1, 8), 0x00040000, 0},
		{"verify-stray-mac", reg32_nth(IGB_RAH0, 9, 8), (uint32_t)RAH_AV, 0},
		{"verify-vlan", reg32_nth(IGB_VMVIR0, 2, 4), 0x0f, 0},
		{"verify-vlan-filter", reg32_nth(IGB_VLVF0, 2, 4), (uint32_t)VLVF_ENABLE, 0},
		{"verify-promiscuous", reg32_nth(IGB_VMOLR0, 1, 4), MULTICAST_ALL, 0},
		{"verify-spoof-checks", IGB_DTXSWC, 0x0001, 0},
	};
	unsigned found = mended(pf);

	clock_sleep_ns(VERIFIED_NS);
	check("verify-quiet", mended(pf) == found);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		rows[i].before = mmio_read32(pf->regs, rows[i].reg);
		mmio_write32(pf->regs, rows[i].reg, rows[i].before ^ rows[i].flips);
		check("tamper", mmio_read32(pf->regs, rows[i].reg) != rows[i].before);
	}
	clock_sleep_ns(VERIFIED_NS);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		check(rows[i].name, mmio_read32(pf->regs, rows[i].reg) == rows[i].before);
	}
	check("verify-counted", mended(pf) == found + ARRAY_SIZE(rows));
}
