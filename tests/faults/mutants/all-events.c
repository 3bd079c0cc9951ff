/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F15: every event of a device is an interrupt of its partition, mapped by the guest or not.
 * wraps: irq_device_bind
 */
#include "gic.h"

enum status __real_irq_device_bind(struct irq_partition *partition, device_id_t device,
				   device_id_t virtual_device, unsigned vectors);
enum status __wrap_irq_device_bind(struct irq_partition *partition, device_id_t device,
				   device_id_t virtual_device, unsigned vectors);

enum status __wrap_irq_device_bind(struct irq_partition *partition, device_id_t device,
				   device_id_t virtual_device, unsigned vectors)
{
	enum status status = __real_irq_device_bind(partition, device, virtual_device, vectors);
	uint8_t *properties = partition->property_table;

	for (unsigned n = 0; status == STATUS_OK && n < IRQ_DEVICE_MAX_EVENTS; n++) {
		properties[n] = LPI_PROPERTY_ENABLE | LPI_PROPERTY_RES1;
		its_batch_add(partition->batch, its_vmapti(device, (event_id_t){n},
							   partition->vpes[0].id, LPI_FIRST + n));
	}
	return status == STATUS_OK ? its_batch_run(partition->batch) : status;
}
