/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F37: a VF's next owner finds the last one's message in the mailbox.
 * wraps: pf_buffer_clear
 */
#include "pf.h"

void __wrap_pf_buffer_clear(const struct pf *pf, unsigned n);

void __wrap_pf_buffer_clear(const struct pf *pf, unsigned n)
{
	(void)pf;
	(void)n;
}
