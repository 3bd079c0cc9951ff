/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F25: a partition stops, and its card's events stay where they led.
 * wraps: irq_device_unbind
 * test: hv-glue/test_wire_lives
 * fails: restarts
 */
#include "assignment.h"

enum status __real_irq_device_unbind(struct irq_partition *partition, device_id_t device,
				     void (*pause)(void));
enum status __wrap_irq_device_unbind(struct irq_partition *partition, device_id_t device,
				     void (*pause)(void));

enum status __wrap_irq_device_unbind(struct irq_partition *partition, device_id_t device,
				     void (*pause)(void))
{
	return device.v >= glue.bus.soft.first.v
		       ? STATUS_OK
		       : __real_irq_device_unbind(partition, device, pause);
}
