/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers of EL1, by name or as "s3_0_c1_c2_3". A write takes effect before the next line.
 */
#ifndef GUEST_SYSREG_H
#define GUEST_SYSREG_H

#include <stdint.h>

#define sysreg_read(name)                                                                          \
	(__extension__({                                                                           \
		uint64_t value_;                                                                   \
		__asm__ volatile("mrs %0, " name : "=r"(value_)::"memory");                        \
		value_;                                                                            \
	}))
#define sysreg_write(name, value)                                                                  \
	__asm__ volatile("msr " name ", %0\n\tisb" ::"r"((uint64_t)(value)) : "memory")

#endif
