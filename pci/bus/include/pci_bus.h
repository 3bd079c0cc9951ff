/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical side of PCI: finds every function below one generic ECAM host bridge, numbers the
 * buses, assigns bridge windows and BARs (no firmware has), and resets functions.
 *
 * Leans on: lib. Specification: PCI Express Base 5.0; PCI Local Bus 3.0 (BARs, bridges);
 * devicetree binding pci-host-ecam-generic.
 *
 * All of it runs on the boot core before any partition does, except pci_bus_reset() and the config
 * accessors, which the owner of a function (the attach/detach path) calls under its own lock.
 */
#ifndef CW_PCI_BUS_H
#define CW_PCI_BUS_H

#include "dt.h"
#include "mmio.h"
#include "pci_group.h"
#include "status.h"
#include "types.h"

#define PCI_BUS_MAX_FUNCTIONS 640 /* functions found at boot, VFs not counted */
#define PCI_BUS_MAX_ROOTS     8	  /* the first bus, and those of root complexes beside it */
#define PCI_BUS_MAX_WINDOWS   4
#define PCI_BUS_BARS	      6
#define PCI_CAPABILITY_HOPS   48  /* bound of either capability walk */
#define PCI_BUS_MAX_VFS	      256 /* of one PF, counted for BAR space and bus numbers */
#define PCI_BUS_ROOT	      0xffff

enum pci_space { PCI_SPACE_NONE, PCI_SPACE_IO, PCI_SPACE_MEM32, PCI_SPACE_MEM64 };

/* One `ranges` entry of the host bridge. */
struct pci_window {
	enum pci_space space;
	bool prefetchable;
	uint64_t pci_base;
	pa_t cpu_base;
	uint64_t size;
};

/* One entry of iommu-map or msi-map: RIDs [rid_base, rid_base+length) → out_base + offset. */
struct pci_id_map {
	uint32_t rid_base;
	uint32_t out_base;
	uint32_t length;
};

#define PCI_BUS_MAX_ID_MAPS 4

/* One entry of interrupt-map that leads to a level-triggered SPI of the GIC. */
struct pci_intx {
	uint32_t unit; /* the masked first cell of the unit address: bus, device, function */
	uint8_t pin;
	intid_t intid;
};

#define PCI_BUS_MAX_INTX 16

/* What the machine's device tree says; hypervisor or test fills it (pci_host_from_fdt()). */
struct pci_host {
	uintptr_t ecam; /* where the ECAM region is mapped */
	uint64_t ecam_size;
	uint8_t bus_first, bus_last;
	struct pci_window windows[PCI_BUS_MAX_WINDOWS];
	unsigned window_count;
	struct pci_id_map iommu_map[PCI_BUS_MAX_ID_MAPS];
	unsigned iommu_map_count; /* 0: this bridge's DMA bypasses the SMMU */
	struct pci_id_map msi_map[PCI_BUS_MAX_ID_MAPS];
	unsigned msi_map_count; /* 0: no ITS behind this bridge */
	uint32_t intx_unit_mask;
	uint8_t intx_pin_mask;
	struct pci_intx intx[PCI_BUS_MAX_INTX];
	unsigned intx_count;
};

#define PCI_BUS_SOFT_BYTES 256

/* Functions that no hardware is: their configuration spaces lie in memory, and keep all writes. */
struct pci_soft {
	rid_t first; /* the others follow */
	unsigned count;
	uint8_t (*spaces)[PCI_BUS_SOFT_BYTES];
};

struct pci_bar {
	uint64_t pci_address; /* what the BAR register holds */
	pa_t cpu_address;
	uint64_t size; /* bytes, a power of two; of one VF for a VF BAR. With PCI_SPACE_NONE: 0 when
			* not implemented, else the BAR exists but has no address */
	enum pci_space
		space; /* PCI_SPACE_NONE: not implemented, or the upper half of a 64-bit BAR */
	bool prefetchable;
};

/* Offsets of capabilities in configuration space; 0 when absent. */
struct pci_capabilities {
	uint16_t express, msi, msix, power;	   /* capability list */
	uint16_t acs, ari, sriov, ats, pri, pasid; /* extended list */
	uint16_t msix_vectors;			   /* of its table; 0 without MSI-X */
};

