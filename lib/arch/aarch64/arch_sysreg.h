/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers by name (Arm ARM DDI 0487 D19; GIC: IHI 0069 chapter 12). */
#ifndef CW_ARCH_SYSREG_H
#define CW_ARCH_SYSREG_H

#include <stdint.h>

#define sysreg_read(name)                                                                          \
	(__extension__({                                                                           \
		uint64_t value_;                                                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory");                       \
		value_;                                                                            \
	}))

#define sysreg_write(name, value)                                                                  \
	do {                                                                                       \
		uint64_t written_ = (value);                                                       \
		__asm__ volatile("msr " #name ", %0" ::"r"(written_) : "memory");                  \
	} while (0)

#define isb() __asm__ volatile("isb" ::: "memory")

#endif
