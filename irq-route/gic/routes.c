/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events on the physical ITS. An event is routed while the guest has mapped it, its collection and
 * its ITS: opened when the last of these comes, closed when the first goes. How, is the partition's
 * path's. Every slot named here is a bound device's, every vCPU the partition's own: callers pass
 * indices into its tables.
 */
#include "gic.h"

#include <string.h>

#define STEP_SLOTS 8u /* of IRQ_DEVICE_MAX_EVENTS, a divisor */

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

void route_command(struct irq_partition *partition, unsigned slot, unsigned opcode,
		   uint64_t operand, uint64_t target)
{
	struct its_command command = its_event_command(opcode, slot_device(partition, slot)->device,
						       (event_id_t){slot % IRQ_DEVICE_MAX_EVENTS});

	command.word[1] |= operand;
	command.word[2] |= target;
	its_batch_add(partition->batch, command);
}

void route_close(struct irq_partition *partition, unsigned slot)
{
	if (partition->events[slot].routed) {
		touched(partition, partition->events[slot].vcpu);
		if (partition->path->close) {
			partition->path->close(partition, slot);
		}
		route_command(partition, slot, ITS_DISCARD, 0, 0);
		partition->events[slot].routed = false;
	}
}

void route_move(struct irq_partition *partition, unsigned slot, unsigned vcpu)
{
	struct irq_event *entry = &partition->events[slot];

	if (entry->vcpu == vcpu) {
		return;
	}
	touched(partition, entry->vcpu);
	touched(partition, vcpu);
	entry->vcpu = (uint8_t)vcpu;
	partition->path->move(partition, slot);
}

void route_update(struct irq_partition *partition, unsigned slot)
{
	struct irq_event *entry = &partition->events[slot];
	const struct irq_collection *target = &partition->collections[entry->collection];

	if (!entry->mapped || !target->mapped) {
		route_close(partition, slot);
	} else if (entry->routed) {
		route_move(partition, slot, target->vcpu);
	} else {
		entry->vcpu = target->vcpu;
		entry->routed = true;
		touched(partition, entry->vcpu);
		partition->path->open(partition, slot);
	}
}

void route_signal(struct irq_partition *partition, unsigned slot, unsigned opcode)
{
	touched(partition, partition->events[slot].vcpu);
	route_command(partition, slot, opcode, 0, 0);
	/* What the redistributor had is gone; then what was taken from it before. */
	if (partition->why_injected && opcode == ITS_CLEAR &&
	    routes_finish(partition) == STATUS_OK) {
		gic.sink.clear(partition->owner, slot);
	}
}

void route_configure(struct irq_partition *partition, unsigned slot)
{
	touched(partition, partition->events[slot].vcpu);
	partition->path->configure(partition, slot);
}

void route_reload_vcpu(struct irq_partition *partition, unsigned vcpu)
{
	for (unsigned slot = 0; slot < IRQ_PARTITION_SLOTS; slot++) {
		if (partition->events[slot].routed && partition->events[slot].vcpu == vcpu) {
			route_configure(partition, slot);
		}
	}
}

void routes_close(struct irq_partition *partition, unsigned first, unsigned count)
{
	for (unsigned slot = first; slot < first + count; slot++) {
		route_close(partition, slot);
	}
}

enum status routes_close_in_steps(struct irq_partition *partition, unsigned first, unsigned count,
				  void (*pause)(void))
{
	enum status status = STATUS_OK;

	for (unsigned i = 0; status == STATUS_OK && i < count; i += STEP_SLOTS) {
		lock_acquire(&partition->lock);
		routes_close(partition, first + i, STEP_SLOTS);
		status = routes_finish(partition);
		lock_release(&partition->lock);
		pause();
	}
	return status;
}

void routes_open_all(struct irq_partition *partition)
{
	for (unsigned slot = 0; slot < IRQ_PARTITION_SLOTS; slot++) {
		if (partition->events[slot].mapped) { /* the others have no route */
			route_update(partition, slot);
		}
	}
}

void routes_forget(struct irq_partition *partition)
{
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		partition->devices[i].guest_events = 0;
	}
	memset(partition->events, 0, sizeof(partition->events));
}

enum status routes_finish(struct irq_partition *partition)
{
	for (unsigned vcpu = 0; vcpu < partition->vcpus; vcpu++) {
		if (partition->batch->vcpus & (1u << vcpu)) {
			const struct irq_vpe *vpe = &partition->vpes[vcpu];

			its_batch_add(partition->batch,
				      partition->why_injected
					      ? its_sync(gic.cores[vpe->core].rdbase)
					      : its_vpe_command(ITS_VSYNC, vpe->id));
		}
	}
	partition->batch->vcpus = 0;
	return its_batch_run(partition->batch);
}
