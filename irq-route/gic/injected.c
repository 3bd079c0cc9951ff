/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The injected path: an event is a physical LPI of ours on the core of its vCPU (MAPTI, IHI 0069H
 * 5.3), taken at EL2 and handed to the virtual GIC. Priority, enable and pending order of what the
 * guest sees are the virtual GIC's business; the physical LPI is on while its event is routed, and
 * off while its device is masked for ringing too often. Its INTID says whose it is:
 *   LPI_FIRST + partition * IRQ_PARTITION_SLOTS + slot
 */
#include "gic.h"

#include "clock.h"

#define STORM_LIMIT	2000u
#define STORM_WINDOW_NS 10000000ull
#define OUR_PRIORITY	0xa0u
#define OUR_LPIS	(IRQ_ROUTE_MAX_PARTITIONS * IRQ_PARTITION_SLOTS)

_Static_assert(OUR_LPIS <= GIC_PROPERTY_SIZE, "an LPI for every event of every device");

/* INV or DISCARD follows, and the commands are sent later. */
static void set_physical(const struct irq_partition *partition, unsigned slot, bool on)
{
	uint8_t *byte =
		(uint8_t *)gic.property_table + partition->owner.v * IRQ_PARTITION_SLOTS + slot;

	*byte = (uint8_t)(OUR_PRIORITY | LPI_PROPERTY_RES1 | (on ? LPI_PROPERTY_ENABLE : 0));
	gic_clean(byte, 1);
}

/* The guest's own byte is not read by hardware: the virtual GIC has it. */
static void configure(struct irq_partition *partition, unsigned slot)
{
	const struct irq_event *entry = &partition->events[slot];

	partition->batch->total++; /* work, though no command */
	gic.sink.route(partition->owner, slot, entry->vcpu, entry->vlpi,
		       route_property(partition, entry));
}

static uint64_t collection_of(const struct irq_partition *partition, unsigned slot)
{
	return field_prep(ITS_W2_ICID, partition->vpes[partition->events[slot].vcpu].core);
}

/* The virtual side first: the LPI may come before this returns. */
static void open(struct irq_partition *partition, unsigned slot)
{
	uint64_t lpi = LPI_FIRST + partition->owner.v * IRQ_PARTITION_SLOTS + slot;

	configure(partition, slot);
	set_physical(partition, slot, !slot_device(partition, slot)->masked);
	route_command(partition, slot, ITS_MAPTI, field_prep(ITS_W1_INTID, lpi),
		      collection_of(partition, slot));
	route_command(partition, slot, ITS_INV, 0, 0);
}

/* And first again: one that is being taken right now finds that it stands for nothing. */
static void close(struct irq_partition *partition, unsigned slot)
{
	gic.sink.route(partition->owner, slot, 0, 0, 0);
	set_physical(partition, slot, false);
}

static void move(struct irq_partition *partition, unsigned slot)
{
	configure(partition, slot);
	route_command(partition, slot, ITS_MOVI, 0, collection_of(partition, slot));
}

const struct irq_path irq_injected = {
	.open = open,
	.close = close,
	.move = move,
	.configure = configure,
};

/* --- storms: each interrupt costs EL2 time, so a device has so many in a window -----------------
 */

/* What rings while it is off stays pending in the redistributor, once for each event. */
static void set_masked(struct irq_partition *partition, struct irq_device *device, bool masked)
{
	unsigned first = first_slot(partition, device);

	device->masked = masked;
	for (unsigned slot = first; slot < first + IRQ_DEVICE_MAX_EVENTS; slot++) {
		if (partition->events[slot].routed) {
			set_physical(partition, slot, !masked);
			route_command(partition, slot, ITS_INV, 0, 0);
			partition->batch->vcpus |= 1u << partition->events[slot].vcpu;
		}
	}
	/* An ITS that fails has said so, and delivers nothing. */
	(void)!routes_finish(partition);
}

/* One alarm serves all: who was masked after it was set may ring a little earlier. */
void irq_route_alarm(unsigned core)
{
	for (unsigned i = 0; i < IRQ_ROUTE_MAX_PARTITIONS * IRQ_PARTITION_MAX_DEVICES; i++) {
		struct irq_partition *partition = gic.partitions[i / IRQ_PARTITION_MAX_DEVICES];
		struct irq_device *device;

		if (!partition) {
			continue;
		}
		device = &partition->devices[i % IRQ_PARTITION_MAX_DEVICES];
		if (__atomic_load_n(&device->masked, __ATOMIC_RELAXED)) {
			lock_acquire(&partition->lock);
			if (device->masked && device->masked_by == core) {
				set_masked(partition, device, false);
			}
			lock_release(&partition->lock);
		}
	}
}

/* STORM_LIMIT more have come; within the window that is too many. */
static void count_window(struct irq_partition *partition, struct irq_device *device, unsigned core)
{

	lock_acquire(&partition->lock);

	uint64_t now = clock_ns();
	bool storm = device->bound && !device->masked && now - device->since < STORM_WINDOW_NS;
	device_id_t id = device->device;

	device->since = now;
	if (storm) {
		device->masked_by = core;
		partition->counters.storms++;
		set_masked(partition, device, true);
	}
	lock_release(&partition->lock);
	if (storm) {
		gic.sink.alarm(STORM_WINDOW_NS);
		gic.sink.storm(partition->owner, id);
	}
}

__attribute__((noinline)) static uint32_t limit_reached(unsigned core, uint32_t number)
{
	struct irq_partition *partition = gic.partitions[number / IRQ_PARTITION_SLOTS];

	gic.taken[number / IRQ_DEVICE_MAX_EVENTS] = 0;
	if (partition) {
		count_window(partition, slot_device(partition, number % IRQ_PARTITION_SLOTS), core);
	}
	return number;
}

uint32_t irq_route_taken(unsigned core, uint32_t intid)
{
	uint32_t number = intid - LPI_FIRST;

	if (number < OUR_LPIS && ++gic.taken[number / IRQ_DEVICE_MAX_EVENTS] >= STORM_LIMIT) {
		return limit_reached(core, number);
	}
	return number;
}
