/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What any hypervisor must supply so that Causeway's rooms can be joined to it: memory,
 * partitions, traps, lifecycle. Time (clock.h), log (log.h) and device access (mmio.h) are part of
 * the same contract. hypervisor/ supplies it on the target, hv-glue/host/ on a workstation.
 *
 * Errors are enum status. Everything here is called on the boot core before partitions run, unless
 * a comment says otherwise.
 */
#ifndef CW_HV_H
#define CW_HV_H

#include "guest_memory.h"
#include "iommu.h"
#include "status.h"
#include "types.h"

#define HV_MAX_PARTITIONS 8
#define HV_MAX_DEVICES	  8 /* of one partition, ends of wires among them */
#define HV_MAX_WIRES	  16

/* A device a partition asks for, as its config says. */
struct hv_device_request {
	char label[24]; /* the node's name, for messages */
	rid_t function; /* the whole function, or the PF whose VF is wanted */
	bool wants_vf;
	bool vf_was_free; /* a wire would have done too */
	uint16_t vf_index;
	bool bypasses_smmu;	 /* the config knows what the device tree may deny */
	bool keep_without_reset; /* it may be this partition's for good */
};

/* A virtual wire: each end is a network card of its partition. The first has it in its config. */
struct hv_wire_request {
	char label[24];
	char why[16]; /* it is not a device of its own: one word */
	bool no_offload;
	partition_id_t ends[2];
	uint8_t macs[2][6];
};

/* --- partitions ------------------------------------------------------------------------------ */

unsigned hv_partition_count(void);
const char *hv_partition_name(partition_id_t partition); /* "nobody" for PARTITION_NONE */

/* What its config says. */
struct hv_partition {
	bool service; /* it drives a PF for others */
	unsigned vcpus, device_count;
	const unsigned *cores; /* of each vCPU */
	const struct hv_device_request *devices;
};
struct hv_partition hv_partition(partition_id_t partition);

/* --- memory ---------------------------------------------------------------------------------- */

/* The partition's RAM as the guest wrote it. Valid for the life of the machine; any core. */
const struct guest_memory *hv_guest_memory(partition_id_t partition);

/*
 * Maps device memory [pa, pa+size) for the partition's CPUs (never for its devices). Page-aligned.
 * STATUS_BUSY: something else is mapped there; STATUS_NO_MEMORY: the table pool is exhausted.
 * After either, nothing is mapped of a range that is aligned to its size, as a BAR is.
 * On the partition's own core, with its vCPUs stopped; takes interrupts in between.
 */
enum status MUST_USE hv_map_device(partition_id_t partition, ipa_t ipa, pa_t pa, uint64_t size);
/* The mirror image, of the same range; returns after all cores' cached translations are gone. */
void hv_unmap_device(partition_id_t partition, ipa_t ipa, uint64_t size);

/* Device registers that the joint itself will access at their physical address. */
void hv_map_registers(pa_t pa, uint64_t size);

/* The stage-2 tables for this partition's devices: its RAM and the doorbell page, nothing else. */
void hv_device_tables(partition_id_t partition, struct iommu_tables *tables);

/* --- wired interrupts ------------------------------------------------------------------------ */

/*
 * The level-triggered SPI `physical` becomes the partition's INTx line (below GUEST_INTX_LINES):
 * taken on the core of its vCPU 0, then silent until the guest ends its virtual one. 0: nothing is
 * on the line, pending or active. On the partition's core with its vCPUs stopped; may be repeated.
 * No two partitions have the same, and no two lines of one.
 */
void hv_wire(partition_id_t partition, unsigned line, intid_t physical);

/* --- traps ----------------------------------------------------------------------------------- */

/*
 * Exits are counted under one of these for each vCPU, with the EL2 time they took. "For the device"
 * are CONFIG, ITS, INJECT and FAULT; timer ticks and inter-processor interrupts are the guest's
 * own.
 */
enum hv_exit_class {
	HV_EXIT_OTHER,
	HV_EXIT_TIMER,
	HV_EXIT_IPI,
	HV_EXIT_CONSOLE,
	HV_EXIT_CONFIG, /* PCI configuration space */
	HV_EXIT_ITS,	/* virtual ITS registers and commands */
	HV_EXIT_WIRE,	/* a card at the end of a virtual wire */
	HV_EXIT_INJECT, /* a device's interrupt that had to be injected */
	HV_EXIT_FAULT,	/* an access to something the guest does not own */
	HV_EXIT_PSCI,
	HV_EXIT_CLASSES
};

