/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F19: plain writes to the doorbell, which come as DeviceID 0, are a partition's interrupts.
 * wraps: irq_device_bind
 */
#include "gic.h"

enum status __real_irq_device_bind(struct irq_partition *partition, device_id_t device,
				   device_id_t virtual_device, unsigned vectors);
enum status __wrap_irq_device_bind(struct irq_partition *partition, device_id_t device,
				   device_id_t virtual_device, unsigned vectors);

static uint8_t itt[4096] __attribute__((aligned(256)));

enum status __wrap_irq_device_bind(struct irq_partition *partition, device_id_t device,
				   device_id_t virtual_device, unsigned vectors)
{
	enum status status = __real_irq_device_bind(partition, device, virtual_device, vectors);
	const device_id_t zero = {0};

	if (status != STATUS_OK || !partition->owner.v || partition->why_injected) {
		return status; /* the first partition is the PF service's */
	}
	its_batch_add(partition->batch, its_mapd(zero, 5, pa_of(itt)));
	for (unsigned n = 0; n < IRQ_DEVICE_MAX_EVENTS; n++) {
		struct its_command vmapti = its_event_command(ITS_VMAPTI, zero, (event_id_t){n});

		((uint8_t *)partition->property_table)[n] = LPI_PROPERTY_ENABLE;
		vmapti.word[1] |= field_prep(ITS_W1_VPE, partition->vpes[0].id);
		vmapti.word[2] = field_prep(ITS_W2_VINTID, LPI_FIRST + n) |
				 field_prep(ITS_W2_DOORBELL, LPI_NO_DOORBELL);
		its_batch_add(partition->batch, vmapti);
	}
	return its_batch_run(partition->batch);
}
