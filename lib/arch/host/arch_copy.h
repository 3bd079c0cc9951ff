/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies [from, from+size) in guests' RAM: any alignment, no overlap, each byte read once. */
#ifndef CW_ARCH_COPY_H
#define CW_ARCH_COPY_H

#include <stddef.h>
#include <stdint.h>

static inline void arch_copy(volatile void *to, const volatile void *from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		((volatile uint8_t *)to)[i] = ((const volatile uint8_t *)from)[i];
	}
}

#endif
