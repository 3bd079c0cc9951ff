/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F65: an interrupt each time, whether its driver wants one or not.
 * wraps: ring_interrupts
 * test: io-host/test_hostile
 * fails: test_f65_notification_storm
 */
#include "room.h"

bool __wrap_ring_interrupts(struct io_ring *ring);

bool __wrap_ring_interrupts(struct io_ring *ring)
{
	return ring;
}
