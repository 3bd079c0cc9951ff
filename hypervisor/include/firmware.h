/* SPDX-License-Identifier: BSD-2-Clause */
/* What only the emulated machine has: an exit status. Said by the device tree, never assumed. */
#ifndef CW_FIRMWARE_H
#define CW_FIRMWARE_H

/* The machine is QEMU's and listens to semihosting calls: a failure becomes its exit status. */
void firmware_use_semihosting(void);

#endif
