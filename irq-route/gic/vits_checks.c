/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest may name in an ITS command. The rest of the virtual ITS uses a number from a guest
 * only after one of these has said yes.
 */
#include "gic.h"

/* Only a device that attach gave to this partition, by the name it was given there. */
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

/* Inside the guest's ITT and inside ours. */
bool vits_event_allowed(const struct irq_device *device, uint64_t event)
{
	return event < device->guest_events && event < device->event_limit;
}

bool vits_vlpi_allowed(uint64_t vlpi)
{
	return vlpi >= LPI_FIRST && vlpi < 1u << IRQ_LPI_BITS;
}

bool vits_collection_allowed(uint64_t collection)
{
	return collection < IRQ_PARTITION_COLLECTIONS;
}

/* GITS_TYPER.PTA of the virtual ITS is 0: RDbase is the vCPU's number. */
bool vits_vcpu_allowed(const struct irq_partition *partition, uint64_t rdbase)
{
	return rdbase < partition->vcpus;
}
