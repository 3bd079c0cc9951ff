/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F21: a device may ring as often as it likes.
 * wraps: irq_route_taken
 */
#include "gic.h"

void __wrap_irq_route_taken(unsigned core, uint32_t intid);

void __wrap_irq_route_taken(unsigned core, uint32_t intid)
{
	uint32_t number = intid - LPI_FIRST;

	(void)core;
	gic.sink.pend(gic.partitions[number / IRQ_PARTITION_SLOTS]->owner,
		      number % IRQ_PARTITION_SLOTS, true);
}
