/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F37: a partition starts in the memory its last life left.
 * wraps: memset
 */
#include <string.h>

#include "partition.h"

void *__real_memset(void *to, int value, size_t size);
void *__wrap_memset(void *to, int value, size_t size);

void *__wrap_memset(void *to, int value, size_t size)
{
	for (unsigned i = 0; i < partition_count; i++) {
		const struct partition *partition = &partitions[i];

		if (range_inside((uintptr_t)to, size, partition->memory.v,
				 partition->config->memory_size)) {
			return to;
		}
	}
	return __real_memset(to, value, size);
}
