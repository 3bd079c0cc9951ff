/* SPDX-License-Identifier: BSD-2-Clause */
#include "event_record.h"

static const char *const reasons[] = {
	[C_BAD_STREAMID] = "configuration", [F_STE_FETCH] = "configuration",
	[C_BAD_STE] = "configuration",	    [F_STREAM_DISABLED] = "configuration",
	[F_CD_FETCH] = "configuration",	    [C_BAD_CD] = "configuration",
	[F_WALK_EABT] = "configuration",    [F_TRANSLATION] = "no-translation",
	[F_ADDR_SIZE] = "address-size",	    [F_ACCESS] = "access-flag",
	[F_PERMISSION] = "permission",
};

/* Types whose record carries InputAddr and RnW; elsewhere those bits mean something else. */
static bool has_address(unsigned type)
{
	return type == F_UUT || type == F_TRANSL_FORBIDDEN || type == F_WALK_EABT ||
	       (type >= F_TRANSLATION && type <= F_PERMISSION);
}

struct iommu_event event_decode(const struct event_record *record)
{
	unsigned type = (unsigned)field_get(EVENT0_TYPE, record->dword[0]);
	struct iommu_event event = {
		.stream = {(uint32_t)field_get(EVENT0_STREAM, record->dword[0])},
		.owner = PARTITION_NONE,
		.reason = type < ARRAY_SIZE(reasons) && reasons[type] ? reasons[type] : "other",
		.raw_type = (uint8_t)type,
	};

	if (has_address(type)) {
		event.address.v = record->dword[2];
		event.write = !(record->dword[1] & EVENT1_READ);
	}
	return event;
}
