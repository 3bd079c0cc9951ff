/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F21 for wired interrupts: the physical one is over as soon as it was taken, not when the
 * guest ends its own, so a line that stays down comes again at once.
 * wraps: vgic_take_wire
 */
#include "vgic.h"

bool __real_vgic_take_wire(struct partition *partition, unsigned physical);
bool __wrap_vgic_take_wire(struct partition *partition, unsigned physical);

bool __wrap_vgic_take_wire(struct partition *partition, unsigned physical)
{
	bool taken = __real_vgic_take_wire(partition, physical);

	if (taken) {
		__asm__ volatile("msr s3_0_c12_c11_1, %0" ::"r"((uint64_t)physical)); /* ICC_DIR */
	}
	return taken;
}
