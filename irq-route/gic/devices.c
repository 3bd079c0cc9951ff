/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which partition a device's events belong to, and the ITT behind them. The ITT is ours: a guest's
 * MAPD only opens and closes the events within it.
 */
#include "gic.h"

#include <string.h>

#define ITT_ALIGN   256u
#define DEVICES_MAX (IRQ_ROUTE_MAX_PARTITIONS * IRQ_PARTITION_MAX_DEVICES)

/*
 * For who has which DeviceID, in all partitions. A place is free, and its ITT used again, only
 * after its MAPD V=0 has completed.
 */
static struct lock registry_lock;

static unsigned char *itts; /* one at each place, large enough for every device */

static size_t itt_size(void)
{
	return align_up(IRQ_DEVICE_MAX_EVENTS * (size_t)gic.itt_entry_size, ITT_ALIGN);
}

enum status devices_init(void)
{
	itts = arena_take(gic.tables, DEVICES_MAX * itt_size(), ITT_ALIGN);
	return itts ? STATUS_OK : STATUS_NO_MEMORY;
}

static bool is_taken(device_id_t device)
{
	for (unsigned i = 0; i < DEVICES_MAX; i++) {
		const struct irq_partition *owner = gic.partitions[i / IRQ_PARTITION_MAX_DEVICES];

		if (owner && owner->devices[i % IRQ_PARTITION_MAX_DEVICES].device.v == device.v) {
			return true;
		}
	}
	return false;
}

static enum status place_take(struct irq_partition *partition, device_id_t device,
			      device_id_t virtual_device, struct irq_device **taken)
{
	enum status status = STATUS_NO_MEMORY;

	lock_acquire(&registry_lock);
	if (is_taken(device) || vits_find_device(partition, virtual_device.v)) {
		status = STATUS_BUSY;
	}
	for (unsigned i = 0; status == STATUS_NO_MEMORY && i < IRQ_PARTITION_MAX_DEVICES; i++) {
		if (!partition->devices[i].device.v) {
			*taken = &partition->devices[i];
			(*taken)->device = device;
			status = STATUS_OK;
		}
	}
	lock_release(&registry_lock);
	return status;
}

/* At least one EventID bit: that is MAPD's minimum. */
static unsigned event_bits(unsigned vectors)
{
	unsigned bits = 1;

	while (1u << bits < vectors) {
		bits++;
	}
	return bits;
}

/* MAPD, with the ITT's address or to unmap, and its SYNC. */
static enum status map_device(const struct irq_partition *partition, struct its_command mapd)
{
	its_batch_add(partition->batch, mapd);
	its_batch_add(partition->batch, its_sync(gic.cores[partition->vpes[0].core].rdbase));
	return its_batch_run(partition->batch);
}

static enum status bind_locked(struct irq_partition *partition, device_id_t device,
			       device_id_t virtual_device, unsigned bits)
{
	struct irq_device *place;
	enum status status = place_take(partition, device, virtual_device, &place);

	if (status != STATUS_OK) {
		return status;
	}
	unsigned char *itt = itts + itt_size() * (partition->owner.v * IRQ_PARTITION_MAX_DEVICES +
						  (size_t)(place - partition->devices));

	memset(itt, 0, itt_size()); /* MAPD does not clear it */
	gic_clean(itt, itt_size());
	/* On failure the place stays taken: the ITS may have read the MAPD. */
	status = map_device(partition, its_mapd(device, bits, pa_of(itt)));
	if (status == STATUS_OK) {
		place->virtual_device = virtual_device;
		place->event_limit = 1u << bits;
		place->bound = true;
	}
	return status;
}

enum status irq_device_bind(struct irq_partition *partition, device_id_t device,
			    device_id_t virtual_device, unsigned vectors)
{
	if (!device.v) {
		return STATUS_INVALID; /* a stray write to GITS_TRANSLATER may carry DeviceID 0 */
	}
	if (!vectors || vectors > IRQ_DEVICE_MAX_EVENTS || event_bits(vectors) > gic.event_bits ||
	    device.v >= gic.device_limit || virtual_device.v > UINT16_MAX) {
		return STATUS_RANGE;
	}
	lock_acquire(&partition->lock);
	enum status status = bind_locked(partition, device, virtual_device, event_bits(vectors));
	lock_release(&partition->lock);
	return status;
}

static enum status unmap_device(struct irq_partition *partition, struct irq_device *place)
{
	enum status status =
		map_device(partition, its_event_command(ITS_MAPD, place->device, (event_id_t){0}));

	if (status == STATUS_OK) {
		memset(&partition->events[first_slot(partition, place)], 0,
		       IRQ_DEVICE_MAX_EVENTS * sizeof(partition->events[0]));
		lock_acquire(&registry_lock);
		*place = (struct irq_device){.bound = false};
		lock_release(&registry_lock);
	}
	return status;
}

static struct irq_device *find_bound(struct irq_partition *partition, device_id_t device)
{
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		if (partition->devices[i].bound && partition->devices[i].device.v == device.v) {
			return &partition->devices[i];
		}
	}
	return NULL;
}

enum status irq_device_unbind(struct irq_partition *partition, device_id_t device,
			      void (*pause)(void))
{
	struct irq_device *place = find_bound(partition, device);
	enum status status;

	if (!place) {
		return STATUS_NOT_FOUND;
	}
	status = routes_close_in_steps(partition, first_slot(partition, place), place->event_limit,
				       pause);
	if (status == STATUS_OK) {
		lock_acquire(&partition->lock);
		status = unmap_device(partition, place);
		lock_release(&partition->lock);
		pause();
	}
	return status;
}

void irq_device_raise(struct irq_partition *partition, device_id_t device, unsigned event)
{
	lock_acquire(&partition->lock);
	struct irq_device *place = find_bound(partition, device);
	unsigned slot = place ? first_slot(partition, place) + event : 0;

	if (place && event < place->event_limit && partition->events[slot].routed) {
		route_signal(partition, slot, ITS_INT);
		(void)!routes_finish(partition); /* an ITS that fails has said so */
	}
	lock_release(&partition->lock);
}
