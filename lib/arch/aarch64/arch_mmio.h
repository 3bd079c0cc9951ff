/* SPDX-License-Identifier: BSD-2-Clause */
/* Device access and memory ordering on AArch64 (Arm ARM B2.3, D7.2). */
#ifndef CW_ARCH_MMIO_H
#define CW_ARCH_MMIO_H

#include <stddef.h>
#include <stdint.h>

/* Earlier stores to memory are visible to devices before what follows. */
static inline void arch_publish(void)
{
	__asm__ volatile("dsb oshst" ::: "memory");
}

/* In a loop that waits for another core. */
static inline void arch_relax(void)
{
	__asm__ volatile("yield");
}

/* What follows is not read or written before what stands above has completed. */
static inline void arch_barrier(void)
{
	__asm__ volatile("dsb sy" ::: "memory");
}

/* Write the cache lines of [p, p+size) back to memory, for a device that does not snoop. */
static inline void arch_clean(const volatile void *p, size_t size)
{
	uint64_t ctr;
	__asm__("mrs %0, ctr_el0" : "=r"(ctr));
	uintptr_t line = 4ul << ((ctr >> 16) & 15);
	uintptr_t end = (uintptr_t)p + size;

	for (uintptr_t at = (uintptr_t)p & ~(line - 1); at < end; at += line) {
		__asm__ volatile("dc cvac, %0" ::"r"(at) : "memory");
	}
	arch_barrier();
}

#define ARCH_MMIO_ACCESS(bits, type, reg, suffix)                                                  \
	static inline type arch_mmio_read##bits(uintptr_t address)                                 \
	{                                                                                          \
		type value;                                                                        \
		__asm__ volatile("ldr" suffix " %" reg "0, [%1]"                                   \
				 : "=r"(value)                                                     \
				 : "r"(address)                                                    \
				 : "memory");                                                      \
		return value;                                                                      \
	}                                                                                          \
	static inline void arch_mmio_write##bits(uintptr_t address, type value)                    \
	{                                                                                          \
		arch_publish();                                                                    \
		__asm__ volatile("str" suffix " %" reg "0, [%1]" ::"r"(value), "r"(address)        \
				 : "memory");                                                      \
	}

ARCH_MMIO_ACCESS(8, uint8_t, "w", "b")
ARCH_MMIO_ACCESS(16, uint16_t, "w", "h")
ARCH_MMIO_ACCESS(32, uint32_t, "w", "")
ARCH_MMIO_ACCESS(64, uint64_t, "x", "")

#undef ARCH_MMIO_ACCESS

#endif
