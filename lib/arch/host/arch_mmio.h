/* SPDX-License-Identifier: BSD-2-Clause */
/* Device access on a workstation: every access is answered by a model (hv-glue/host/models.h). */
#ifndef CW_ARCH_MMIO_H
#define CW_ARCH_MMIO_H

#include <stddef.h>
#include <stdint.h>

uint8_t arch_mmio_read8(uintptr_t address);
uint16_t arch_mmio_read16(uintptr_t address);
uint32_t arch_mmio_read32(uintptr_t address);
uint64_t arch_mmio_read64(uintptr_t address);
void arch_mmio_write8(uintptr_t address, uint8_t value);
void arch_mmio_write16(uintptr_t address, uint16_t value);
void arch_mmio_write32(uintptr_t address, uint32_t value);
void arch_mmio_write64(uintptr_t address, uint64_t value);

/* Counted by the models, so that a test can ask for a barrier. */
void arch_publish(void);
void arch_barrier(void);
void arch_clean(const volatile void *p, size_t size);
/* Waiting for another core: another thread's turn (hv-glue/host/schedule.h). */
void arch_relax(void);

#endif
