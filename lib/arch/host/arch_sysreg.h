/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers on a workstation: a model answers by name (hv-glue/host/model_lr.h). */
#ifndef CW_ARCH_SYSREG_H
#define CW_ARCH_SYSREG_H

#include <stdint.h>

uint64_t arch_sysreg_read(const char *name);
void arch_sysreg_write(const char *name, uint64_t value);

#define sysreg_read(name)	  arch_sysreg_read(#name)
#define sysreg_write(name, value) arch_sysreg_write(#name, value)
#define isb()			  ((void)0)

#endif
