/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the runtime tell each other. */
#ifndef GUEST_INTERNAL_H
#define GUEST_INTERNAL_H

#include "guest_map.h"
#include "runtime.h"
#include "sysreg.h"

#define TIMER_INTID (16 + GUEST_PPI_TIMER_VIRT)

extern char image_end[];

static inline unsigned this_core(void)
{
	return (unsigned)(sysreg_read("mpidr_el1") & 0xff);
}

/* Registers as vectors.S stores them. */
struct exception_frame {
	uint64_t x[31];
	uint64_t elr, spsr, esr, far;
};

void runtime_start(uint64_t fdt, uint64_t counter); /* boot core, MMU on */
void mmu_build(void);				    /* boot core, MMU off */
void exception_entry(unsigned kind, struct exception_frame *frame);
void fdt_start(uint64_t fdt);
void console_start(void);
void clock_use_interrupt(void);	       /* from now on this core waits by WFI */
bool gic_redistributor(mmio_t *frame); /* of this core */

#endif
