/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree of PCI functions behind an ECAM, for tests. Strict where QEMU forgives: configuration
 * cycles go only where bridges route them, ports without ARI Forwarding pass device 0 alone, VFs
 * and reset functions do not answer before their time, both ends of a link have one Max Payload
 * Size, and what the specification forbids is
 * remembered as a violation. The first violation's text is kept; a test asserts there is none.
 */
#ifndef CW_MODEL_PCI_H
#define CW_MODEL_PCI_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_PCI_BARS	   6
#define MODEL_PCI_WRITES   8192
#define MODEL_PCI_SPACE_IO 0x1
#define MODEL_PCI_MEM32	   0x0
#define MODEL_PCI_MEM64	   0x4
#define MODEL_PCI_PREFETCH 0x8

/* Device/port types for model_pci_bridge(); the last has no PCI Express capability. */
enum model_pci_port {
	MODEL_PCI_ROOT_PORT = 4,
	MODEL_PCI_UPSTREAM = 5,
	MODEL_PCI_DOWNSTREAM = 6,
	MODEL_PCI_TO_PCI = 7,
	MODEL_PCI_CONVENTIONAL = 16
};

struct model_pci;

struct model_pci_bar {
	bool present;
	uint32_t type; /* low bits of the register */
	uint64_t size;
};

struct model_pci_sriov {
	uint16_t total, initial, vf_device, vf_vectors;
	uint32_t page_sizes;
	/* NULL: igb's, 0x80 and 2 for any NumVFs */
	void (*geometry)(uint16_t num_vfs, bool ari, uint16_t *offset, uint16_t *stride);
	uint64_t settle_ns;  /* VFE to the first answer; 0: 100 ms */
	uint32_t absent_vfs; /* bit i: VF i never appears */
	uint32_t blank_vfs;  /* bit i: VF i has no capability list */
};

/* A function. Tests may poke config (values) and writable (masks) directly. */
struct model_pci_function {
	struct model_pci *model;
	struct model_pci_function *parent; /* the bridge above; NULL: first bus */
	struct model_pci_function *pf;	   /* of a VF */
	unsigned vf_index;
	uint8_t devfn;
	uint8_t expander; /* it leads to a root bus of this number; 0: it does not */
	bool is_bridge;
	uint8_t config[4096], writable[4096], clear_on_one[4096], at_reset[4096];
	uint16_t express, sriov, last_capability, last_extended;
	struct model_pci_bar bars[MODEL_PCI_BARS], vf_bars[MODEL_PCI_BARS];
	struct model_pci_sriov sriov_rules;
	uint64_t resetting_until, vfs_from, sriov_closed_until;
	uint64_t bus_reset_from;
	unsigned resets, bus_resets;
	/* misbehaviour */
	bool gone;		/* answers nothing, ever */
	bool ghosts;		/* answers at every device number of its bus */
	bool dies_on_reset;	/* never answers again */
	bool ignores_reset;	/* keeps all its state */
	uint64_t slow_reset_ns; /* answers this long after FLR; 0: 100 ms */
	uint64_t pending_until; /* Transactions Pending is set until then */
};

struct model_pci_write {
	uint16_t rid, offset;
	uint8_t bytes;
	uint32_t value;
	uint64_t time;
};

/* An ECAM at `base` for buses first … last, added to the models. Free it after models_reset(). */
struct model_pci *model_pci_new(uintptr_t base, uint8_t first, uint8_t last);
void model_pci_free(struct model_pci *model);

struct model_pci_function *model_pci_endpoint(struct model_pci *model,
					      struct model_pci_function *parent, uint8_t devfn,
					      uint16_t vendor, uint16_t device);
struct model_pci_function *model_pci_bridge(struct model_pci *model,
					    struct model_pci_function *parent, uint8_t devfn,
					    enum model_pci_port port);
/* A root bus beside the first, as QEMU's pxb-pcie makes one. */
struct model_pci_function *model_pci_expander(struct model_pci *model, uint8_t devfn,
					      uint8_t number);
/* An igb-like PF: four BARs, FLR, MSI-X (10), ARI, SR-IOV at 0x160 with 8 VFs. */
struct model_pci_function *model_pci_igb(struct model_pci *model, struct model_pci_function *parent,
					 uint8_t devfn);

void model_pci_bar(struct model_pci_function *f, unsigned index, uint32_t type, uint64_t size);
void model_pci_vf_bar(struct model_pci_function *pf, unsigned index, uint32_t type, uint64_t size);
/* Each links its capability at the end of its list. */
void model_pci_capability(struct model_pci_function *f, uint8_t id, uint8_t offset);
void model_pci_extended(struct model_pci_function *f, uint16_t id, uint16_t offset);
void model_pci_express(struct model_pci_function *f, uint8_t offset, uint8_t type, bool flr);
void model_pci_msix(struct model_pci_function *f, uint8_t offset, uint16_t vectors, uint8_t bar,
		    uint32_t table);
void model_pci_acs(struct model_pci_function *port, uint16_t offset, uint16_t able);
void model_pci_ari(struct model_pci_function *f, uint16_t offset, uint8_t next_function);
void model_pci_sriov(struct model_pci_function *pf, uint16_t offset,
		     const struct model_pci_sriov *rules);
/* Ready: the present registers are what a reset brings back. Called by a first access at the
 * latest. */
void model_pci_seal(struct model_pci *model);

/* Little-endian access past all rules: 1, 2 or 4 bytes; poke also makes the value the reset value.
 */
uint32_t model_pci_peek(const struct model_pci_function *f, uint16_t offset, unsigned bytes);
void model_pci_poke(struct model_pci_function *f, uint16_t offset, unsigned bytes, uint32_t value);

struct model_pci_function *model_pci_vf(struct model_pci_function *pf, unsigned index);
uint16_t model_pci_rid(const struct model_pci_function *f); /* as its bridges number it now */
/* What its requests carry: below a conventional bridge, what the outermost makes of them. */
uint16_t model_pci_requester(const struct model_pci_function *f);
unsigned model_pci_count(const struct model_pci *model); /* functions, VFs not counted */
struct model_pci_function *model_pci_nth(const struct model_pci *model, unsigned index);

/* Do Command and every bridge window above pass [address, address+size) down to `f`'s bus? */
bool model_pci_passes(const struct model_pci_function *f, bool io, uint64_t address, uint64_t size);
/* Do `f` and every bridge above have bus mastering on? */
bool model_pci_masters(const struct model_pci_function *f);

unsigned model_pci_violations(const struct model_pci *model);
const char *model_pci_violation(const struct model_pci *model); /* the first; "" when none */

unsigned model_pci_write_count(const struct model_pci *model);
const struct model_pci_write *model_pci_write_nth(const struct model_pci *model, unsigned index);
/* Index of the first write to (rid, offset) at or after `from`; the count when there is none. */
unsigned model_pci_write_find(const struct model_pci *model, unsigned from, uint16_t rid,
			      uint16_t offset);

#endif
