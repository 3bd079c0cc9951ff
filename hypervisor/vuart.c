/* SPDX-License-Identifier: BSD-2-Clause */
#include "vuart.h"

#include <string.h>

#include "bits.h"
#include "clock.h"
#include "console.h"
#include "partition.h"

#define UARTDR	    0x00
#define UARTFR	    0x18
#define UARTIBRD    0x24 /* the first setting */
#define UARTRIS	    0x3c
#define UARTMIS	    0x40
#define UARTICR	    0x44
#define UARTID	    0xfe0 /* eight identification registers */

#define FR_TX_EMPTY BIT(7)
#define FR_RX_EMPTY BIT(4)
#define INT_RX	    BIT(4)
#define INT_TX	    BIT(5)
#define INT_RX_WAIT BIT(6) /* receive time-out: bytes wait */

/* What a guest finds, from UARTIBRD on, a word each. What it sets is its own; only IMSC counts. */
static const uint16_t settings[VUART_SETTINGS] = {
	[3] = 0x300 /* UARTCR */, [4] = 0x12 /* UARTIFLS */};
#define IMSC 5

static const uint8_t identification[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

/* With the lock held, so that the line follows the registers in order. */
static void update(struct partition *partition)
{
	struct vuart *uart = &partition->uart;

	vgic_set_bit(&uart->raw, INT_RX | INT_RX_WAIT, uart->head != uart->tail);
	vgic_set_line(partition, 32 + GUEST_UART_SPI, uart->raw & uart->settings[IMSC]);
}

void vuart_reset(struct partition *partition)
{
	struct vuart *uart = &partition->uart;

	lock_acquire(&uart->lock);
	uart->head = uart->tail = uart->used = 0;
	uart->raw = 0;
	for (unsigned i = 0; i < VUART_SETTINGS; i++) {
		uart->settings[i] = settings[i];
	}
	update(partition); /* input that came after the virtual GIC's reset has raised the line */
	lock_release(&uart->lock);
}

/* The setting at `offset`, or NULL. */
static uint32_t *setting_at(struct vuart *uart, uint64_t offset)
{
	uint64_t index = (offset - UARTIBRD) / 4;

	return index < VUART_SETTINGS ? &uart->settings[index] : NULL;
}

static uint32_t register_read(struct vuart *uart, uint64_t offset)
{
	const uint32_t *setting = setting_at(uart, offset);

	switch (offset) {
	case UARTDR:
		return uart->head == uart->tail ? 0 : uart->input[uart->tail++ % VUART_INPUT];
	case UARTFR:
		return (uint32_t)(FR_TX_EMPTY | (uart->head == uart->tail ? FR_RX_EMPTY : 0));
	case UARTRIS:
		return uart->raw;
	case UARTMIS:
		return uart->raw & uart->settings[IMSC];
	default:
		break;
	}
	if (offset >= UARTID && offset < UARTID + 32) {
		return identification[(offset - UARTID) / 4];
	}
	return setting ? *setting : 0;
}

static void flush(struct partition *partition)
{
	struct vuart *uart = &partition->uart;

	uart->line[uart->used] = '\0';
	uart->used = 0;
	console_line(partition->config->name, uart->line);
}

/* A guest's bytes must not move the cursor or end a line: colours and tabs are all that passes. */
static bool is_printable(uint8_t byte)
{
	return (byte >= ' ' && byte != 0x7f) || byte == '\t' || byte == 0x1b;
}

static void put_byte(struct partition *partition, uint8_t byte)
{
	struct vuart *uart = &partition->uart;

	uart->raw |= INT_TX;
	uart->last_output_ns = clock_ns();
	if (byte == '\n') {
		flush(partition);
	} else if (is_printable(byte)) {
		uart->line[uart->used++] = (char)byte;
		if (uart->used == VUART_LINE) {
			flush(partition);
		}
	}
}

static void register_write(struct partition *partition, uint64_t offset, uint32_t value)
{
	struct vuart *uart = &partition->uart;
	uint32_t *setting = setting_at(uart, offset);

	if (offset == UARTDR) {
		put_byte(partition, (uint8_t)value);
	} else if (offset == UARTICR) {
		uart->raw &= ~value;
	} else if (setting) {
		*setting = value & 0xffff;
	}
}

uint64_t vuart_read(void *context, uint64_t offset, unsigned size)
{
	struct partition *partition = context;

	(void)size;
	lock_acquire(&partition->uart.lock);
	uint32_t value = register_read(&partition->uart, offset & ~3ull);
	update(partition);
	lock_release(&partition->uart.lock);
	return value;
}

void vuart_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct partition *partition = context;

	(void)size;
	lock_acquire(&partition->uart.lock);
	register_write(partition, offset & ~3ull, (uint32_t)value);
	update(partition);
	lock_release(&partition->uart.lock);
}

bool vuart_input(struct partition *partition, uint8_t byte)
{
	struct vuart *uart = &partition->uart;

	lock_acquire(&uart->lock);
	bool room = uart->head - uart->tail < VUART_INPUT;

	if (room) {
		uart->input[uart->head++ % VUART_INPUT] = byte;
	}
	update(partition);
	lock_release(&uart->lock);
	return room;
}

void vuart_flush_idle(struct partition *partition, uint64_t idle_ns)
{
	struct vuart *uart = &partition->uart;

	if (!uart->used) {
		return;
	}
	lock_acquire(&uart->lock);
	if (uart->used && clock_ns() - uart->last_output_ns >= idle_ns) {
		flush(partition);
	}
	lock_release(&uart->lock);
}
