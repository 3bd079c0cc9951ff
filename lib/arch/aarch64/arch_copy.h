/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies [from, from+size) in guests' RAM: any alignment, no overlap, each byte read once. */
#ifndef CW_ARCH_COPY_H
#define CW_ARCH_COPY_H

#include <stddef.h>

/* Normal memory only (unaligned accesses); the SIMD registers come back as they were. */
void arch_copy(volatile void *to, const volatile void *from, size_t size);

#endif
