/* SPDX-License-Identifier: BSD-2-Clause */
/* Event records as plain words (IHI 0070 G.b, 7.3). Pure functions. */
#ifndef CW_SMMU_EVENT_RECORD_H
#define CW_SMMU_EVENT_RECORD_H

#include "bits.h"
#include "iommu.h"

#define EVENT_DWORDS  4

#define EVENT0_TYPE   BITS(7, 0)
#define EVENT0_STREAM BITS(63, 32)
#define EVENT1_READ   BIT(35) /* RnW */

enum event_type {
	F_UUT = 0x01,
	C_BAD_STREAMID = 0x02,
	F_STE_FETCH = 0x03,
	C_BAD_STE = 0x04,
	F_STREAM_DISABLED = 0x06,
	F_TRANSL_FORBIDDEN = 0x07,
	F_CD_FETCH = 0x09,
	C_BAD_CD = 0x0a,
	F_WALK_EABT = 0x0b,
	F_TRANSLATION = 0x10,
	F_ADDR_SIZE = 0x11,
	F_ACCESS = 0x12,
	F_PERMISSION = 0x13,
};

struct event_record {
	uint64_t dword[EVENT_DWORDS];
};

/* Owner is left PARTITION_NONE. An event without an address has 0 and counts as a read. */
struct iommu_event event_decode(const struct event_record *record);

#endif
