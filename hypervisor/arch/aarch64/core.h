/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the assembly files and C. */
#ifndef CW_CORE_H
#define CW_CORE_H

#include "arch.h"
#include "sysreg.h"

/* On a core that runs a guest. */
static inline struct vcpu *this_vcpu(void)
{
	return ((const struct core *)sysreg_read(tpidr_el2))->vcpu;
}

#define PPI_VIRTUAL_TIMER 27
#define PPI_PHYS_TIMER	  30

/*
 * The most urgent physical interrupt, or a spurious number. One at a time: the next traps again, or
 * ends an idle core's WFI.
 */
static inline unsigned interrupt_acknowledge(void)
{
	return (unsigned)sysreg_read(ICC_IAR1_EL1);
}

/* Others may come; this one stays active. */
static inline void interrupt_drop(unsigned intid)
{
	sysreg_write(ICC_EOIR1_EL1, intid);
}

#define FIRST_LPI 8192

/* An LPI has no active state to end, and nobody's has no slot. */
static inline void interrupt_take_lpi(unsigned core, unsigned intid)
{
	arch_barrier(); /* acknowledged before what it announces is looked at */
	interrupt_drop(intid);

	uint32_t number = partition_hooks.lpi(core, intid);

	if (number < HV_LPI_ALL_SLOTS) {
		vgic_lpi_pend(&partitions[number / HV_LPI_SLOTS], number % HV_LPI_SLOTS);
	}
}

/* Any other; `vcpu` runs on this core, or NULL. */
enum hv_exit_class interrupt_handle(struct vcpu *vcpu, unsigned intid);

void *core_stack(struct core *core);
_Noreturn void core_main(struct core *core);
_Noreturn void guest_first_entry(const struct guest_registers *regs);
extern char secondary[];

#endif
