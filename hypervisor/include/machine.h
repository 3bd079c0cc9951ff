/* SPDX-License-Identifier: BSD-2-Clause */
/* What the machine's device tree says: where memory, cores and the devices we drive are. */
#ifndef CW_MACHINE_H
#define CW_MACHINE_H

#include "dt.h"
#include "types.h"

struct range {
	uint64_t base, size;
};

#define MAX_RANGES 24
struct ranges {
	struct range ranges[MAX_RANGES];
	unsigned count;
};

struct machine_interrupt {
	unsigned intid; /* 0: none */
	bool edge;
};

struct machine {
	struct ranges memory;
	/* Kept by the firmware: /memreserve/ and /reserved-memory. Never mapped, never given away.
	 */
	struct ranges reserved;
	struct range uart, gicd, its, smmu; /* size 0: absent */
	struct ranges gicr, ecam;
	struct dt_walk host_bridge; /* at the first of them; depth 0: there is none */
	struct machine_interrupt uart_interrupt, smmu_event, smmu_error;
	uint64_t affinities[16];
	unsigned core_count;
	const void *fit; /* the loader's initrd; NULL: none */
	uint64_t fit_size;
};

/* Reads it all. STATUS_INVALID: not a device tree, or no memory, no GICv3 or no cores in it;
 * STATUS_NO_MEMORY: more reserved memory than can be remembered. */
enum status MUST_USE machine_read(struct machine *machine, const void *fdt);

#endif
