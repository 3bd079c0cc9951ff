/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F15: an event that its guest has not mapped, or that is another device's, is raised all the same.
 * wraps: irq_device_raise
 * test: irq-route/gic/test_raise
 * fails: dropped_direct
 */
#include "gic.h"

void __wrap_irq_device_raise(struct irq_partition *partition, device_id_t device, unsigned event);

void __wrap_irq_device_raise(struct irq_partition *partition, device_id_t device, unsigned event)
{
	lock_acquire(&partition->lock);
	its_batch_add(partition->batch, its_event_command(ITS_INT, device, (event_id_t){event}));
	(void)!its_batch_run(partition->batch);
	lock_release(&partition->lock);
}
