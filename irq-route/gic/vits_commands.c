/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's ITS commands (IHI 0069H 5.3): checked, then mirrored. Each handler checks first and
 * changes nothing when it refuses. The dearest is MAPC over every event of every device: VMOVI and
 * INV for each, 2 * IRQ_PARTITION_MAX_DEVICES * IRQ_DEVICE_MAX_EVENTS = 512, and a VSYNC for each
 * vCPU.
 */
#include "gic.h"

typedef enum status (*handler_t)(struct irq_partition *partition,
				 const struct its_command *command);

/* The device and event of words 0 and 1; with `mapped`, only one that the guest has mapped. */
static enum status find_event(struct irq_partition *partition, const struct its_command *command,
			      bool mapped, struct irq_device **device, unsigned *event)
{
	struct irq_device *found =
		vits_find_device(partition, field_get(ITS_W0_DEVICE, command->word[0]));
	uint64_t number = field_get(ITS_W1_EVENT, command->word[1]);

	if (!found) {
		return STATUS_DENIED;
	}
	if (!vits_event_allowed(found, number)) {
		return STATUS_RANGE;
	}
	if (mapped && !found->events[number].mapped) {
		return STATUS_STATE;
	}
	*device = found;
	*event = (unsigned)number;
	return STATUS_OK;
}

static enum status find_collection(struct irq_partition *partition,
				   const struct its_command *command, uint64_t *collection)
{
	*collection = field_get(ITS_W2_ICID, command->word[2]);
	if (!vits_collection_allowed(*collection)) {
		return STATUS_RANGE;
	}
	return partition->collections[*collection].mapped ? STATUS_OK : STATUS_STATE;
}

/* V=1 or V=0, what was mapped is gone. Our own MAPD, made by irq_device_bind(), stays. */
static enum status do_mapd(struct irq_partition *partition, const struct its_command *command)
{
	struct irq_device *device =
		vits_find_device(partition, field_get(ITS_W0_DEVICE, command->word[0]));
	uint64_t bits = field_get(ITS_W1_ID_BITS, command->word[1]) + 1;
	bool valid = command->word[2] & ITS_W2_VALID;

	if (!device) {
		return STATUS_DENIED;
	}
	if (valid && bits > 16) {
		return STATUS_RANGE;
	}
	routes_close_device(partition, device);
	routes_forget_device(device);
	device->enabled = valid;
	if (valid) {
		device->guest_events = 1u << bits;
	}
	return STATUS_OK;
}

static void retarget(struct irq_partition *partition, uint64_t collection)
{
	const struct irq_collection *target = &partition->collections[collection];

	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		struct irq_device *device = &partition->devices[i];

		for (unsigned n = 0; n < IRQ_DEVICE_MAX_EVENTS; n++) {
			const struct irq_event *entry = &device->events[n];

			if (!entry->mapped || entry->collection != collection) {
				continue;
			}
			if (!target->mapped) {
				route_close(partition, device, n);
			} else if (entry->routed) {
				route_move(partition, device, n, target->vcpu);
			} else {
				route_open(partition, device, n);
			}
		}
	}
}

static enum status do_mapc(struct irq_partition *partition, const struct its_command *command)
{
	uint64_t collection = field_get(ITS_W2_ICID, command->word[2]);
	uint64_t rdbase = field_get(ITS_W2_RDBASE, command->word[2]);
	bool valid = command->word[2] & ITS_W2_VALID;

	if (!vits_collection_allowed(collection) ||
	    (valid && !vits_vcpu_allowed(partition, rdbase))) {
		return STATUS_RANGE;
	}
	partition->collections[collection].mapped = valid;
	partition->collections[collection].vcpu = valid ? (uint8_t)rdbase : 0;
	retarget(partition, collection);
	return STATUS_OK;
}

/* MAPTI, and MAPI, whose LPI is the EventID. */
static enum status do_mapti(struct irq_partition *partition, const struct its_command *command)
{
	bool mapi = field_get(ITS_W0_OPCODE, command->word[0]) == ITS_MAPI;
	uint64_t vlpi = field_get(mapi ? ITS_W1_EVENT : ITS_W1_INTID, command->word[1]);
	uint64_t collection = field_get(ITS_W2_ICID, command->word[2]);
	struct irq_device *device;
	unsigned event;
	enum status status = find_event(partition, command, false, &device, &event);

