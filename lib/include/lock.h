/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ticket lock for a few instructions' worth of work. Never taken in guest-writable memory.
 * Order, outermost first: partition, pci-virt, vf, io-host, irq-route, iommu, log.
 */
#ifndef CW_LOCK_H
#define CW_LOCK_H

#include <stdint.h>

#include "arch_mmio.h"

struct lock {
	uint16_t next;
	uint16_t serving;
};

static inline void lock_acquire(struct lock *lock)
{
	uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket) {
		arch_relax();
	}
}

static inline void lock_release(struct lock *lock)
{
	__atomic_store_n(&lock->serving, (uint16_t)(lock->serving + 1), __ATOMIC_RELEASE);
}

#endif
