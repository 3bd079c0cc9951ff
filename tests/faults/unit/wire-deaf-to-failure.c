/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F59: a driver that broke a rule is told so, and served on.
 * wraps: end_is_live
 * test: io-host/test_hostile
 * fails: test_f59_address_outside
 */
#include "room.h"

bool __wrap_end_is_live(const struct io_end *end);

bool __wrap_end_is_live(const struct io_end *end)
{
	return end->registers.status & 4;
}
