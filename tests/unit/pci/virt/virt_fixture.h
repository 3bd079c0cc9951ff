/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions with every capability, and a bridge that shows them. */
#ifndef CW_VIRT_FIXTURE_H
#define CW_VIRT_FIXTURE_H

#include "model_config.h"
#include "pci_virt.h"

#define SLOT_WHOLE  1 /* a whole function: 64-bit maskable MSI, an I/O BAR */
#define SLOT_SMALL  2 /* a whole function: 32-bit MSI without mask, INTx */
#define SLOT_MASKED 3 /* a whole function: 32-bit MSI with mask */
#define SLOT_WIDE   4 /* a whole function: 64-bit MSI without mask */
#define SLOT_VF	    5
#define SLOT_EMPTY  6

/* Where the model's functions have their capabilities. */
#define AT_POWER      0x40
#define AT_MSI	      0x50
#define AT_MSIX	      0x70
#define AT_VENDOR     0x90 /* vendor-specific, 8 bytes: shown as it was */
#define AT_EXPRESS    0xa0

#define FIXTURE_ECAM  0x4010000000ull
#define FIXTURE_OWNER ((partition_id_t){3})

struct fixture {
	struct model_config model;
	struct pci_virt bridge;
	struct model_function
		*functions[PCI_VIRT_SLOTS]; /* by slot; NULL for slot 0 and empty ones */
	struct pci_virt_identity identities[PCI_VIRT_SLOTS];
};

/* Models reset, functions made, identities filled; nothing added to the bridge yet. */
void fixture_init(struct fixture *fixture);
/* The same, with every function added in its slot. */
void fixture_start(struct fixture *fixture);
enum status fixture_add(struct fixture *fixture, unsigned slot);

/* A BAR as pci/bus would describe it; a 64-bit one is prefetchable. */
struct pci_bar fixture_bar(enum pci_space space, uint64_t address, uint64_t size);

/* The function's Device Capabilities say that it has no function-level reset. */
void fixture_without_reset(struct fixture *fixture, unsigned slot);

/* A guest's access to a register of a slot. */
uint64_t guest_read(struct fixture *fixture, unsigned slot, unsigned reg, unsigned size);
void guest_write(struct fixture *fixture, unsigned slot, unsigned reg, unsigned size,
		 uint64_t value);

/* Does the bridge still hold what it was told: the function, its ids, and where its BARs are? */
bool fixture_intact(const struct fixture *fixture, unsigned slot);

/* The bits of each byte that a guest may change in hardware: written by hand, not from the table.
 */
void fixture_allowed(unsigned slot, uint8_t allowed[MODEL_CONFIG_BYTES]);

#endif
