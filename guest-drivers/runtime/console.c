/* SPDX-License-Identifier: BSD-2-Clause */
/* PL011 (DDI 0183), one whole line at a time so that lines of two cores never mix. */
#include "internal.h"
#include "lock.h"

REG32(UARTDR, 0x000);
REG32(UARTFR, 0x018);
REG32(UARTLCR_H, 0x02c);
REG32(UARTCR, 0x030);
#define UARTFR_RXFE   BIT(4)
#define UARTFR_TXFF   BIT(5)
#define UARTLCR_8BITS 0x70u  /* FIFOs on */
#define UARTCR_ON     0x301u /* UARTEN, TXE, RXE */

#define FULL_LIMIT    100000 /* a stuck transmitter loses text rather than the guest */
#define SAY_LINE      240

static const mmio_t uart = {GUEST_UART_BASE};
static struct lock line_lock; /* guards the transmitter from the first to the last byte of a line */

void console_start(void)
{
	mmio_write32(uart, UARTLCR_H, UARTLCR_8BITS);
	mmio_write32(uart, UARTCR, UARTCR_ON);
}

static void put(char c)
{
	for (unsigned i = 0; i < FULL_LIMIT; i++) {
		if (!(mmio_read32(uart, UARTFR) & UARTFR_TXFF)) {
			mmio_write32(uart, UARTDR, (uint8_t)c);
			return;
		}
	}
}

static void put_line(const char *line)
{
	lock_acquire(&line_lock);
	for (; *line; line++) {
		put(*line);
	}
	put('\n');
	lock_release(&line_lock);
}

void say(const char *format, ...)
{
	char line[SAY_LINE + 1];
	va_list arguments;

	va_start(arguments, format);
	format_text(line, sizeof(line), format, arguments);
	va_end(arguments);
	put_line(line);
}

void log_sink(const char *line)
{
	put_line(line);
}

int console_poll(void)
{
	if (mmio_read32(uart, UARTFR) & UARTFR_RXFE) {
		return -1;
	}
	return (int)(mmio_read32(uart, UARTDR) & 0xff);
}
