/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device that holds its interrupt line down for ever: edu's stays low until its driver says so.
 * The guest ends each interrupt and leaves the device alone; then it does not even end them.
 */
#include "attack.h"

#include "guest_map.h"
#include "sysreg.h"

#define INTERRUPT_PIN 0x3d
#define SETTLE_NS     5000000ull
#define NONE	      1023u

REG32(EDU_RAISE, 0x60);
REG32(EDU_ACK, 0x64);
REG32(GICD_IGROUPR1, 0x0084);
REG32(GICD_ISENABLER1, 0x0104);
REG32(GICD_ICENABLER1, 0x0184);
REG32(GICD_IPRIORITYR8, 0x0420);
#define BELOW_THE_TIMER 0xd0d0d0d0u /* which can end a sleep, whatever line is active */

static mmio_t edu;

static void hold_line(bool down)
{
	mmio_write32(edu, down ? EDU_RAISE : EDU_ACK, 1);
}

/* What its slot and pin lead to in the guest's own interrupt-map. */
static uint32_t own_line(const struct pci_device *pci)
{
	unsigned pin = pci_read(pci, INTERRUPT_PIN, 1);

	return pin ? 32 + GUEST_INTX_SPI + ((pci->devfn >> 3) + pin - 1) % GUEST_INTX_LINES : 0;
}

/* Acknowledged, and never ended: nothing else can come of this line. */
static void never_ended(uint32_t line)
{
	uint32_t first = (uint32_t)sysreg_read("s3_0_c12_c12_0"), other;

	clock_sleep_ns(SETTLE_NS);
	other = irq_take();
	report("never-ended", first == line && other == NONE ? "ok" : "failed", "first=%u other=%u",
	       first, other);
	sysreg_write("s3_0_c12_c12_1", first);
}

void attack_stuck_line(void)
{
	const mmio_t distributor = {GUEST_GICD_BASE};
	unsigned times = (unsigned)boot_number("times", 5000), taken = 0;
	uint32_t line, found;

	if (!engine_start() || !engine_control("control-before")) {
		return;
	}
	edu.base = engine()->bar;
	line = own_line(&engine()->pci);
	if (!line) {
		outcome("pin", "missing");
		return;
	}
	mmio_write32(distributor, GICD_IGROUPR1, ~0u);
	mmio_write32(distributor, reg32_nth(GICD_IPRIORITYR8, (line - 32) / 4, 4), BELOW_THE_TIMER);
	mmio_write32(distributor, GICD_ISENABLER1, 1u << (line - 32));

	hold_line(true);
	clock_sleep_ns(SETTLE_NS);
	found = irq_take();
	hold_line(false);
	clock_sleep_ns(SETTLE_NS);
	irq_poll(); /* the line was still down when the first one ended */
	report("own-event-line", found == line && irq_take() == NONE ? "ok" : "failed", "intid=%u",
	       found);

	hold_line(true);
	clock_sleep_ns(SETTLE_NS);
	for (unsigned i = 0; i < times; i++) {
		taken += irq_take() == line;
	}
	report("stuck", "issued", "line=%u taken=%u of=%u", line, taken, times);
	never_ended(line);
	mmio_write32(distributor, GICD_ICENABLER1, 1u << (line - 32));
	engine_control("control-after"); /* and the line is left down */
	report("left", "issued", "irqs=%u", irq_count_all());
}
