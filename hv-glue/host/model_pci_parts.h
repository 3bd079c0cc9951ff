/* SPDX-License-Identifier: BSD-2-Clause */
/* What model_pci.c (accesses), model_pci_route.c (who is addressed) and model_pci_tree.c (building)
 * share. */
#ifndef CW_MODEL_PCI_PARTS_H
#define CW_MODEL_PCI_PARTS_H

#include "model_pci.h"

#define FUNCTIONS 1024
#define COMMAND	  0x04
#define IO	  0x1
#define MEMORY	  0x2
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

static inline uint16_t model_pci_command(const struct model_pci_function *f)
{
	return (uint16_t)model_pci_get(f->config, COMMAND, 2);
}

static inline uint16_t model_pci_sriov_word(const struct model_pci_function *pf, unsigned offset)
{
	return (uint16_t)model_pci_get(pf->config, pf->sriov + offset, 2);
}

__attribute__((format(printf, 2, 3))) void model_pci_violate(const struct model_pci_function *f,
							     const char *format, ...);
/* Of its VFs: First VF Offset and VF Stride as they are now. */
void model_pci_geometry(const struct model_pci_function *pf, uint16_t *offset, uint16_t *stride);
/* The function that a configuration request to `rid` reaches, or NULL. */
struct model_pci_function *model_pci_target(struct model_pci *m, uint16_t rid);
/* After each change of the System Page Size. */
void model_pci_resize_vf_bars(struct model_pci_function *pf);

#endif
