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
 * The DeviceID at each place of the machine; 0, which is never one, where there is none. A place's
 * ITT is used again only after its MAPD V=0 has completed; until then the DeviceID stays here.
 */
static struct lock registry_lock;
static device_id_t registry[DEVICES_MAX];

static unsigned char *itts; /* one at each place, large enough for every device */

static size_t itt_size(void)
{
	return align_up(IRQ_DEVICE_MAX_EVENTS * (size_t)gic.itt_entry_size, ITT_ALIGN);
}

enum status devices_init(void)
{
	memset(registry, 0, sizeof(registry));
	itts = arena_take(gic.tables, DEVICES_MAX * itt_size(), ITT_ALIGN);
	return itts ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status place_find(struct irq_partition *partition, device_id_t device,
			      device_id_t virtual_device, struct irq_device **found)
{
	*found = NULL;
	for (unsigned i = 0; i < DEVICES_MAX; i++) {
		if (registry[i].v == device.v) {
			return STATUS_BUSY;
		}
	}
	if (vits_find_device(partition, virtual_device.v)) {
		return STATUS_BUSY;
	}
	for (unsigned i = 0; i < IRQ_PARTITION_MAX_DEVICES && !*found; i++) {
		if (!registry[device_number(partition, &partition->devices[i])].v) {
			*found = &partition->devices[i];
		}
	}
	return *found ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status place_take(struct irq_partition *partition, device_id_t device,
			      device_id_t virtual_device, struct irq_device **taken)
{
	lock_acquire(&registry_lock);
	enum status status = place_find(partition, device, virtual_device, taken);

	if (status == STATUS_OK) {
		registry[device_number(partition, *taken)] = device;
	}
	lock_release(&registry_lock);
	return status;
}

static void place_give(const struct irq_partition *partition, struct irq_device *device)
{
	lock_acquire(&registry_lock);
	registry[device_number(partition, device)].v = 0;
	lock_release(&registry_lock);
	*device = (struct irq_device){.bound = false};
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

static enum status map_device(const struct irq_partition *partition, device_id_t device,
			      unsigned number, unsigned bits)
{
	void *itt = itts + number * itt_size();

	memset(itt, 0, itt_size()); /* MAPD does not clear it */
	gic_clean(itt, itt_size());
	its_batch_add(partition->batch, its_mapd(device, bits, pa_of(itt)));
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
	/* On failure the place stays taken: the ITS may have read the MAPD. */
	status = map_device(partition, device, device_number(partition, place), bits);
	if (status == STATUS_OK) {
		*place = (struct irq_device){.bound = true,
					     .device = device,
					     .virtual_device = virtual_device,
					     .event_limit = 1u << bits};
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

	routes_close_device(partition, device);
	enum status status = routes_finish(partition);

	if (status == STATUS_OK) {
		its_batch_add(partition->batch, its_unmapd(device->device));
		its_batch_add(partition->batch, its_sync(rdbase));
		status = its_batch_run(partition->batch);
	}
	if (status == STATUS_OK) {
		place_give(partition, device);
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
