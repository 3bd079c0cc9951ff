/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F12 and its like: whoever asks for a part of an isolation group gets it.
 * wraps: assignment_check
 */
#include "assignment.h"

bool __wrap_assignment_check(const struct assignment *assignment);

bool __wrap_assignment_check(const struct assignment *assignment)
{
	(void)assignment;
	return true;
}
