/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LPIs of the own device, as the architecture has them, whichever path they take: order, merging,
 * disabling, clearing; and F25, what is left of them in the next life.
 */
#include "attack.h"

#define EVENTS	    12u /* more than there are list registers, on QEMU */
#define ITS_INT	    3u
#define ITS_CLEAR   4u
#define ITS_DISCARD 15u
#define ENABLED	    3u /* and RES1 */
#define SETTLE_NS   2000000ull
#define MARK	    0x1a5711feu

static device_id_t device;

static uint32_t lpi_of(unsigned event)
{
	return LPI_FIRST + event;
}

static enum status signal(unsigned opcode, unsigned event)
{
	return its_event(opcode, device, (event_id_t){event});
}

static enum status configure(unsigned event, unsigned priority, bool enabled)
{
	return its_configure_event(device, (event_id_t){event}, lpi_of(event),
				   (uint8_t)(priority | (enabled ? ENABLED : ENABLED - 1)));
}

static bool map_all(void)
{
	enum status status = STATUS_OK;

	device = pci_device_id(&engine()->pci);
	for (unsigned i = 0; i < EVENTS && status == STATUS_OK; i++) {
		status = its_map_event(device, (event_id_t){i}, lpi_of(i));
	}
	return status == STATUS_OK;
}

/* What has arrived since the last call, and arrives within a while. */
static unsigned drain(void)
{
	static uint32_t seen;
	uint32_t before = seen;

	clock_sleep_ns(SETTLE_NS); /* takes interrupts, too */
	seen = irq_count_all();
	return seen - before;
}

static void expect(const char *step, bool ok, unsigned got, unsigned wanted)
{
	report(step, ok && got == wanted ? "ok" : "failed", "irqs=%u", got);
}

/* The least urgent first; they are taken by priority. */
static void by_priority(void)
{
	bool ok = true, sorted = true;
	unsigned got = 0;

	for (unsigned i = 0; i < EVENTS; i++) {
		ok &= configure(i, 0xe0 - 0x10 * i, true) == STATUS_OK;
	}
	for (unsigned i = 0; i < EVENTS; i++) {
		ok &= signal(ITS_INT, i) == STATUS_OK;
	}
	for (uint32_t intid; got < 2 * EVENTS && (intid = irq_take()) != 1023; got++) {
		sorted &= intid == lpi_of(EVENTS - 1 - got);
	}
	expect("order", ok && sorted && got == EVENTS, drain(), EVENTS);
}

static void once(void)
{
	bool ok = true;

	for (unsigned i = 0; i < 3; i++) {
		ok &= signal(ITS_INT, 2) == STATUS_OK;
	}
	expect("twice-is-once", ok, drain(), 1);
	ok = signal(ITS_INT, 2) == STATUS_OK;
	expect("again", ok, drain(), 1);
}

/* Disabled before it comes, and while it is pending; held, not lost. */
static void disabled(void)
{
	bool ok = configure(3, 0xa0, false) == STATUS_OK && signal(ITS_INT, 3) == STATUS_OK;

	expect("disabled", ok, drain(), 0);
	ok = configure(3, 0xa0, true) == STATUS_OK;
	expect("enabled", ok, drain(), 1);
	ok = signal(ITS_INT, 3) == STATUS_OK && configure(3, 0xa0, false) == STATUS_OK;
	expect("disabled-pending", ok, drain(), 0);
	ok = configure(3, 0xa0, true) == STATUS_OK;
	expect("enabled-pending", ok, drain(), 1);
}

/* All of them pending, some in list registers and some not; none is left. */
static void gone(const char *step, unsigned opcode)
{
	bool ok = true;

	for (unsigned i = 0; i < EVENTS; i++) {
		ok &= signal(ITS_INT, i) == STATUS_OK;
	}
	for (unsigned i = 0; i < EVENTS; i++) {
		ok &= signal(opcode, i) == STATUS_OK;
	}
	expect(step, ok, drain(), 0);
}

void attack_lpis(void)
{
	bool ok;

	if (!interrupts_start() || !map_all()) {
		outcome("start", "failed");
		return;
	}
	drain();
	by_priority();
	once();
	disabled();
	gone("cleared", ITS_CLEAR);
	gone("discarded", ITS_DISCARD);
	ok = map_all();
	expect("mapped-again", ok, drain(), 0);
	ok = signal(ITS_INT, 5) == STATUS_OK;
	expect("after-all", ok, drain(), 1);
	/* Two events, one LPI. */
	ok = its_map_event(device, (event_id_t){6}, lpi_of(5)) == STATUS_OK &&
	     signal(ITS_INT, 5) == STATUS_OK && signal(ITS_INT, 6) == STATUS_OK;
	expect("one-lpi", ok, drain(), 1);
	interrupts_control("own-event-after");
}

/* F25: everything pending, then a restart; edu's buffer tells the second life that it is one. */
void attack_pending_reset(void)
{
	bool ok = true;

	if (!interrupts_start()) {
		return;
	}
	if (engine_remembered() == MARK) {
		ok = map_all();
		clock_sleep_ns(SETTLE_NS);
		expect("second-life", ok, irq_count_all(), 0);
		interrupts_control("own-event-after");
		return;
	}
	interrupts_control("own-event-before");
	ok = map_all() && engine_remember(MARK) == STATUS_OK;
	for (unsigned i = 0; i < EVENTS; i++) {
		ok &= signal(ITS_INT, i) == STATUS_OK;
	}
	outcome("pending", ok && engine_ring() ? "ok" : "failed");
	power_reset();
}
