/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's ITS commands (IHI 0069H 5.3): checked, then mirrored. Each handler checks first and
 * changes nothing when it refuses. The dearest is MAPC over every event of every device: VMOVI and
 * INV for each, 2 * IRQ_PARTITION_MAX_DEVICES * IRQ_DEVICE_MAX_EVENTS = 512, and a VSYNC for each
 * vCPU.
 */
#include "gic.h"

#include <string.h>

struct irq_device *vits_find_device(struct irq_partition *partition, uint64_t virtual_device)
{
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		struct irq_device *device = &partition->devices[i];

		if (device->bound && device->virtual_device.v == virtual_device) {
			return device;
		}
	}
	return NULL;
}

/* A command's fields, as far as its row says that they must be right. */
struct request {
	unsigned opcode;
	bool valid;
	struct irq_device *device;
	bool has_event;
	unsigned slot;
	uint64_t size, vlpi, collection, vcpu, other_vcpu;
};

/* What a row asks for, in the order in which it is checked. */
#define A_DEVICE      BIT(0) /* one that the partition has */
#define AN_EVENT      BIT(1) /* of that device, within its MAPD */
#define MAPPED_EVENT  BIT(2) /* and a MAPTI is in force */
#define ROUTED_EVENT  BIT(3) /* and it has where to be pending */
#define A_VLPI	      BIT(4)
#define A_COLLECTION  BIT(5)
#define MAPPED_TARGET BIT(6) /* that collection has a vCPU */
#define UNLESS_UNMAP  BIT(7) /* V=0: what follows does not count */
#define A_SIZE	      BIT(8)
#define A_VCPU	      BIT(9)
#define ANOTHER_VCPU  BIT(10)

static enum status check(const struct irq_partition *partition, unsigned needs,
			 const struct request *r)
{
	const struct irq_event *entry = &partition->events[r->slot];
	bool unmaps = (needs & UNLESS_UNMAP) && !r->valid;

	if ((needs & A_DEVICE) && !r->device) {
		return STATUS_DENIED;
	}
	if ((needs & AN_EVENT) && !r->has_event) {
		return STATUS_RANGE;
	}
	if (((needs & MAPPED_EVENT) && !entry->mapped) ||
	    ((needs & ROUTED_EVENT) && !entry->routed)) {
		return STATUS_STATE;
	}
	if (((needs & A_VLPI) && (r->vlpi < LPI_FIRST || r->vlpi >> IRQ_LPI_BITS)) ||
	    ((needs & A_COLLECTION) && r->collection >= IRQ_PARTITION_COLLECTIONS)) {
		return STATUS_RANGE;
	}
	if ((needs & MAPPED_TARGET) && !partition->collections[r->collection].mapped) {
		return STATUS_STATE;
	}
	/* GITS_TYPER.PTA of the virtual ITS is 0: RDbase is the vCPU's number. */
	if (((needs & A_SIZE) && !unmaps && r->size > 16) ||
	    ((needs & A_VCPU) && !unmaps && r->vcpu >= partition->vcpus) ||
	    ((needs & ANOTHER_VCPU) && r->other_vcpu >= partition->vcpus)) {
		return STATUS_RANGE;
	}
	return STATUS_OK;
}

static struct request understand(struct irq_partition *partition, const struct its_command *command)
{
	struct request r = {
		.opcode = (unsigned)field_get(ITS_W0_OPCODE, command->word[0]),
		.valid = command->word[2] & ITS_W2_VALID,
		.device = vits_find_device(partition, field_get(ITS_W0_DEVICE, command->word[0])),
		.size = field_get(ITS_W1_ID_BITS, command->word[1]) + 1,
		.vlpi = field_get(ITS_W1_INTID, command->word[1]),
		.collection = field_get(ITS_W2_ICID, command->word[2]),
		.vcpu = field_get(ITS_W2_RDBASE, command->word[2]),
		.other_vcpu = field_get(ITS_W3_RDBASE2, command->word[3]),
	};
	uint64_t event = field_get(ITS_W1_EVENT, command->word[1]);

	/* Inside the guest's ITT and inside ours. */
	if (r.device && event < r.device->guest_events && event < r.device->event_limit) {
		r.slot = first_slot(partition, r.device) + (unsigned)event;
		r.has_event = true;
	}
	return r;
}

