/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The joint: the only place that knows more than one leg. glue_start() brings the legs up on the
 * machine and returns the hooks by which the hypervisor tells it of partitions coming and going.
 *
 * Leans on: every room, and hv.h for what the hypervisor supplies.
 */
#ifndef CW_GLUE_H
#define CW_GLUE_H

#include "dt.h"
#include "hv.h"

/* What the machine's device tree says about the legs' hardware. */
struct glue_machine {
	const struct dt_walk
		*host_bridge; /* where it is in the device tree; depth 0: there is none */
	mmio_t smmu;
	uint64_t smmu_size;
	mmio_t its;
	mmio_t redistributors[16];
	unsigned cores;
	const struct hv_wire_request *wires;
	unsigned wire_count;
	bool dump_pci; /* log the configuration spaces each time a partition starts */
};

/*
 * SMMU abort first, then PCI enumeration and SR-IOV, then SMMU tables, then the ITS. A leg that is
 * missing is said in one line; devices that need it are refused one by one, later.
 */
enum status MUST_USE glue_start(const struct glue_machine *machine, struct hv_hooks *hooks);

#endif
