/* SPDX-License-Identifier: BSD-2-Clause */
/* Forged and too many message interrupts: F15, F16, F19 to F21. Only event 0 of the own device is
 * mapped, to LPI_FIRST. */
#include "attack.h"

#define SETTLE_NS 5000000ull
#define UNMAPPED  9u

bool interrupts_start(void)
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

void interrupts_control(const char *step)
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
	bool sent = engine_store_bytes(DOORBELL, event, 4);
	unsigned irqs = arrived(before);

	report("dma",
	       !sent  ? "unsupported"
	       : irqs ? "delivered"
		      : "dropped",
	       "event=%u irqs=%u", event, irqs);
}

void attack_doorbell_dma(void)
{
	if (!interrupts_start()) {
		return;
	}
	interrupts_control("own-event-before");
	by_dma(UNMAPPED);
	by_dma(~0u);
	by_message("message", DOORBELL, UNMAPPED);
	by_message("message", DOORBELL, 0xffff);
	/* Elsewhere in the doorbell's page, and an address that is no doorbell at all. */
	by_message("beside", DOORBELL - 0x40, UNMAPPED);
	by_message("elsewhere", 0x08080000, 0);
	interrupts_control("own-event-after");
	engine_control("control-after");
}

/* `events` by message (the device's own id), `slow` of them by plain DMA, too. */
void attack_event_sweep(void)
{
	unsigned events = (unsigned)boot_number("events", 1024);
	unsigned slow = (unsigned)boot_number("slow", 16);
	uint32_t before;
	unsigned sent = 0;

	if (!interrupts_start()) {
		return;
	}
	interrupts_control("own-event-before");
	before = irq_count_all();
	for (unsigned event = 1; event < events; event++) {
		sent += engine_interrupt(DOORBELL, event) == STATUS_OK;
	}
	report("message-sweep", arrived(before) ? "delivered" : "dropped", "sent=%u irqs=%u", sent,
	       irq_count_all() - before);
	before = irq_count_all();
	sent = 0;
	for (unsigned event = 0; event < slow; event++) {
		sent += engine_store_bytes(DOORBELL, event, 4);
	}
	report("dma-sweep", arrived(before) ? "delivered" : "dropped", "sent=%u irqs=%u", sent,
	       irq_count_all() - before);
	interrupts_control("own-event-after");
	engine_control("control-after");
}

/* F19: no size and no place but an aligned word of the device's own message means anything. */
void attack_doorbell_odd(void)
{
	static const struct {
		unsigned offset, size;
	} odd[] = {{0, 1}, {0, 2},   {0, 3},   {0, 8},	  {0, 16},     {1, 1},
		   {1, 2}, {1, 4},   {2, 2},   {2, 4},	  {3, 1},      {3, 4},
		   {3, 8}, {-4u, 8}, {-1u, 2}, {-8u, 64}, {-0x40u, 64}};

	if (!interrupts_start()) {
		return;
	}
	interrupts_control("own-event-before");
	for (unsigned i = 0; i < ARRAY_SIZE(odd); i++) {
		uint32_t before = irq_count_all();
		uint64_t at = DOORBELL + (uint64_t)(int32_t)odd[i].offset;
		bool sent = engine_store_bytes(at, 0, odd[i].size);
		unsigned irqs = arrived(before);

		report("odd",
		       !sent  ? "unsupported"
		       : irqs ? "delivered"
			      : "dropped",
		       "at=0x%lx size=%u irqs=%u", at, odd[i].size, irqs);
	}
	interrupts_control("own-event-after");
	engine_control("control-after");
}

/* F20, F21: as fast as this CPU can have its device ring, and take what arrives. */
void attack_storm(void)
{
	unsigned times = (unsigned)boot_number("times", 20000);
	uint32_t before;

	if (!interrupts_start()) {
		return;
	}
	interrupts_control("own-event-before");
	before = irq_count_all();
	for (unsigned i = 0; i < times; i++) {
		engine_ring();
		irq_poll();
	}
	report("storm", "issued", "rings=%u irqs=%u", times, irq_count_all() - before);
	clock_sleep_ns(30000000); /* longer than a device stays masked */
	irq_poll();
	interrupts_control("own-event-after");
	engine_control("control-after");
}
