/* SPDX-License-Identifier: BSD-2-Clause */
#include "status.h"

#include "types.h"

static const char *const names[STATUS_COUNT] = {
	[STATUS_OK] = "ok",
	[STATUS_INVALID] = "invalid",
	[STATUS_NOT_FOUND] = "not found",
	[STATUS_RANGE] = "out of range",
	[STATUS_BUSY] = "busy",
	[STATUS_STATE] = "illegal in this state",
	[STATUS_NO_MEMORY] = "pool exhausted",
	[STATUS_NO_SPACE] = "no address space",
	[STATUS_TIMEOUT] = "timed out",
	[STATUS_DENIED] = "denied",
	[STATUS_UNSUPPORTED] = "not supported by the hardware",
	[STATUS_HARDWARE] = "hardware error",
};

const char *status_name(enum status status)
{
	return (unsigned)status < STATUS_COUNT ? names[status] : "unknown status";
}
