/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F37: a partition starts in the memory its last life left.
 * wraps: memset
 */
#include <string.h>

#define RAM (4u << 20) /* more than anything else that is cleared */

void *__real_memset(void *to, int value, size_t size);
void *__wrap_memset(void *to, int value, size_t size);

void *__wrap_memset(void *to, int value, size_t size)
{
	return size < RAM ? __real_memset(to, value, size) : to;
}
