/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A BAR is mapped with the page behind it, which is the next function's.
 * wraps: hv_map_device
 */
#include "hv.h"

enum status __real_hv_map_device(partition_id_t id, ipa_t ipa, pa_t pa, uint64_t size);
enum status __wrap_hv_map_device(partition_id_t id, ipa_t ipa, pa_t pa, uint64_t size);

enum status __wrap_hv_map_device(partition_id_t id, ipa_t ipa, pa_t pa, uint64_t size)
{
	enum status status = __real_hv_map_device(id, ipa, pa, size);

	/* What is behind it may be mapped already: its own next BAR. */
	(void)!__real_hv_map_device(id, (ipa_t){ipa.v + size}, (pa_t){pa.v + size}, PAGE_SIZE);
	return status;
}
