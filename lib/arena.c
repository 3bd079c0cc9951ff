/* SPDX-License-Identifier: BSD-2-Clause */
#include "arena.h"

#include <string.h>

#include "types.h"

void *arena_take(struct arena *arena, size_t size, size_t alignment)
{
	uintptr_t base = (uintptr_t)arena->base;
	uintptr_t start = align_up(base + arena->used, alignment);

	if (start < base || start - base > arena->size || size > arena->size - (start - base)) {
		return NULL;
	}
	arena->used = start - base + size;
	return memset((void *)start, 0, size);
}
