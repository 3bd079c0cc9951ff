/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The injected path: an event is a physical LPI of ours on the core of its vCPU (MAPTI, IHI 0069H
 * 5.3), taken at EL2 and handed to the virtual GIC. Priority, enable and pending order of what the
 * guest sees are the virtual GIC's business; the physical LPI is on while its event is routed, and
 * off while its device is masked for ringing too often.
 */
#include "gic.h"

#include "clock.h"

#define STORM_LIMIT	2000u
#define STORM_WINDOW_NS 10000000ull
#define OUR_PRIORITY	0xa0u

_Static_assert(DEVICES_MAX *IRQ_DEVICE_MAX_EVENTS + LPI_FIRST <= 1u << IRQ_LPI_BITS,
	       "an LPI for every event of every device");

static unsigned slot_of(const struct irq_partition *partition, const struct irq_device *device,
			unsigned event)
{
	return (unsigned)(device - partition->devices) * IRQ_DEVICE_MAX_EVENTS + event;
}

static void command(struct its_batch *batch, const struct irq_device *device, unsigned event,
		    unsigned opcode)
{
	its_batch_add(batch, its_event_command(opcode, device->device, (event_id_t){event}));
}

/* Published with the INV or DISCARD that follows. */
static void set_physical(const struct irq_device *device, unsigned event, bool on)
{
	uint8_t *byte = (uint8_t *)gic.property_table + (device->lpi + event - LPI_FIRST);

	*byte = (uint8_t)(OUR_PRIORITY | LPI_PROPERTY_RES1 | (on ? LPI_PROPERTY_ENABLE : 0));
	gic_clean(byte, 1);
}

static void configure(struct irq_partition *partition, struct irq_device *device, unsigned event)
{
	const struct irq_event *entry = &device->events[event];

	gic.sink.route(partition->owner, slot_of(partition, device, event), entry->vcpu,
		       entry->vlpi, route_property(partition, entry));
}

static unsigned collection_of(const struct irq_partition *partition,
			      const struct irq_device *device, unsigned event)
{
	return partition->vpes[device->events[event].vcpu].core;
}

/* The virtual side first: the LPI may come before this returns. */
static void open(struct irq_partition *partition, struct its_batch *batch,
		 struct irq_device *device, unsigned event)
{
	configure(partition, device, event);
	set_physical(device, event, !gic_device_of(device)->masked);
	its_batch_add(batch, its_mapti(device->device, (event_id_t){event}, device->lpi + event,
				       collection_of(partition, device, event)));
	command(batch, device, event, ITS_INV);
}

/* And first again: one that is being taken right now finds that it stands for nothing. */
static void close(struct irq_partition *partition, struct its_batch *batch,
		  struct irq_device *device, unsigned event)
{
	gic.sink.route(partition->owner, slot_of(partition, device, event), 0, 0, 0);
	set_physical(device, event, false);
	command(batch, device, event, ITS_DISCARD);
}

static void move(struct irq_partition *partition, struct its_batch *batch,
		 struct irq_device *device, unsigned event)
{
	configure(partition, device, event);
	its_batch_add(batch, its_movi(device->device, (event_id_t){event},
				      collection_of(partition, device, event)));
}

/* CLEAR: what the redistributor has first, then what was taken from it before. */
static void signal(struct irq_partition *partition, struct its_batch *batch,
		   struct irq_device *device, unsigned event, unsigned opcode)
{
	if (opcode == ITS_INV) {
		return; /* of the guest's byte, which no hardware reads */
	}
	command(batch, device, event, opcode);
	if (opcode == ITS_CLEAR && routes_finish(partition, batch) == STATUS_OK) {
		gic.sink.pend(partition->owner, slot_of(partition, device, event), false);
	}
}

static void invalidate(struct irq_partition *partition, struct its_batch *batch, unsigned vcpu)
{
	(void)partition;
	(void)batch;
	(void)vcpu;
}

static void sync(struct irq_partition *partition, struct its_batch *batch, unsigned vcpu)
{
	its_batch_add(batch, its_sync(gic.cores[partition->vpes[vcpu].core].rdbase));
}

const struct irq_path irq_injected = {
	.open = open,
	.close = close,
	.move = move,
	.configure = configure,
	.signal = signal,
	.invalidate = invalidate,
	.sync = sync,
};

/* --- storms: each interrupt costs EL2 time, so a device has so many in a window -----------------
 */

/* What rings while it is off stays pending in the redistributor, once for each event. */
static void set_masked(struct gic_device *source, bool masked)
{
	struct irq_partition *partition = source->partition;
	struct irq_device *device = &partition->devices[source->place];
	struct its_batch batch;

	source->masked = masked;
	its_batch_start(&batch);
	for (unsigned n = 0; n < IRQ_DEVICE_MAX_EVENTS; n++) {
		if (device->events[n].routed) {
			set_physical(device, n, !masked);
			command(&batch, device, n, ITS_INV);
			batch.vcpus |= 1u << device->events[n].vcpu;
		}
	}
	/* An ITS that fails has said so, and delivers nothing. */
	(void)!routes_finish(partition, &batch);
}

/* Unmasks what is due on this core; the alarm is set for what is due next. */
void irq_route_alarm(unsigned core)
{
	uint64_t now = clock_ns(), next = UINT64_MAX;

	for (unsigned i = 0; i < DEVICES_MAX; i++) {
		struct gic_device *source = &gic_devices[i];

		if (!__atomic_load_n(&source->bound, __ATOMIC_ACQUIRE) || source->core != core) {
			continue;
		}
		struct irq_partition *partition = source->partition;

		lock_acquire(&partition->lock);
		if (source->bound && source->partition == partition && source->masked) {
			if (source->until <= now) {
				set_masked(source, false);
			} else if (source->until < next) {
				next = source->until;
			}
		}
		lock_release(&partition->lock);
	}
	if (next != UINT64_MAX) {
		gic.sink.alarm(next - now);
	}
}

/* STORM_LIMIT more have come; within the window that is too many. */
static void count_window(struct gic_device *source, unsigned core)
{
	struct irq_partition *partition = source->partition;
	uint64_t now = clock_ns();
	bool storm;

	lock_acquire(&partition->lock);
	storm = source->bound && source->partition == partition && !source->masked &&
		now - source->since < STORM_WINDOW_NS;
	source->since = now;
	if (storm) {
		source->until = now + STORM_WINDOW_NS;
		source->core = core;
		partition->counters.storms++;
		set_masked(source, true);
	}
	lock_release(&partition->lock);
	if (storm) {
		gic.sink.storm(partition->owner, source->device);
		irq_route_alarm(core);
	}
}

void irq_route_taken(unsigned core, uint32_t intid)
{
	uint32_t number = intid - LPI_FIRST;
	struct gic_device *source = &gic_devices[number / IRQ_DEVICE_MAX_EVENTS % DEVICES_MAX];

	if (number >= DEVICES_MAX * IRQ_DEVICE_MAX_EVENTS ||
	    !__atomic_load_n(&source->bound, __ATOMIC_ACQUIRE)) {
		return; /* its device has just been taken away */
	}
	gic.sink.pend(source->partition->owner,
		      source->place * IRQ_DEVICE_MAX_EVENTS + number % IRQ_DEVICE_MAX_EVENTS, true);

	uint32_t taken = __atomic_load_n(&source->taken, __ATOMIC_RELAXED) + 1;

	__atomic_store_n(&source->taken, taken == STORM_LIMIT ? 0 : taken, __ATOMIC_RELAXED);
	if (taken == STORM_LIMIT) {
		count_window(source, core);
	}
}