struct pci_function {
	rid_t rid;
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_revision; /* config offset 0x08: class[31:8] revision[7:0] */
	uint8_t header_type;	 /* 0 endpoint, 1 bridge; multifunction bit removed */
	uint8_t interrupt_pin;
	bool intx_stoppable; /* it has Interrupt Disable, which PCI 2.2 had not */
	uint16_t parent;     /* index of the bridge above; PCI_BUS_ROOT on a root bus */
	uint16_t below; /* of a bridge: index of the first function below it, if there is one */
	uint16_t group; /* its isolation group: index of the group's first function */
	uint8_t secondary, subordinate; /* of a bridge: the buses below it; 0: got no number */
	uint8_t express_type;		/* device/port type, PCI_EXPRESS_NONE without */
	/* As firmware left them; a reset of the bus forgets payload and request sizes, ASPM, ... */
	uint16_t device_control, link_control;
	bool ari_forwarding; /* of a port: it passes device numbers above 0 */
	bool ari_hierarchy;  /* of a PF: gets ARI Capable Hierarchy (9.3.3.3.5) */
	uint16_t decode;     /* PCI_COMMAND_IO | _MEMORY: what its BARs' placing allows */
	rid_t requester; /* what its DMA and MSIs carry: another's below a conventional bridge */
	bool behind_conventional_bridge;
	struct pci_bar bars[PCI_BUS_BARS];
	struct pci_bar
		vf_bars[PCI_BUS_BARS]; /* geometry for one VF; space holds TotalVFs of them */
	struct pci_capabilities caps;
	uint16_t total_vfs; /* 0 without SR-IOV; at most PCI_BUS_MAX_VFS */
};

struct pci_bus {
	struct pci_host host;
	unsigned function_count;
	uint16_t bus_count;   /* up to the highest number in use */
	struct pci_soft soft; /* set after the walk; nothing else has their requester ids */
	struct pci_function functions[PCI_BUS_MAX_FUNCTIONS];
};

/*
 * Reads the pci-host-ecam-generic node that a walk from the root of a device tree has reached, with
 * its ranges, bus-range, iommu-map and msi-map. STATUS_NOT_FOUND: the walk has not begun, there is
 * none; STATUS_INVALID: it breaks its binding. The ECAM is taken as identity-mapped.
 */
enum status MUST_USE pci_host_from_fdt(struct pci_host *host, const struct dt_walk *at);

/*
 * Walks the bus, depth first, numbering buses as it goes; then sizes and places every bridge
 * window, BAR and VF BAR. On return every endpoint has memory and I/O decode as assigned but bus
 * mastering OFF, bridges forward both ways. All memory is placed below 4 GiB: there a guest can
 * have it. A function whose BARs found no room is kept with those BARs' space set to
 * PCI_SPACE_NONE, decode off, and a log line; the walk goes on. STATUS_NO_MEMORY: more than
 * PCI_BUS_MAX_FUNCTIONS (the rest stay without decode, bus mastering off); STATUS_NO_SPACE: bus
 * numbers ran out (the bridge stays closed); what was found is usable after either. `host` is as
 * pci_host_from_fdt() gives it.
 */
enum status MUST_USE pci_bus_enumerate(struct pci_bus *bus, const struct pci_host *host);

/* Those directly below `bridge` are functions[bridge->below] up to this index. */
static inline unsigned pci_below_end(const struct pci_bus *bus, const struct pci_function *bridge)
{
	unsigned end = bridge->below, parent = (unsigned)(bridge - bus->functions);

	while (end < bus->function_count && bus->functions[end].parent == parent) {
		end++;
	}
	return end;
}

struct pci_function *pci_bus_find(struct pci_bus *bus, rid_t rid);

/*
 * Can config cycles reach a VF of `pf` at requester id `rid` (a sum, so it may exceed 16 bits)?
 * Its bus is one that `pf`'s own bus reserved, nothing else is there, and the port above lets its
 * device number pass (ARI Forwarding, PCIe 6.13).
 */
bool pci_bus_vf_reachable(const struct pci_bus *bus, const struct pci_function *pf, uint32_t rid);

/*
 * Turns its VFs off, and waits (1 s, asleep) when they were on; its SR-IOV capability is then as
 * the walk left it: NumVFs 0, 4 KiB pages, the ARI bit as its place says.
 */
void pci_sriov_off(const struct pci_bus *bus, const struct pci_function *pf);

/* Translates a requester id by the host's maps. STATUS_NOT_FOUND: not covered, i.e. bypassed. */
enum status MUST_USE pci_bus_stream_id(const struct pci_bus *bus, rid_t rid, stream_id_t *stream);
enum status MUST_USE pci_bus_device_id(const struct pci_bus *bus, rid_t rid, device_id_t *device);

/* The interrupt of the function's INTx, which others may share; false: none, or none known. */
bool pci_bus_line(const struct pci_bus *bus, const struct pci_function *function, intid_t *line);

/*
 * Configuration space of any requester id, VFs included; one access of 1, 2 or 4 bytes. `offset` <
 * 4096 and naturally aligned; a bus outside the bridge reads as all-ones and drops writes.
 */
uint32_t pci_config_read(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes);
void pci_config_write(const struct pci_bus *bus, rid_t rid, unsigned offset, unsigned bytes,
		      uint32_t value);
