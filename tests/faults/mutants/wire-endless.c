/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F60: a chain may be as long as it likes; in the end its segments are the first one's again.
 * wraps: ring_segment
 */
#include "room.h"

enum status __real_ring_segment(struct io_ring *ring, struct io_cursor *cursor, bool write);
enum status __wrap_ring_segment(struct io_ring *ring, struct io_cursor *cursor, bool write);

enum status __wrap_ring_segment(struct io_ring *ring, struct io_cursor *cursor, bool write)
{
	cursor->left = cursor->size;
	return __real_ring_segment(ring, cursor, write);
}
