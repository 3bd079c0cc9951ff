/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F61: a buffer is read or written, whichever of them its driver said.
 * wraps: ring_segment
 * test: io-host/test_hostile
 * fails: test_f61_wrong_direction
 */
#include "room.h"

enum status __real_ring_segment(struct io_ring *ring, struct io_cursor *cursor, bool write);
enum status __wrap_ring_segment(struct io_ring *ring, struct io_cursor *cursor, bool write);

enum status __wrap_ring_segment(struct io_ring *ring, struct io_cursor *cursor, bool write)
{
	struct io_cursor before = *cursor;
	enum status status = __real_ring_segment(ring, cursor, write);

	if (status == STATUS_INVALID) {
		*cursor = before;
		ring->fault = NULL;
		status = __real_ring_segment(ring, cursor, !write);
	}
	return status;
}
