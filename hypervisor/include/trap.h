/* SPDX-License-Identifier: BSD-2-Clause */
/* The exception handlers' door, and the hypercalls behind it. */
#ifndef CW_TRAP_H
#define CW_TRAP_H

#include "partition.h"

#define PSCI_NOT_SUPPORTED (-1)
#define CONSOLE_IDLE_NS	   50000000ull

/* Called from vectors.S with the guest's registers on the stack. */
void trap_synchronous(struct guest_registers *regs);
void trap_interrupt(struct guest_registers *regs);
void trap_serror(struct guest_registers *regs);
void trap_own(const struct guest_registers *regs, unsigned kind);

/* HVC: PSCI for the partition (Arm DEN 0022), and Causeway's own calls. */
enum hv_exit_class hypercall(struct vcpu *vcpu, struct guest_registers *regs);

#endif
