/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F36: a command that the SMMU refused counts as done. The refusals are refusing-smmu's.
 * wraps: smmu_submit smmu_sync
 */
#include "refusing-smmu.c"

enum status __real_smmu_sync(void);
enum status __wrap_smmu_sync(void);

enum status __wrap_smmu_sync(void)
{
	enum status status = __real_smmu_sync();

	return status == STATUS_HARDWARE ? STATUS_OK : status;
}
