/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct path: an event is a virtual LPI of a vPE (IHI 0069H chapter 6). The configuration byte
 * the GIC reads is ours (5.1): the guest's priority and enable, copied when an event is routed and
 * at INV and INVALL, and 0 while its vCPU's LPIs are off.
 */
#include "gic.h"

static uint64_t vpe_operand(const struct irq_partition *partition, unsigned slot)
{
	return field_prep(ITS_W1_VPE, partition->vpes[partition->events[slot].vcpu].id);
}

/* INV: the byte may be cached, also from an earlier mapping of this INTID. */
static void configure(struct irq_partition *partition, unsigned slot)
{
	const struct irq_event *entry = &partition->events[slot];
	uint8_t *ours = (uint8_t *)partition->property_table + (entry->vlpi - LPI_FIRST);

	*ours = (uint8_t)(route_property(partition, entry) | LPI_PROPERTY_RES1);
	gic_clean(ours, 1); /* published with the commands, which are sent later */
	route_command(partition, slot, ITS_INV, 0, 0);
}

static void open(struct irq_partition *partition, unsigned slot)
{
	route_command(partition, slot, ITS_VMAPTI, vpe_operand(partition, slot),
		      field_prep(ITS_W2_VINTID, partition->events[slot].vlpi) |
			      field_prep(ITS_W2_DOORBELL, LPI_NO_DOORBELL));
	configure(partition, slot);
}

/* The other vCPU's LPIs may be off: the byte changes, too. D = 0: the doorbell stays. */
static void move(struct irq_partition *partition, unsigned slot)
{
	route_command(partition, slot, ITS_VMOVI, vpe_operand(partition, slot), 0);
	configure(partition, slot);
}

const struct irq_path irq_direct = {
	.open = open,
	.move = move,
	.configure = configure,
};
