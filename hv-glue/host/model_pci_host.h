/* SPDX-License-Identifier: BSD-2-Clause */
/* The host bridge of QEMU's `virt`, as pci/bus sees it, over an ECAM that model_pci answers. */
#ifndef CW_MODEL_PCI_HOST_H
#define CW_MODEL_PCI_HOST_H

#include "pci_bus.h"

#define MODEL_PCI_ECAM	    0x4010000000ull
#define MODEL_PCI_LOW_BASE  0x10000000ull
#define MODEL_PCI_LOW_SIZE  0x2eff0000ull
#define MODEL_PCI_HIGH_BASE 0x8000000000ull
#define MODEL_PCI_HIGH_SIZE 0x8000000000ull
#define MODEL_PCI_IO_CPU    0x3eff0000ull

static inline void model_pci_host(struct pci_host *host)
{
	*host = (struct pci_host){
		.ecam = MODEL_PCI_ECAM,
		.ecam_size = MIB(256),
		.bus_first = 0,
		.bus_last = 255,
		.windows = {{PCI_SPACE_IO, false, 0, {MODEL_PCI_IO_CPU}, KIB(64)},
			    {PCI_SPACE_MEM32,
			     false,
			     MODEL_PCI_LOW_BASE,
			     {MODEL_PCI_LOW_BASE},
			     MODEL_PCI_LOW_SIZE},
			    {PCI_SPACE_MEM64,
			     false,
			     MODEL_PCI_HIGH_BASE,
			     {MODEL_PCI_HIGH_BASE},
			     MODEL_PCI_HIGH_SIZE}},
		.window_count = 3,
		.iommu_map = {{0, 0, 0x10000}},
		.iommu_map_count = 1,
		.msi_map = {{0, 0, 0x10000}},
		.msi_map_count = 1,
	};
}

#endif