#define pci_config_read8(bus, rid, offset)	    ((uint8_t)pci_config_read(bus, rid, offset, 1))
#define pci_config_read16(bus, rid, offset)	    ((uint16_t)pci_config_read(bus, rid, offset, 2))
#define pci_config_read32(bus, rid, offset)	    pci_config_read(bus, rid, offset, 4)
#define pci_config_write16(bus, rid, offset, value) pci_config_write(bus, rid, offset, 2, value)
#define pci_config_write32(bus, rid, offset, value) pci_config_write(bus, rid, offset, 4, value)

/*
 * Fills caps from both lists, of each of which at most PCI_CAPABILITY_HOPS are looked at; a
 * capability too near the end to hold its registers counts as absent.
 */
void pci_read_capabilities(const struct pci_bus *bus, rid_t rid, struct pci_capabilities *caps);
/*
 * Function-level reset (PCIe 6.6.2): bus mastering off, wait for pending transactions (bounded),
 * Initiate FLR, 100 ms as a timer, then wait until the function answers again (bounded). Interrupt
 * Disable stays as it was until then. A function of the bus walk gets its BARs back, decode and
 * Interrupt Disable, a PF loses its VFs; of any other, a VF, Command is for the caller to write.
 * `express` is the offset of its PCI Express capability.
 * STATUS_UNSUPPORTED: no FLR; STATUS_TIMEOUT: it never came back, keep it quarantined.
 */
enum status MUST_USE pci_function_reset(const struct pci_bus *bus, rid_t rid, uint16_t express);

bool pci_has_flr(const struct pci_bus *bus, rid_t rid, uint16_t express);

/*
 * Resets all functions on the bus below `port`, by its Secondary Bus Reset (7.5.1.3.13): for
 * functions without FLR. Their bus mastering goes off first, the waits are bounded; they get their
 * BARs back, and decode. There is no bridge among them, and no PF with VFs. STATUS_TIMEOUT: one of
 * them never came back.
 */
enum status MUST_USE pci_secondary_reset(const struct pci_bus *bus,
					 const struct pci_function *port);

/* Waits (at most 1 s, asleep) until the function answers; a VF answers though its id reads as
 * 0xffff. */
enum status MUST_USE pci_function_wait(const struct pci_bus *bus, rid_t rid);

/* "0000:01:10.2"; the string lives as long as the expression in which it stands. */
struct pci_name {
	char text[13];
};
struct pci_name pci_name_of(rid_t rid);
#define pci_name(rid) (pci_name_of(rid).text)

/* Does what was found there still answer, by the same id? It may have been pulled, or replaced. */
bool pci_bus_still_there(const struct pci_bus *bus, rid_t rid, uint16_t vendor, uint16_t device);

/* Register names used by more than one room (PCI 3.0 chapter 6, PCIe 5.0 chapter 7). */
#define PCI_VENDOR_ID	     0x00
#define PCI_DEVICE_ID	     0x02
#define PCI_COMMAND	     0x04
#define PCI_COMMAND_IO	     0x0001
#define PCI_COMMAND_MEMORY   0x0002
#define PCI_COMMAND_MASTER   0x0004
#define PCI_COMMAND_INTX_OFF 0x0400
#define PCI_STATUS	     0x06
#define PCI_BAR0	     0x10
#define PCI_CAP_POINTER	     0x34

#define PCI_CAP_ID_POWER     0x01
#define PCI_CAP_ID_MSI	     0x05
#define PCI_CAP_ID_VENDOR    0x09
#define PCI_CAP_ID_EXPRESS   0x10
#define PCI_CAP_ID_MSIX	     0x11

/* SR-IOV extended capability (9.3.3): offsets from its start. */
#define PCI_SRIOV_CONTROL	  0x08
#define PCI_SRIOV_CONTROL_VFE	  0x0001
#define PCI_SRIOV_CONTROL_MSE	  0x0008
#define PCI_SRIOV_CONTROL_ARI	  0x0010
#define PCI_SRIOV_INITIAL_VFS	  0x0c
#define PCI_SRIOV_TOTAL_VFS	  0x0e
#define PCI_SRIOV_NUM_VFS	  0x10
#define PCI_SRIOV_VF_OFFSET	  0x14
#define PCI_SRIOV_VF_STRIDE	  0x16
#define PCI_SRIOV_VF_DEVICE	  0x1a
#define PCI_SRIOV_SUPPORTED_PAGES 0x1c
#define PCI_SRIOV_SYSTEM_PAGE	  0x20
#define PCI_SRIOV_PAGE_4K	  0x0001
#define PCI_SRIOV_BAR0		  0x24

#define PCI_EXT_CAP_ID_ACS	  0x000d
#define PCI_EXT_CAP_ID_ARI	  0x000e
#define PCI_EXT_CAP_ID_ATS	  0x000f
#define PCI_EXT_CAP_ID_SRIOV	  0x0010
#define PCI_EXT_CAP_ID_PRI	  0x0013
#define PCI_EXT_CAP_ID_PASID	  0x001b

#endif