/* V=1 or V=0, what was mapped is gone. Our own MAPD, made by irq_device_bind(), stays. */
static void do_mapd(struct irq_partition *partition, const struct request *r)
{
	unsigned first = first_slot(partition, r->device);

	routes_close(partition, first, IRQ_DEVICE_MAX_EVENTS);
	memset(&partition->events[first], 0, IRQ_DEVICE_MAX_EVENTS * sizeof(partition->events[0]));
	r->device->guest_events = r->valid ? 1u << r->size : 0;
}

static void do_mapc(struct irq_partition *partition, const struct request *r)
{
	struct irq_collection *target = &partition->collections[r->collection];

	target->mapped = r->valid;
	target->vcpu = r->valid ? (uint8_t)r->vcpu : 0;
	for (unsigned slot = 0; slot < IRQ_PARTITION_SLOTS; slot++) {
		const struct irq_event *entry = &partition->events[slot];

		if (entry->mapped && entry->collection == r->collection) {
			route_update(partition, slot);
		}
	}
}

static void do_mapti(struct irq_partition *partition, const struct request *r)
{
	route_close(partition, r->slot);
	partition->events[r->slot] = (struct irq_event){
		.mapped = true, .collection = (uint16_t)r->collection, .vlpi = (uint32_t)r->vlpi};
	route_update(partition, r->slot);
}

static void do_movi(struct irq_partition *partition, const struct request *r)
{
	partition->events[r->slot].collection = (uint16_t)r->collection;
	route_update(partition, r->slot);
}

/*
 * Pending state moves with VMOVI, and the route with it. Guests MAPC the collections away first,
 * after which nothing is left to move.
 */
static void do_movall(struct irq_partition *partition, const struct request *r)
{
	for (unsigned slot = 0; slot < IRQ_PARTITION_SLOTS; slot++) {
		if (partition->events[slot].routed && partition->events[slot].vcpu == r->vcpu) {
			route_move(partition, slot, (unsigned)r->other_vcpu);
		}
	}
}

static void do_signal(struct irq_partition *partition, const struct request *r)
{
	if (r->opcode == ITS_INV) {
		route_configure(partition, r->slot);
	} else {
		route_signal(partition, r->slot, r->opcode);
	}
}

/* More than asked for: every event of the collection's vCPU, as a redistributor would. */
static void do_invall(struct irq_partition *partition, const struct request *r)
{
	route_reload_vcpu(partition, partition->collections[r->collection].vcpu);
}

static void do_discard(struct irq_partition *partition, const struct request *r)
{
	route_close(partition, r->slot);
	partition->events[r->slot] = (struct irq_event){.mapped = false};
}

/*
 * No MAPI: its LPI is the EventID, and no device has so many. INT, CLEAR, INV: without a route
 * there is nowhere to be pending. SYNC: every command before it has completed when its slot is
 * released; nothing to wait for.
 */
static const struct {
	void (*run)(struct irq_partition *partition, const struct request *r);
	unsigned needs;
} rows[] = {
	[ITS_MOVI] = {do_movi, A_DEVICE | AN_EVENT | MAPPED_EVENT | A_COLLECTION | MAPPED_TARGET},
	[ITS_INT] = {do_signal, A_DEVICE | AN_EVENT | ROUTED_EVENT},
	[ITS_CLEAR] = {do_signal, A_DEVICE | AN_EVENT | ROUTED_EVENT},
	[ITS_SYNC] = {NULL, A_VCPU},
	[ITS_MAPD] = {do_mapd, A_DEVICE | UNLESS_UNMAP | A_SIZE},
	[ITS_MAPC] = {do_mapc, A_COLLECTION | UNLESS_UNMAP | A_VCPU},
	[ITS_MAPTI] = {do_mapti, A_DEVICE | AN_EVENT | A_VLPI | A_COLLECTION},
	[ITS_INV] = {do_signal, A_DEVICE | AN_EVENT | ROUTED_EVENT},
	[ITS_INVALL] = {do_invall, A_COLLECTION | MAPPED_TARGET},
	[ITS_MOVALL] = {do_movall, A_VCPU | ANOTHER_VCPU},
	[ITS_DISCARD] = {do_discard, A_DEVICE | AN_EVENT | MAPPED_EVENT},
};

enum status vits_command(struct irq_partition *partition, const struct its_command *command)
{
	struct request r = understand(partition, command);

	if (r.opcode >= ARRAY_SIZE(rows) || !rows[r.opcode].needs) {
		return STATUS_UNSUPPORTED;
	}
	enum status status = check(partition, rows[r.opcode].needs, &r);

	if (status == STATUS_OK && rows[r.opcode].run) {
		rows[r.opcode].run(partition, &r);
		status = routes_finish(partition);
	}
	return status;
}
