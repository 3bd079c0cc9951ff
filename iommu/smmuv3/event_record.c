/* SPDX-License-Identifier: BSD-2-Clause */
#include "event_record.h"

static enum iommu_fault fault_of(unsigned type)
{
	switch (type) {
	case F_TRANSLATION:
		return IOMMU_FAULT_TRANSLATION;
	case F_PERMISSION:
		return IOMMU_FAULT_PERMISSION;
	case F_ADDR_SIZE:
		return IOMMU_FAULT_ADDRESS_SIZE;
	case F_ACCESS:
		return IOMMU_FAULT_ACCESS_FLAG;
	case C_BAD_STREAMID:
	case F_STE_FETCH:
	case C_BAD_STE:
	case F_STREAM_DISABLED:
	case F_CD_FETCH:
	case C_BAD_CD:
	case F_WALK_EABT:
		return IOMMU_FAULT_CONFIGURATION;
	default:
		return IOMMU_FAULT_OTHER;
	}
}

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
		.fault = fault_of(type),
		.raw_type = (uint8_t)type,
	};

	if (has_address(type)) {
		event.address.v = record->dword[2];
		event.write = !(record->dword[1] & EVENT1_READ);
	}
	return event;
}
