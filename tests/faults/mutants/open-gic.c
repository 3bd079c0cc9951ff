/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F18: what has no meaning in GICD and the ITS's control frame reads as something of ours.
 * wraps: vgic_distributor_read vits_read
 */
#include "irq_route.h"
#include "partition.h"

uint64_t __real_vgic_distributor_read(void *context, uint64_t offset, unsigned size);
uint64_t __wrap_vgic_distributor_read(void *context, uint64_t offset, unsigned size);
uint64_t __real_vits_read(struct irq_partition *partition, uint32_t offset, unsigned size);
uint64_t __wrap_vits_read(struct irq_partition *partition, uint32_t offset, unsigned size);

uint64_t __wrap_vgic_distributor_read(void *context, uint64_t offset, unsigned size)
{
	uint64_t value = __real_vgic_distributor_read(context, offset, size);

	return value ? value : (uint64_t)(uintptr_t)context;
}

uint64_t __wrap_vits_read(struct irq_partition *partition, uint32_t offset, unsigned size)
{
	uint64_t value = __real_vits_read(partition, offset, size);

	return value ? value : (uint64_t)(uintptr_t)partition;
}
