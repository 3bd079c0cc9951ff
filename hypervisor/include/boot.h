/* SPDX-License-Identifier: BSD-2-Clause */
/* From start.S, on the boot core, with the MMU on and .bss zero. */
#ifndef CW_BOOT_H
#define CW_BOOT_H

_Noreturn void boot_main(const void *fdt);

#endif
