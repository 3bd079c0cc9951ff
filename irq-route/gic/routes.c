/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events on the physical ITS. An event is routed while the guest has mapped it, its collection and
 * its ITS: VMAPTI when the last of these comes, DISCARD when the first goes. Every device named
 * here is bound to the partition, every vPE is its own: callers pass indices into its tables.
 *
 * The configuration byte the GIC reads is ours (IHI 0069H 5.1): the guest's priority and enable,
 * copied when an event is routed and at INV and INVALL, and 0 while its vCPU's LPIs are off.
 */
#include "gic.h"

#include <string.h>

static struct irq_vpe *vpe_of(struct irq_partition *partition, unsigned vcpu)
{
	return &partition->vpes[vcpu];
}

static void touched(struct its_batch *batch, unsigned vcpu)
{
	batch->vcpus |= 1u << vcpu;
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

void route_load_property(struct irq_partition *partition, const struct irq_event *event)
{
	uint8_t *ours = (uint8_t *)partition->property_table + (event->vlpi - LPI_FIRST);
	uint8_t value = 0;

	if (partition->lpis_enabled[event->vcpu]) {
		value = guest_property(partition, event->vlpi);
	}
	*ours = (uint8_t)((value & (LPI_PROPERTY_PRIORITY | LPI_PROPERTY_ENABLE)) |
			  LPI_PROPERTY_RES1);
	gic_clean(ours, 1); /* published with the command that follows */
}

void route_open(struct irq_partition *partition, struct its_batch *batch, struct irq_device *device,
		unsigned event)
{
	struct irq_event *entry = &device->events[event];

	entry->vcpu = partition->collections[entry->collection].vcpu;
	entry->routed = true;
	route_load_property(partition, entry);
	its_batch_add(batch, its_vmapti(device->device, (event_id_t){event},
					vpe_of(partition, entry->vcpu)->id, entry->vlpi));
	/* The byte may be cached from an earlier mapping of this INTID. */
	route_signal(partition, batch, device, event, ITS_INV);
}

void route_close(struct irq_partition *partition, struct its_batch *batch,
		 struct irq_device *device, unsigned event)
{
	if (device->events[event].routed) {
		route_signal(partition, batch, device, event, ITS_DISCARD);
		device->events[event].routed = false;
	}
}

void route_move(struct irq_partition *partition, struct its_batch *batch, struct irq_device *device,
		unsigned event, unsigned vcpu)
{
	struct irq_event *entry = &device->events[event];

	if (entry->vcpu == vcpu) {
		return;
	}
	touched(batch, entry->vcpu);
	its_batch_add(batch,
		      its_vmovi(device->device, (event_id_t){event}, vpe_of(partition, vcpu)->id));
	entry->vcpu = (uint8_t)vcpu;
	route_load_property(partition, entry); /* the other vCPU's LPIs may be off */
	route_signal(partition, batch, device, event, ITS_INV);
}

void route_signal(struct irq_partition *partition, struct its_batch *batch,
		  struct irq_device *device, unsigned event, unsigned opcode)
{
	(void)partition;
	its_batch_add(batch, its_event_command(opcode, device->device, (event_id_t){event}));
	touched(batch, device->events[event].vcpu);
}

void route_reload_vcpu(struct irq_partition *partition, struct its_batch *batch, unsigned vcpu)
{
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		for (unsigned n = 0; n < IRQ_DEVICE_MAX_EVENTS; n++) {
			const struct irq_event *entry = &partition->devices[i].events[n];

			if (entry->routed && entry->vcpu == vcpu) {
				route_load_property(partition, entry);
				batch->total++; /* work, too */
			}
		}
	}
	its_batch_add(batch, its_vpe_command(ITS_VINVALL, vpe_of(partition, vcpu)->id));
	touched(batch, vcpu);
}

void routes_close_device(struct irq_partition *partition, struct its_batch *batch,
			 struct irq_device *device)
{
	for (unsigned n = 0; n < IRQ_DEVICE_MAX_EVENTS; n++) {
		route_close(partition, batch, device, n);
	}
}

void routes_close_all(struct irq_partition *partition, struct its_batch *batch)
{
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		routes_close_device(partition, batch, &partition->devices[i]);
	}
}

void routes_open_all(struct irq_partition *partition, struct its_batch *batch)
{
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		struct irq_device *device = &partition->devices[i];

		for (unsigned n = 0; n < IRQ_DEVICE_MAX_EVENTS; n++) {
			const struct irq_event *entry = &device->events[n];

			if (entry->mapped && !entry->routed &&
			    partition->collections[entry->collection].mapped) {
				route_open(partition, batch, device, n);
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

enum status routes_finish(struct irq_partition *partition, struct its_batch *batch)
{
	for (unsigned vcpu = 0; vcpu < partition->vcpus; vcpu++) {
		if (batch->vcpus & (1u << vcpu)) {
			its_batch_add(batch,
				      its_vpe_command(ITS_VSYNC, vpe_of(partition, vcpu)->id));
		}
	}
	batch->vcpus = 0;
	return its_batch_run(batch);
}
