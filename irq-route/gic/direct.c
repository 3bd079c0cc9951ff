/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct path: an event is a virtual LPI of a vPE (IHI 0069H chapter 6). The configuration byte
 * the GIC reads is ours (5.1): the guest's priority and enable, copied when an event is routed and
 * at INV and INVALL, and 0 while its vCPU's LPIs are off.
 */
#include "gic.h"

static uint16_t vpe_of(const struct irq_partition *partition, unsigned vcpu)
{
	return partition->vpes[vcpu].id;
}

static void signal(struct irq_partition *partition, struct irq_device *device, unsigned event,
		   unsigned opcode)
{
	(void)partition;
	its_batch_add(partition->batch,
		      its_event_command(opcode, device->device, (event_id_t){event}));
}

/* INV: the byte may be cached, also from an earlier mapping of this INTID. */
static void configure(struct irq_partition *partition, struct irq_device *device, unsigned event)
{
	const struct irq_event *entry = &device->events[event];
	uint8_t *ours = (uint8_t *)partition->property_table + (entry->vlpi - LPI_FIRST);

	*ours = (uint8_t)(route_property(partition, entry) | LPI_PROPERTY_RES1);
	gic_clean(ours, 1); /* published with the commands, which are sent later */
	signal(partition, device, event, ITS_INV);
}

static void open(struct irq_partition *partition, struct irq_device *device, unsigned event)
{
	const struct irq_event *entry = &device->events[event];

	its_batch_add(partition->batch, its_vmapti(device->device, (event_id_t){event},
						   vpe_of(partition, entry->vcpu), entry->vlpi));
	configure(partition, device, event);
}

static void close(struct irq_partition *partition, struct irq_device *device, unsigned event)
{
	signal(partition, device, event, ITS_DISCARD);
}

/* The other vCPU's LPIs may be off: the byte changes, too. */
static void move(struct irq_partition *partition, struct irq_device *device, unsigned event)
{
	its_batch_add(partition->batch, its_vmovi(device->device, (event_id_t){event},
						  vpe_of(partition, device->events[event].vcpu)));
	configure(partition, device, event);
}

static void sync(struct irq_partition *partition, unsigned vcpu)
{
	its_batch_add(partition->batch, its_vpe_command(ITS_VSYNC, vpe_of(partition, vcpu)));
}

const struct irq_path irq_direct = {
	.open = open,
	.close = close,
	.move = move,
	.configure = configure,
	.signal = signal,
	.sync = sync,
};
