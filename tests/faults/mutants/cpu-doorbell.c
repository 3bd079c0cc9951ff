/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F17: the guest's CPUs reach the ITS's translation register, as its devices do.
 * wraps: stage2_map
 */
#include "arch.h"
#include "partition.h"

enum status __real_stage2_map(void *root, ipa_t ipa, pa_t pa, uint64_t size, enum stage2_kind kind);
enum status __wrap_stage2_map(void *root, ipa_t ipa, pa_t pa, uint64_t size, enum stage2_kind kind);

enum status __wrap_stage2_map(void *root, ipa_t ipa, pa_t pa, uint64_t size, enum stage2_kind kind)
{
	for (unsigned i = 0; i < partition_count && ipa.v == GUEST_ITS_DOORBELL; i++) {
		if (root == partitions[i].device_root) {
			enum status mapped = __real_stage2_map(partitions[i].cpu_root, ipa, pa,
							       size, STAGE2_DOORBELL);

			(void)mapped;
		}
	}
	return __real_stage2_map(root, ipa, pa, size, kind);
}
