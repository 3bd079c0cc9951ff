/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All device access goes through here. A register is one line, REG32(NAME, offset) or
 * REG64(NAME, offset); its width is its type, so a 64-bit read of a 32-bit register does not
 * compile. Reads and writes are single, untorn accesses in program order to one device;
 * mmio_write*() orders earlier stores to memory before the register write.
 *
 * arch_mmio.h is a variant: lib/arch/aarch64 reaches hardware, lib/arch/host reaches the models.
 */
#ifndef CW_MMIO_H
#define CW_MMIO_H

#include <stdint.h>

#include "arch_mmio.h"

/* clang-format off */
typedef struct { uint32_t offset; } reg32_t;
typedef struct { uint32_t offset; } reg64_t;
typedef struct { uintptr_t base; } mmio_t;	/* where a register frame is mapped */
/* clang-format on */

#define REG32(name, off) static const reg32_t name = {off}
#define REG64(name, off) static const reg64_t name = {off}

static inline reg32_t reg32_nth(reg32_t first, uint32_t index, uint32_t stride)
{
	return (reg32_t){first.offset + index * stride};
}

static inline reg64_t reg64_nth(reg64_t first, uint32_t index, uint32_t stride)
{
	return (reg64_t){first.offset + index * stride};
}

static inline uint32_t mmio_read32(mmio_t frame, reg32_t reg)
{
	return arch_mmio_read32(frame.base + reg.offset);
}

static inline uint64_t mmio_read64(mmio_t frame, reg64_t reg)
{
	return arch_mmio_read64(frame.base + reg.offset);
}

static inline void mmio_write32(mmio_t frame, reg32_t reg, uint32_t value)
{
	arch_mmio_write32(frame.base + reg.offset, value);
}

static inline void mmio_write64(mmio_t frame, reg64_t reg, uint64_t value)
{
	arch_mmio_write64(frame.base + reg.offset, value);
}

#endif
