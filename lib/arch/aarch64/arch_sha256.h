/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 by the SHA2 instructions, where the core has them. */
#ifndef CW_ARCH_SHA256_H
#define CW_ARCH_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void arch_sha256_run(uint32_t state[8], const void *data, size_t blocks, const uint32_t k[64]);

/* False: nothing was done, the portable code has to. */
static inline bool arch_sha256(uint32_t state[8], const void *data, size_t blocks,
			       const uint32_t k[64])
{
	uint64_t features;

	__asm__("mrs %0, id_aa64isar0_el1" : "=r"(features));
	if ((features >> 12 & 15) == 0) {
		return false;
	}
	arch_sha256_run(state, data, blocks, k);
	return true;
}

#endif
