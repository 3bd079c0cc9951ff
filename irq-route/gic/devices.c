/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which partition a device's events belong to, and the ITT behind them. The ITT is ours: a guest's
 * MAPD only opens and closes the events within it.
 */
#include "gic.h"

#include <string.h>

#define ITT_ALIGN 256u

struct gic_device gic_devices[DEVICES_MAX];
static struct lock registry_lock; /* guards who has which */

void devices_init(void)
{
	memset(gic_devices, 0, sizeof(gic_devices));
}

static size_t itt_size(void)
{
	return IRQ_DEVICE_MAX_EVENTS * (size_t)gic.itt_entry_size;
}

static enum status slot_find(device_id_t device, struct gic_device **found)
{
	*found = NULL;
	for (unsigned i = 0; i < DEVICES_MAX; i++) {
		struct gic_device *slot = &gic_devices[i];

		if (slot->bound && slot->device.v == device.v) {
			return STATUS_BUSY;
		}
		if (!slot->bound && !*found) {
			*found = slot;
		}
	}
	return *found ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Every ITT is large enough for every device, so that slots can change hands. */
static enum status slot_take(struct irq_partition *partition, unsigned place, device_id_t device,
			     struct gic_device **taken)
{
	struct gic_device *slot;

	lock_acquire(&registry_lock);
	enum status status = slot_find(device, &slot);

	if (status == STATUS_OK && !slot->itt) {
		slot->itt = arena_take(gic.tables, align_up(itt_size(), ITT_ALIGN), ITT_ALIGN);
		status = slot->itt ? STATUS_OK : STATUS_NO_MEMORY;
	}
	if (status == STATUS_OK) {
		*slot = (struct gic_device){
			.device = device, .itt = slot->itt, .partition = partition, .place = place};
		__atomic_store_n(&slot->bound, true, __ATOMIC_RELEASE);
		*taken = slot;
	}
	lock_release(&registry_lock);
	return status;
}

static void slot_give(const struct irq_device *device)
{
	lock_acquire(&registry_lock);
	__atomic_store_n(&gic_device_of(device)->bound, false, __ATOMIC_RELEASE);
	lock_release(&registry_lock);
}

static enum status place_find(struct irq_partition *partition, device_id_t virtual_device,
			      struct irq_device **place)
{
	*place = NULL;
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		struct irq_device *device = &partition->devices[i];

		if (device->bound && device->virtual_device.v == virtual_device.v) {
			return STATUS_BUSY;
		}
		if (!device->bound && !*place) {
			*place = device;
		}
	}
	return *place ? STATUS_OK : STATUS_NO_MEMORY;
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

static enum status map_device(const struct irq_partition *partition, device_id_t device, void *itt,
			      unsigned bits)
{
	struct its_batch batch;

	memset(itt, 0, itt_size()); /* MAPD does not clear it */
	gic_clean(itt, itt_size());
	its_batch_start(&batch);
	its_batch_add(&batch, its_mapd(device, bits, pa_of(itt)));
	its_batch_add(&batch, its_sync(gic.cores[partition->vpes[0].core].rdbase));
	return its_batch_run(&batch);
}

static enum status bind_locked(struct irq_partition *partition, device_id_t device,
			       device_id_t virtual_device, unsigned bits)
{
	struct irq_device *place;
	struct gic_device *slot;
	enum status status = place_find(partition, virtual_device, &place);

	if (status == STATUS_OK) {
		status =
			slot_take(partition, (unsigned)(place - partition->devices), device, &slot);
	}
	if (status != STATUS_OK) {
		return status;
	}
	/* On failure the slot stays taken: the ITS may have read the MAPD. */
	status = map_device(partition, device, slot->itt, bits);
	if (status == STATUS_OK) {
		*place = (struct irq_device){.bound = true,
					     .device = device,
					     .virtual_device = virtual_device,
					     .event_limit = 1u << bits,
					     .lpi = gic_device_lpi(slot)};
	}
	return status;
}

enum status irq_device_bind(struct irq_partition *partition, device_id_t device,
			    device_id_t virtual_device, unsigned vectors)
{
	if (!gic.ready) {
		return STATUS_UNSUPPORTED;
	}
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

static enum status unbind_locked(struct irq_partition *partition, struct irq_device *device)
{
	uint64_t rdbase = gic.cores[partition->vpes[0].core].rdbase;
	struct its_batch batch;

	its_batch_start(&batch);
	routes_close_device(partition, &batch, device);
	enum status status = routes_finish(partition, &batch);

	if (status == STATUS_OK) {
		its_batch_add(&batch, its_unmapd(device->device));
		its_batch_add(&batch, its_sync(rdbase));
		status = its_batch_run(&batch);
	}
	if (status == STATUS_OK) {
		slot_give(device);
		*device = (struct irq_device){.bound = false};
	}
	return status;
}

enum status irq_device_unbind(struct irq_partition *partition, device_id_t device)
{
	enum status status = STATUS_NOT_FOUND;

	lock_acquire(&partition->lock);
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES; i++) {
		struct irq_device *candidate = &partition->devices[i];

		if (candidate->bound && candidate->device.v == device.v) {
			status = unbind_locked(partition, candidate);
			break;
		}
	}
	lock_release(&partition->lock);
	return status;
}
