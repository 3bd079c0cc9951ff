/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical UART (PL011), shared: whole lines out, each with its owner's name; bytes in, to the
 * partition in focus or, after Ctrl-T, to us. Lock: the innermost of all.
 */
#ifndef CW_CONSOLE_H
#define CW_CONSOLE_H

#include "mmio.h"

void console_init(mmio_t uart);
void console_line(const char *owner, const char *text);
/* Drains the receive FIFO; called on its interrupt, on the boot core. */
void console_input(void);
void console_enable_input(void);

#endif
