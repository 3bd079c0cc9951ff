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
		struct its_command vmapti = its_event_command(ITS_VMAPTI, device, (event_id_t){n});

		properties[n] = LPI_PROPERTY_ENABLE | LPI_PROPERTY_RES1;
		vmapti.word[1] |= field_prep(ITS_W1_VPE, partition->vpes[0].id);
		vmapti.word[2] = field_prep(ITS_W2_VINTID, LPI_FIRST + n) |
				 field_prep(ITS_W2_DOORBELL, LPI_NO_DOORBELL);
		its_batch_add(partition->batch, vmapti);
	}
	return status == STATUS_OK ? its_batch_run(partition->batch) : status;
}
