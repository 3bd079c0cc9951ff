/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fixed region that is carved up once, at boot; nothing is ever given back. Every block is
 * zeroed. The size of each region is published in docs/architecture.md.
 */
#ifndef CW_ARENA_H
#define CW_ARENA_H

#include <stddef.h>

struct arena {
	unsigned char *base;
	size_t size;
	size_t used;
};

/* `alignment` is a power of two. Returns NULL when the region is exhausted. */
void *arena_take(struct arena *arena, size_t size, size_t alignment);

#endif
