/* SPDX-License-Identifier: BSD-2-Clause */
#include "smmu.h"

/* A file of its own so that a test can stand in for it and see every store in order. */
void table_store64(uint64_t *at, uint64_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELAXED);
	if (!smmu.coherent) {
		arch_clean(at, sizeof(*at));
	}
}
