/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the assembly files and C. */
#ifndef CW_CORE_H
#define CW_CORE_H

#include "arch.h"

void *core_stack(struct core *core);
_Noreturn void core_main(struct core *core);
_Noreturn void guest_first_entry(const struct guest_registers *regs);
extern char secondary[];

#endif
