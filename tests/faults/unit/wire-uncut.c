/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F65: packets are moved to the last one, whoever waits for this core.
 * wraps: hv_again
 * test: hv-glue/test_wires
 * fails: cut
 */
#include "hv.h"

bool __wrap_hv_again(void);

bool __wrap_hv_again(void)
{
	return false;
}
