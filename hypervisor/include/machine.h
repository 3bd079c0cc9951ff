/* SPDX-License-Identifier: BSD-2-Clause */
/* What the machine's device tree says: where memory, cores and the devices we drive are. */
#ifndef CW_MACHINE_H
#define CW_MACHINE_H

#include "partition.h"

struct machine_region {
	pa_t base;
	uint64_t size;
};

struct machine_interrupt {
	unsigned intid; /* 0: none */
	bool edge;
};

#define MACHINE_MEMORY	 4
#define MACHINE_RESERVED 16
#define MACHINE_GICR	 4
#define MACHINE_ECAM	 4

struct machine {
	struct machine_region memory[MACHINE_MEMORY];
	unsigned memory_count;
	/* Kept by the firmware: /memreserve/ and /reserved-memory. Never mapped, never given away.
	 */
	struct machine_region reserved[MACHINE_RESERVED];
	unsigned reserved_count;
	struct machine_region uart, gicd, its, smmu; /* size 0: absent */
	struct machine_region gicr[MACHINE_GICR];
	unsigned gicr_count;
	struct machine_region ecam[MACHINE_ECAM];
	unsigned ecam_count;
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
