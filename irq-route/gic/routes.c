/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events on the physical ITS. An event is routed while the guest has mapped it, its collection and
 * its ITS: opened when the last of these comes, closed when the first goes. How, is the partition's
 * path's. Every device named here is bound to the partition, every vCPU is its own: callers pass
 * indices into its tables.
 */
#include "gic.h"

#include <string.h>

static void touched(struct irq_partition *partition, unsigned vcpu)
{
	partition->batch->vcpus |= 1u << vcpu;
}

/* 0, disabled, when the guest's table does not reach so far or is not in its RAM. */
static uint8_t guest_property(const struct irq_partition *partition, uint32_t vlpi)
{
	const struct guest_memory *memory = &partition->memory;
	unsigned bits = (unsigned)field_get(GICR_PROP_ID_BITS, partition->propbaser) + 1;
	ipa_t at = {(partition->propbaser & GICR_PROP_ADDRESS) + (vlpi - LPI_FIRST)};
	const volatile void *byte;

	if (bits < IRQ_LPI_BITS && vlpi >> bits) {
		return 0;
	}
	byte = memory->at(memory->context, at, 1);
	return byte ? guest_read8(byte) : 0;
}

uint8_t route_property(const struct irq_partition *partition, const struct irq_event *event)
{
	uint8_t value =
		partition->lpis_enabled[event->vcpu] ? guest_property(partition, event->vlpi) : 0;

	return value & (LPI_PROPERTY_PRIORITY | LPI_PROPERTY_ENABLE);
}

void route_open(struct irq_partition *partition, struct irq_device *device, unsigned event)
{
	struct irq_event *entry = &device->events[event];

	entry->vcpu = partition->collections[entry->collection].vcpu;
	entry->routed = true;
	touched(partition, entry->vcpu);
	partition->path->open(partition, device, event);
}

void route_close(struct irq_partition *partition, struct irq_device *device, unsigned event)
{
	if (device->events[event].routed) {
		touched(partition, device->events[event].vcpu);
		partition->path->close(partition, device, event);
		device->events[event].routed = false;
	}
}

void route_move(struct irq_partition *partition, struct irq_device *device, unsigned event,
		unsigned vcpu)
{
	struct irq_event *entry = &device->events[event];

	if (entry->vcpu == vcpu) {
		return;
	}
	touched(partition, entry->vcpu);
	touched(partition, vcpu);
	entry->vcpu = (uint8_t)vcpu;
	partition->path->move(partition, device, event);
}

void route_signal(struct irq_partition *partition, struct irq_device *device, unsigned event,
		  unsigned opcode)
{
	touched(partition, device->events[event].vcpu);
	partition->path->signal(partition, device, event, opcode);
}

void route_configure(struct irq_partition *partition, struct irq_device *device, unsigned event)
{
	touched(partition, device->events[event].vcpu);
	partition->path->configure(partition, device, event);
}

void route_reload_vcpu(struct irq_partition *partition, unsigned vcpu)
{
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		struct irq_device *device = &partition->devices[i];

		for (unsigned n = 0; n < IRQ_DEVICE_MAX_EVENTS; n++) {
			if (device->events[n].routed && device->events[n].vcpu == vcpu) {
				route_configure(partition, device, n);
			}
		}
	}
}

void routes_close_device(struct irq_partition *partition, struct irq_device *device)
{
	/* None beyond can be mapped (vits_event_allowed()); of a place without a device, none. */
	for (unsigned n = 0; n < device->event_limit; n++) {
		route_close(partition, device, n);
	}
}

void routes_close_all(struct irq_partition *partition)
{
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		routes_close_device(partition, &partition->devices[i]);
	}
}

void routes_open_all(struct irq_partition *partition)
{
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		struct irq_device *device = &partition->devices[i];

		for (unsigned n = 0; n < IRQ_DEVICE_MAX_EVENTS; n++) {
			const struct irq_event *entry = &device->events[n];

			if (entry->mapped && !entry->routed &&
			    partition->collections[entry->collection].mapped) {
				route_open(partition, device, n);
			}
		}
	}
}

void routes_forget_device(struct irq_device *device)
{
	device->enabled = false;
	memset(device->events, 0, sizeof(device->events));
}

void routes_forget(struct irq_partition *partition)
{
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		routes_forget_device(&partition->devices[i]);
	}
}

enum status routes_finish(struct irq_partition *partition)
{
	for (unsigned vcpu = 0; vcpu < partition->vcpus; vcpu++) {
		if (partition->batch->vcpus & (1u << vcpu)) {
			partition->path->sync(partition, vcpu);
		}
	}
	partition->batch->vcpus = 0;
	return its_batch_run(partition->batch);
}
