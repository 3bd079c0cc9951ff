/* SPDX-License-Identifier: BSD-2-Clause */
/* What model_pci.c (accesses) and model_pci_tree.c (building) share. */
#ifndef CW_MODEL_PCI_PARTS_H
#define CW_MODEL_PCI_PARTS_H

#include "model_pci.h"

#define FUNCTIONS 1024
#define COMMAND	  0x04
#define MASTER	  0x4
#define BUSES	  0x18
#define VFE	  0x1
#define MSE	  0x8
#define ARI	  0x10

struct model_pci {
	uint8_t first, last;
	bool sealed;
	struct model_pci_function *functions[FUNCTIONS], *vfs[FUNCTIONS * 4];
	unsigned count, vf_count;
	unsigned violations;
	char violation[160];
	struct model_pci_write writes[MODEL_PCI_WRITES];
	unsigned write_count;
};

static inline uint32_t model_pci_get(const uint8_t *row, unsigned offset, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++) {
		value |= (uint32_t)row[offset + i] << (8 * i);
	}
	return value;
}

static inline void model_pci_put(uint8_t *row, unsigned offset, unsigned bytes, uint32_t value)
{
	for (unsigned i = 0; i < bytes; i++) {
		row[offset + i] = (uint8_t)(value >> (8 * i));
	}
}

/* After each change of the System Page Size. */
void model_pci_resize_vf_bars(struct model_pci_function *pf);

#endif
