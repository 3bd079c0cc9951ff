/* SPDX-License-Identifier: BSD-2-Clause */
/* The exception handlers' door, and the hypercalls behind it. */
#ifndef CW_TRAP_H
#define CW_TRAP_H

#include "partition.h"

#define PSCI_NOT_SUPPORTED (-1)
#define CONSOLE_IDLE_NS	   50000000ull

/*
 * Called from vectors.S with the guest's registers on the stack: all of them, for a hypercall those
 * a C function may change (x0 to x18, x30), which is where its arguments and results are.
 */
void trap_hypercall(struct guest_registers *regs);
void trap_synchronous(struct guest_registers *regs, uint64_t esr);
void trap_interrupt(void);
void trap_serror(void);
void trap_own(const struct guest_registers *regs, unsigned kind);

/* HVC: PSCI for the partition (Arm DEN 0022), and Causeway's own calls. x0 to x3; the new x0. */
int64_t hypercall(struct vcpu *vcpu, const uint64_t x[4]);

#endif
