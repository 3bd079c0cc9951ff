/* SPDX-License-Identifier: BSD-2-Clause */
#include "console.h"

#include "arch.h"
#include "bits.h"
#include "log.h"
#include "partition.h"
#include "vuart.h"

/* PL011 (Arm DDI 0183). */
REG32(UARTDR, 0x00);
REG32(UARTFR, 0x18);
REG32(UARTLCR_H, 0x2c);
REG32(UARTCR, 0x30);
REG32(UARTIMSC, 0x38);
REG32(UARTICR, 0x44);
#define FR_RX_EMPTY	BIT(4)
#define FR_TX_FULL	BIT(5)
#define LCR_H_8BIT_FIFO BITS(6, 4)
#define CR_ON		(BIT(0) | BIT(8) | BIT(9))
#define INT_RX		(BIT(4) | BIT(6))

#define ESCAPE		0x14	/* Ctrl-T */
#define TX_SPINS	1000000 /* far longer than a FIFO takes to drain */
#define RX_BURST	4096	/* bytes in one interrupt */

static mmio_t uart;
static struct lock lock;
static unsigned focus;	/* partition that gets the input */
static char escape_key; /* Ctrl-T, or a command that waits for a digit */

void console_init(mmio_t frame)
{
	uart = frame;
	mmio_write32(uart, UARTIMSC, 0);
	mmio_write32(uart, UARTLCR_H, (uint32_t)LCR_H_8BIT_FIFO);
	mmio_write32(uart, UARTCR, (uint32_t)CR_ON);
}

void console_enable_input(void)
{
	mmio_write32(uart, UARTICR, (uint32_t)INT_RX);
	mmio_write32(uart, UARTIMSC, (uint32_t)INT_RX);
	console_input(); /* what waits already may never ring */
}

static void put(char c)
{
	for (unsigned spins = 0; spins < TX_SPINS; spins++) {
		if (!(mmio_read32(uart, UARTFR) & FR_TX_FULL)) {
			mmio_write32(uart, UARTDR, (uint8_t)c);
			return;
		}
	}
}

static void put_text(const char *text)
{
	for (; *text; text++) {
		put(*text);
	}
}

void console_line(const char *owner, const char *text)
{
	if (!uart.base) {
		return;
	}
	lock_acquire(&lock);
	put_text(owner);
	put_text("| ");
	put_text(text);
	put_text("\r\n");
	lock_release(&lock);
}

void log_sink(const char *line)
{
	console_line("hv", line);
}

/* A digit after Ctrl-T, or after Ctrl-T and r. */
static void choose(unsigned number, bool reset)
{
	if (number >= partition_count) {
		return;
	}
	if (reset) {
		log_info("%s: reset from the console", partitions[number].config->name);
		partition_request(&partitions[number], REQUEST_RESET);
	} else {
		focus = number;
		log_info("input -> %s", partitions[number].config->name);
	}
}

static void command(char key)
{
	escape_key = 0;
	switch (key) {
	case 's':
		report_print();
		break;
	case 'd':
		partition_hooks.dump();
		break;
	case 'r':
		escape_key = key;
		break;
	case 'q':
		log_info("powered off from the console");
		firmware_power_off(false);
	case 'h':
		log_info("Ctrl-T then: 0-%u input to that partition, s report, d PCI, r0-r%u "
			 "reset, q power off",
			 partition_count - 1, partition_count - 1);
		break;
	default:
		choose((unsigned)(key - '0'), false);
		break;
	}
}

static void input_byte(char byte)
{
	if (escape_key == 'r') {
		escape_key = 0;
		choose((unsigned)(byte - '0'), true);
	} else if (escape_key) {
		command(byte);
	} else if (byte == ESCAPE) {
		escape_key = ESCAPE;
	} else if (focus < partition_count) {
		vuart_flush_idle(&partitions[focus], 0);
		(void)vuart_input(&partitions[focus], (uint8_t)byte); /* full: lost, as on a wire */
	}
}

void console_input(void)
{
	mmio_write32(uart, UARTICR,
		     (uint32_t)INT_RX); /* first: a byte that comes now rings again */
	for (unsigned i = 0; i < RX_BURST && !(mmio_read32(uart, UARTFR) & FR_RX_EMPTY); i++) {
		input_byte((char)mmio_read32(uart, UARTDR));
	}
}
