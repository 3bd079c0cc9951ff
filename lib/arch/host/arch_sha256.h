/* SPDX-License-Identifier: BSD-2-Clause */
/* No instructions of our own on a workstation: the portable code is what the tests run. */
#ifndef CW_ARCH_SHA256_H
#define CW_ARCH_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool arch_sha256(uint32_t state[8], const void *data, size_t blocks,
			       const uint32_t k[64])
{
	(void)state;
	(void)data;
	(void)blocks;
	(void)k;
	return false;
}

#endif
