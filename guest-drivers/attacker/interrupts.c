/* SPDX-License-Identifier: BSD-2-Clause */
/* Forged message interrupts: F15, F16. Only event 0 of the own device is mapped, to LPI_FIRST. */
#include "attack.h"

#define SETTLE_NS 5000000ull
#define UNMAPPED  9u

static bool prepare(void)
{
	device_id_t device;

	if (!engine_start() || !engine_control("control-before")) {
		return false;
	}
	device = pci_device_id(&engine()->pci);
	if (its_start() != STATUS_OK || its_map_device(device, 5) != STATUS_OK ||
	    its_map_event(device, (event_id_t){0}, LPI_FIRST) != STATUS_OK) {
		outcome("its", "failed");
		return false;
	}
	return true;
}

/* How many interrupts of any kind arrived since `before`. */
static unsigned arrived(uint32_t before)
{
	clock_sleep_ns(SETTLE_NS);
	return irq_count_all() - before;
}

static void own_event(const char *step)
{
	uint32_t all = irq_count_all(), mine = irq_count(LPI_FIRST);
	enum status status = engine_interrupt(DOORBELL, 0);
	unsigned irqs = arrived(all);

	report(step,
	       status == STATUS_OK && irqs == 1 && irq_count(LPI_FIRST) == mine + 1 ? "ok"
										    : "failed",
	       "irqs=%u", irqs);
}

static void by_message(const char *step, uint64_t address, uint32_t event)
{
	uint32_t before = irq_count_all();
	enum status status = engine_interrupt(address, event);
	unsigned irqs = arrived(before);

	report(step, irqs ? "delivered" : "dropped", "event=%u irqs=%u sent=%u", event, irqs,
	       status == STATUS_OK);
}

static void by_dma(uint32_t event)
{
	uint32_t before = irq_count_all();
	bool sent = engine_store_word(DOORBELL, event);
	unsigned irqs = arrived(before);

	report("dma",
	       !sent  ? "unsupported"
	       : irqs ? "delivered"
		      : "dropped",
	       "event=%u irqs=%u", event, irqs);
}

void attack_doorbell_dma(void)
{
	if (!prepare()) {
		return;
	}
	own_event("own-event-before");
	by_dma(UNMAPPED);
	by_dma(~0u);
	by_message("message", DOORBELL, UNMAPPED);
	by_message("message", DOORBELL, 0xffff);
	/* Elsewhere in the doorbell's page, and an address that is no doorbell at all. */
	by_message("beside", DOORBELL - 0x40, UNMAPPED);
	by_message("elsewhere", 0x08080000, 0);
	own_event("own-event-after");
	engine_control("control-after");
}

/* `events` by message (the device's own id), `slow` of them by plain DMA, too. */
void attack_event_sweep(void)
{
	unsigned events = (unsigned)boot_number("events", 1024);
	unsigned slow = (unsigned)boot_number("slow", 16);
	uint32_t before;
	unsigned sent = 0;

	if (!prepare()) {
		return;
	}
	own_event("own-event-before");
	before = irq_count_all();
	for (unsigned event = 1; event < events; event++) {
		sent += engine_interrupt(DOORBELL, event) == STATUS_OK;
	}
	report("message-sweep", arrived(before) ? "delivered" : "dropped", "sent=%u irqs=%u", sent,
	       irq_count_all() - before);
	before = irq_count_all();
	sent = 0;
	for (unsigned event = 0; event < slow; event++) {
		sent += engine_store_word(DOORBELL, event);
	}
	report("dma-sweep", arrived(before) ? "delivered" : "dropped", "sent=%u irqs=%u", sent,
	       irq_count_all() - before);
	own_event("own-event-after");
	engine_control("control-after");
}
