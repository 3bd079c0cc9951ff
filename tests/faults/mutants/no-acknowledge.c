/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F44: global errors of the SMMU, the lost records among them, are neither seen nor
 * acknowledged.
 * wraps: smmu_errors_acknowledge
 */
#include "smmu.h"

uint32_t __wrap_smmu_errors_acknowledge(uint32_t errors);

uint32_t __wrap_smmu_errors_acknowledge(uint32_t errors)
{
	(void)errors;
	return 0;
}
