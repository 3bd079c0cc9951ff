/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F17: the guest's CPUs reach the ITS's translation register, as its devices do.
 * wraps: hv_map_device
 */
#include "arch.h"
#include "partition.h"

enum status __real_hv_map_device(partition_id_t partition, ipa_t ipa, pa_t pa, uint64_t size);
enum status __wrap_hv_map_device(partition_id_t partition, ipa_t ipa, pa_t pa, uint64_t size);

enum status __wrap_hv_map_device(partition_id_t id, ipa_t ipa, pa_t pa, uint64_t size)
{
	struct partition *partition = &partitions[id.v];
	ipa_t doorbell = {GUEST_ITS_DOORBELL};
	pa_t page;

	if (stage2_lookup(partition->device_root, doorbell, &page)) {
		/* Busy after the first device: it is there already. */
		enum status again =
			stage2_map(partition->cpu_root, doorbell, page, PAGE_SIZE, STAGE2_DOORBELL);

		(void)again;
	}
	return __real_hv_map_device(id, ipa, pa, size);
}
