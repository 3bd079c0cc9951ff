/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counter ticks around one event, written in assembly so that nothing but the event lies between.
 * On QEMU with -icount shift=0 and a counter of 1 GHz a tick is an instruction. Each returns the
 * ticks less the one that the second reading itself takes.
 */
#ifndef PROBE_MEASURE_H
#define PROBE_MEASURE_H

#include <stdint.h>

#define NEVER UINT64_MAX /* no interrupt came within a million loops */

uint64_t measure_nothing(void); /* two readings side by side: 0 */
uint64_t measure_hypercall(uint64_t function);
uint64_t measure_read32(uint64_t address);
uint64_t measure_write32(uint64_t address, uint32_t value);

/*
 * From the instruction that asks for an interrupt to the first of the vector that takes it. The
 * interrupt is acknowledged, a timer turned off, and ended there. *intid is what came.
 */
uint64_t measure_sgi(uint64_t value, uint64_t *intid); /* ICC_SGI1R_EL1 */
uint64_t measure_store_to_interrupt(uint64_t address, uint32_t value, uint64_t *intid);
/* From the virtual timer's expiry, `ahead` ticks from now. */
uint64_t measure_timer(uint64_t ahead, uint64_t *intid);

#endif
