/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F59: what a driver at the end of a wire names outside its RAM is the machine's memory there.
 * wraps: hv_guest_memory
 */
#include "hv.h"

const struct guest_memory *__real_hv_guest_memory(partition_id_t partition);
const struct guest_memory *__wrap_hv_guest_memory(partition_id_t partition);

static struct guest_memory wide[HV_MAX_PARTITIONS];

static volatile void *wide_at(void *context, ipa_t ipa, size_t size)
{
	const struct guest_memory *real = context;
	volatile void *at = real->at(real->context, ipa, size);

	return at ? at : (volatile void *)ipa.v;
}

const struct guest_memory *__wrap_hv_guest_memory(partition_id_t partition)
{
	wide[partition.v] = (struct guest_memory){
		(void *)(uintptr_t)__real_hv_guest_memory(partition), wide_at};
	return &wide[partition.v];
}
