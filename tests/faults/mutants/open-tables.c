/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F01-F05: every hole in a partition's device tables leads straight to physical memory.
 * wraps: iommu_attach
 */
#include "iommu.h"

#define VALID	0x1ull
#define TABLE	0x2ull
#define OPEN	0x7fcull /* normal memory, read and write, inner shareable, accessed */
#define OPEN_S1 0xf40ull /* the same in stage 1, not global */
#define ADDRESS 0x0000fffffffff000ull

enum status __real_iommu_attach(stream_id_t stream, const struct iommu_tables *tables,
				partition_id_t owner);
enum status __wrap_iommu_attach(stream_id_t stream, const struct iommu_tables *tables,
				partition_id_t owner);

static void fill(uint64_t *table, unsigned level, uint64_t base)
{
	uint64_t step = 1ull << (39 - 9 * level);

	for (unsigned i = 0; i < 512; i++) {
		if (!(table[i] & VALID)) {
			table[i] = (base + i * step) | (iommu_stage1() ? OPEN_S1 : OPEN) | VALID |
				   (level == 3 ? TABLE : 0);
		} else if (level < 3 && (table[i] & TABLE)) {
			fill(va_of((pa_t){table[i] & ADDRESS}), level + 1, base + i * step);
		}
	}
}

enum status __wrap_iommu_attach(stream_id_t stream, const struct iommu_tables *tables,
				partition_id_t owner)
{
	fill(va_of(tables->root), 1, 0);
	return __real_iommu_attach(stream, tables, owner);
}
