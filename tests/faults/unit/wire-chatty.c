/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * F73: a line for each rule that a driver breaks, as often as it likes.
 * wraps: log_allowed
 * test: hv-glue/test_wires
 * fails: many_faults
 */
#include "log.h"

bool __wrap_log_allowed(struct log_quota *quota, uint64_t now_ns, uint32_t burst,
			uint64_t window_ns);

bool __wrap_log_allowed(struct log_quota *quota, uint64_t now_ns, uint32_t burst,
			uint64_t window_ns)
{
	return quota && now_ns + 1 && burst && window_ns;
}
