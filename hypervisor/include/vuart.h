/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual PL011 for each partition (Arm DDI 0183): output goes line by line to the shared
 * physical UART with the partition's name in front; input comes from the console's focus.
 * Lock: one for each UART.
 */
#ifndef CW_VUART_H
#define CW_VUART_H

#include <stdbool.h>
#include <stdint.h>

#include "lock.h"

#define VUART_INPUT    1024
#define VUART_LINE     256
#define VUART_SETTINGS 6

struct partition;

struct vuart {
	struct lock lock;
	uint8_t input[VUART_INPUT];
	uint32_t head, tail;		   /* head - tail bytes wait */
	uint32_t settings[VUART_SETTINGS]; /* UARTIBRD to UARTIMSC: kept, and but for the last
					      unused */
	uint32_t raw;			   /* interrupts before the mask */
	char line[VUART_LINE + 1];
	uint32_t used;
	uint64_t last_output_ns;
};

void vuart_reset(struct partition *partition);
uint64_t vuart_read(void *partition, uint64_t offset, unsigned size);
void vuart_write(void *partition, uint64_t offset, unsigned size, uint64_t value);

/* One byte for the guest; false when its buffer is full. Any core. */
bool vuart_input(struct partition *partition, uint8_t byte);

/* Prints a line that was begun and then left alone for a while (a prompt). */
void vuart_flush_idle(struct partition *partition, uint64_t idle_ns);

#endif