struct hv_mmio_region {
	ipa_t base;
	uint64_t size;
	enum hv_exit_class exit_class;
	void *context;
	/*
	 * Called on the accessing vCPU's core; `size` 1, 2, 4 or 8; aligned; never fails. Of what
	 * is read the lower `size` bytes count.
	 */
	uint64_t (*read)(void *context, uint64_t offset, unsigned size);
	void (*write)(void *context, uint64_t offset, unsigned size, uint64_t value);
};

/*
 * From such a write, with no lock held: does an interrupt wait on this core? Then the guest makes
 * the same access again, once it has been taken: long work is cut by that.
 */
bool hv_again(void);

/* STATUS_NO_MEMORY: too many regions. The descriptor is copied. */
enum status MUST_USE hv_trap_region(partition_id_t partition, const struct hv_mmio_region *region);

/* --- message interrupts that the hardware does not deliver itself ----------------------------- */

/*
 * The partition's own slots, numbers below HV_LPI_SLOTS, each an LPI of one vCPU. Any core, also
 * with interrupts of the partition's devices arriving; never fail.
 */
#define HV_LPI_SLOTS	 256
#define HV_LPI_ALL_SLOTS (HV_MAX_PARTITIONS * HV_LPI_SLOTS)

/*
 * The slot becomes LPI `intid` on `vcpu`, with the priority and enable of an LPI configuration byte
 * (Arm IHI 0069 5.1). What is pending moves along. `intid` 0: the slot is none, nothing is pending.
 * A vCPU on another core may still take what its list registers held until a kick has reached it.
 */
void hv_lpi_route(partition_id_t partition, unsigned slot, unsigned vcpu, uint32_t intid,
		  uint8_t property);
/* Its LPI is pending no more. */
void hv_lpi_clear(partition_id_t partition, unsigned slot);
/*
 * The hook `alarm` runs on this core after `ns`; one that is set already stays, and serves. Returns
 * the core.
 */
unsigned hv_alarm(uint64_t ns);

/*
 * From the partition hooks, with no lock held: takes an interrupt that waits on this core. Long
 * work is cut by it, because the boot core's interrupts are everybody's. No kick is lost by that:
 * the request that is being worked on keeps another one away.
 */
void hv_pause(void);

/* --- lifecycle ------------------------------------------------------------------------------- */

/*
 * What the joint wants to be told. Pairs run in mirror order. The vcpu pair runs on the vCPU's own
 * core, just before its first guest instruction and just after its last; the partition pair runs
 * on one of the partition's cores with all its vCPUs stopped. A failing start keeps the
 * partition off. The lpi calls answer the LPI registers of the virtual redistributors.
 */
struct hv_hooks {
	enum status (*core_up)(unsigned core); /* each core, once, at boot */
	void (*cores_up)(void);		       /* once, when all of them are */
	enum status (*partition_start)(partition_id_t partition);
	void (*partition_stop)(partition_id_t partition);
	void (*vcpu_enter)(partition_id_t partition, unsigned vcpu);
	void (*vcpu_leave)(partition_id_t partition, unsigned vcpu);
	uint64_t (*lpi_read)(partition_id_t partition, unsigned vcpu, uint32_t offset);
	void (*lpi_write)(partition_id_t partition, unsigned vcpu, uint32_t offset, uint64_t value,
			  unsigned size);
	void (*lpi_enable)(partition_id_t partition, unsigned vcpu, bool enable);
	/*
	 * A physical LPI was acknowledged here: partition * HV_LPI_SLOTS + slot, whose LPI is
	 * pending now unless the slot is none; or a number beyond all slots.
	 */
	uint32_t (*lpi)(unsigned core, uint32_t intid);
	void (*alarm)(unsigned core);	/* what hv_alarm() asked for */
	void (*device_interrupt)(void); /* the IOMMU's wired interrupts, on the boot core */
	void (*dump)(void);		/* log configuration spaces */
	void (*report)(void);		/* log one line for each device: owner and counters */
};

#endif
