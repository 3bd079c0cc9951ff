/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that has GICv4 and no vPE left for anybody: all interrupts are injected. That is no
 * broken guard, but it breaks F20.
 * wraps: vpes_take
 */
#include "gic.h"

enum status __wrap_vpes_take(struct irq_partition *partition);

enum status __wrap_vpes_take(struct irq_partition *partition)
{
	(void)partition;
	return STATUS_NO_MEMORY;
}
