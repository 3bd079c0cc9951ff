/* SPDX-License-Identifier: BSD-2-Clause */
#include "smmu.h"

/*
 * An error is active while its bit differs between GERROR, which the SMMU toggles, and GERRORN,
 * which we toggle to acknowledge (7.5). Toggling an inactive one is not permitted, hence the lock.
 */
static struct lock acknowledge_lock;

uint32_t smmu_errors_active(void)
{
	return mmio_read32(smmu.registers, SMMU_GERROR) ^ mmio_read32(smmu.registers, SMMU_GERRORN);
}

uint32_t smmu_errors_acknowledge(uint32_t errors)
{
	lock_acquire(&acknowledge_lock);
	uint32_t acknowledged = mmio_read32(smmu.registers, SMMU_GERRORN);
	uint32_t active = (mmio_read32(smmu.registers, SMMU_GERROR) ^ acknowledged) & errors;

	if (active) {
		mmio_write32(smmu.registers, SMMU_GERRORN, acknowledged ^ active);
	}
	lock_release(&acknowledge_lock);
	return active;
}
