/* SPDX-License-Identifier: BSD-2-Clause */
#include "iommu.h"

static const char *const names[] = {
	[IOMMU_FAULT_TRANSLATION] = "no-translation",  [IOMMU_FAULT_PERMISSION] = "permission",
	[IOMMU_FAULT_ADDRESS_SIZE] = "address-size",   [IOMMU_FAULT_ACCESS_FLAG] = "access-flag",
	[IOMMU_FAULT_CONFIGURATION] = "configuration", [IOMMU_FAULT_OTHER] = "other",
};

const char *iommu_fault_name(enum iommu_fault fault)
{
	return (unsigned)fault < ARRAY_SIZE(names) ? names[fault] : "unknown fault";
}
