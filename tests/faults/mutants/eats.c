/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F13: the stream entry lets pass what the device says is translated already.
 * wraps: ste_stage2 ste_stage1
 */
#include "ste.h"

#define EATS_FULL (1ull << 28)

struct ste __real_ste_stage2(const struct iommu_tables *tables, unsigned physical_size);
struct ste __wrap_ste_stage2(const struct iommu_tables *tables, unsigned physical_size);
struct ste __real_ste_stage1(pa_t descriptor);
struct ste __wrap_ste_stage1(pa_t descriptor);

struct ste __wrap_ste_stage2(const struct iommu_tables *tables, unsigned physical_size)
{
	struct ste ste = __real_ste_stage2(tables, physical_size);

	ste.dword[1] |= EATS_FULL;
	return ste;
}

struct ste __wrap_ste_stage1(pa_t descriptor)
{
	struct ste ste = __real_ste_stage1(descriptor);

	ste.dword[1] |= EATS_FULL;
	return ste;
}
