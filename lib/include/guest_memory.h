/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a room reads what a guest wrote in its own RAM (command queues, configuration tables).
 * `at` returns a pointer to [ipa, ipa+size) when that whole range is RAM of the partition, else
 * NULL. The guest may change the bytes at any moment: read each field once, with the helpers.
 */
#ifndef CW_GUEST_MEMORY_H
#define CW_GUEST_MEMORY_H

#include "types.h"

struct guest_memory {
	void *context;
	volatile void *(*at)(void *context, ipa_t ipa, size_t size);
};

static inline uint64_t guest_read64(const volatile void *p)
{
	return *(const volatile uint64_t *)p;
}

static inline uint8_t guest_read8(const volatile void *p)
{
	return *(const volatile uint8_t *)p;
}

#endif