	if (status != STATUS_OK) {
		return status;
	}
	if (!vits_vlpi_allowed(vlpi) || !vits_collection_allowed(collection)) {
		return STATUS_RANGE;
	}
	route_close(partition, device, event);
	device->events[event] = (struct irq_event){
		.mapped = true, .collection = (uint16_t)collection, .vlpi = (uint32_t)vlpi};
	if (partition->collections[collection].mapped) {
		route_open(partition, device, event);
	}
	return STATUS_OK;
}

static enum status do_movi(struct irq_partition *partition, const struct its_command *command)
{
	struct irq_device *device;
	unsigned event;
	uint64_t collection;
	enum status status = find_event(partition, command, true, &device, &event);

	if (status == STATUS_OK) {
		status = find_collection(partition, command, &collection);
	}
	if (status != STATUS_OK) {
		return status;
	}
	device->events[event].collection = (uint16_t)collection;
	if (device->events[event].routed) {
		route_move(partition, device, event, partition->collections[collection].vcpu);
	} else {
		route_open(partition, device, event);
	}
	return STATUS_OK;
}

/*
 * Pending state moves with VMOVI, and the route with it. Guests MAPC the collections away first,
 * after which nothing is left to move.
 */
static enum status do_movall(struct irq_partition *partition, const struct its_command *command)
{
	uint64_t from = field_get(ITS_W2_RDBASE, command->word[2]);
	uint64_t to = field_get(ITS_W3_RDBASE2, command->word[3]);

	if (!vits_vcpu_allowed(partition, from) || !vits_vcpu_allowed(partition, to)) {
		return STATUS_RANGE;
	}
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		struct irq_device *device = &partition->devices[i];

		for (unsigned n = 0; n < IRQ_DEVICE_MAX_EVENTS; n++) {
			if (device->events[n].routed && device->events[n].vcpu == from) {
				route_move(partition, device, n, (unsigned)to);
			}
		}
	}
	return STATUS_OK;
}

/* INT, CLEAR, INV: an event without a collection has nowhere to be pending. */
static enum status do_signal(struct irq_partition *partition, const struct its_command *command)
{
	unsigned opcode = (unsigned)field_get(ITS_W0_OPCODE, command->word[0]);
	struct irq_device *device;
	unsigned event;
	enum status status = find_event(partition, command, true, &device, &event);

	if (status == STATUS_OK && !device->events[event].routed) {
		status = STATUS_STATE;
	}
	if (status != STATUS_OK) {
		return status;
	}
	if (opcode == ITS_INV) {
		route_configure(partition, device, event);
	} else {
		route_signal(partition, device, event, opcode);
	}
	return STATUS_OK;
}

/* More than asked for: every event of the collection's vCPU, as a redistributor would. */
static enum status do_invall(struct irq_partition *partition, const struct its_command *command)
{
	uint64_t collection;
	enum status status = find_collection(partition, command, &collection);

	if (status == STATUS_OK) {
		route_reload_vcpu(partition, partition->collections[collection].vcpu);
	}
	return status;
}

static enum status do_discard(struct irq_partition *partition, const struct its_command *command)
{
	struct irq_device *device;
	unsigned event;
	enum status status = find_event(partition, command, true, &device, &event);

	if (status == STATUS_OK) {
		route_close(partition, device, event);
		device->events[event] = (struct irq_event){.mapped = false};
	}
	return status;
}

/* Every command above has completed when its slot is released: nothing to wait for. */
static enum status do_sync(struct irq_partition *partition, const struct its_command *command)
{
	return vits_vcpu_allowed(partition, field_get(ITS_W2_RDBASE, command->word[2]))
		       ? STATUS_OK
		       : STATUS_RANGE;
}

static const handler_t handlers[] = {
	[ITS_MOVI] = do_movi,	  [ITS_INT] = do_signal,    [ITS_CLEAR] = do_signal,
	[ITS_SYNC] = do_sync,	  [ITS_MAPD] = do_mapd,	    [ITS_MAPC] = do_mapc,
	[ITS_MAPTI] = do_mapti,	  [ITS_MAPI] = do_mapti,    [ITS_INV] = do_signal,
	[ITS_INVALL] = do_invall, [ITS_MOVALL] = do_movall, [ITS_DISCARD] = do_discard,
};

enum status vits_command(struct irq_partition *partition, const struct its_command *command)
{
	uint64_t opcode = field_get(ITS_W0_OPCODE, command->word[0]);

	if (opcode >= ARRAY_SIZE(handlers) || !handlers[opcode]) {
		return STATUS_UNSUPPORTED;
	}
	enum status status = handlers[opcode](partition, command);

	return status == STATUS_OK ? routes_finish(partition) : status;
}
