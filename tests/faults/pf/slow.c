/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks nothing: a service that is held up in the middle of a round, between what it read of a VF
 * and what it does about it.
 * wraps: pf_vf_quiet
 */
#include "clock.h"
#include "pf.h"

#define HELD_UP_NS 30000000ull

void __real_pf_vf_quiet(struct pf *pf, unsigned n);
void __wrap_pf_vf_quiet(struct pf *pf, unsigned n);

void __wrap_pf_vf_quiet(struct pf *pf, unsigned n)
{
	__real_pf_vf_quiet(pf, n);
	clock_sleep_ns(HELD_UP_NS);
}
