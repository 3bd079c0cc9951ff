/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * (device, event) → virtual interrupt of a partition. gic/ does it on the ITS: one physical ITT for
 * each function, and a virtual ITS whose commands are validated and mirrored. A partition's
 * interrupts take one of two paths:
 *
 *   direct    GICv4, one vPE for each vCPU: VMAPTI, VMOVI, …; the hypervisor is not in between.
 *   injected  without GICv4, or when vPEs run out: MAPTI to a physical LPI of ours on the vCPU's
 *             core. It is taken at EL2 (irq_route_taken) and handed on to the virtual GIC.
 *
 * Leans on: lib. Specification: Arm IHI 0069 (GICv3/v4), chapters 5 (ITS), 6 (virtual LPIs), 12.
 * Locks: one for the physical ITS (innermost), one for each struct irq_partition; taken in the
 * order partition, ITS. Everything is static: no reference counts.
 */
#ifndef CW_IRQ_ROUTE_H
#define CW_IRQ_ROUTE_H

#include "arena.h"
#include "guest_map.h"
#include "guest_memory.h"
#include "lock.h"
#include "log.h"
#include "mmio.h"
#include "status.h"
#include "types.h"

#define IRQ_ROUTE_MAX_CORES	  16
#define IRQ_ROUTE_MAX_PARTITIONS  8
#define IRQ_PARTITION_MAX_DEVICES 8
#define IRQ_DEVICE_MAX_EVENTS	  32 /* rounded-up power of two of a function's MSI-X vectors */
#define IRQ_PARTITION_COLLECTIONS 16
#define IRQ_LPI_BITS		  14 /* INTIDs below 1 << 14: 8192 LPIs, in both worlds */
#define IRQ_PARTITION_SLOTS	  (IRQ_PARTITION_MAX_DEVICES * IRQ_DEVICE_MAX_EVENTS)

/*
 * The virtual GIC behind the injected path. A slot is an event of one partition, a number below
 * IRQ_PARTITION_SLOTS. Called with that partition's lock held, or from irq_route_taken().
 */
struct irq_sink {
	/*
	 * From now on the slot is the guest's LPI `intid` on `vcpu`, with the priority and enable
	 * of a configuration byte; what is pending stays so, there. 0: it is none, nothing is.
	 */
	void (*route)(partition_id_t partition, unsigned slot, unsigned vcpu, uint32_t intid,
		      uint8_t property);
	void (*clear)(partition_id_t partition, unsigned slot); /* not pending any more */
	/* irq_route_alarm() on this core after `ns`, or when an earlier alarm is due. */
	unsigned (*alarm)(uint64_t ns); /* returns the core */
	/* The device rang too often and is masked for a while: its owner is told. */
	void (*storm)(partition_id_t partition, device_id_t device);
};

struct irq_route_config {
	mmio_t its;				    /* control frame */
	mmio_t redistributors[IRQ_ROUTE_MAX_CORES]; /* RD_base of each core, by core number */
	unsigned cores;
	unsigned device_bits; /* of a DeviceID, as many as devices may send */
	struct irq_sink sink;
	struct arena *tables; /* IRQ_ROUTE_ARENA_SIZE bytes are enough */
};

#define IRQ_ROUTE_ARENA_SIZE MIB(8)

/*
 * On the boot core: looks for GICv4 (GITS_TYPER.Virtual, GICR_TYPER.VLPIS), sets up the ITS's
 * tables and command queue, enables it. One log line says which path interrupts will take, and
 * why. STATUS_UNSUPPORTED: no ITS that delivers LPIs.
 */
enum status MUST_USE irq_route_init(const struct irq_route_config *config);

/* On each core, once: LPI tables of its redistributor, EnableLPIs, the core's own collection. */
enum status MUST_USE irq_route_core_init(unsigned core);

/* One event of a device. */
struct irq_event {
	bool mapped;	     /* the guest's MAPTI is in force */
	bool routed;	     /* and so is our VMAPTI: its collection is mapped, its ITS enabled */
	uint8_t vcpu;	     /* where it is routed to */
	uint16_t collection; /* < IRQ_PARTITION_COLLECTIONS */
	uint32_t vlpi;	     /* guest INTID */
};

/* A place for a device; its events are the slots from its number * IRQ_DEVICE_MAX_EVENTS on. */
struct irq_device {
	bool bound;		    /* attach gave it to this partition */
	device_id_t device;	    /* physical; 0, which is never one: the place is free */
	device_id_t virtual_device; /* the guest's DeviceID */
	unsigned event_limit; /* power of two, <= IRQ_DEVICE_MAX_EVENTS: size of the physical ITT */
	unsigned guest_events; /* the guest's MAPD size: events below both limits count; 0: none */
	/* Injected path: what keeps one that rings too often in its bounds (gic/injected.c). */
	uint64_t since; /* ns: when its interrupts were counted up last */
	bool masked;
	unsigned masked_by; /* the core whose alarm ends it */
};

struct irq_collection {
	bool mapped;
	uint8_t vcpu;
};

struct irq_counters {
	uint64_t commands; /* guest ITS commands processed, many in one exit */
	uint64_t refused;  /* of these: invalid, or not the guest's to give */
	uint64_t mmio;	   /* accesses to the virtual ITS's registers */
	uint64_t storms;   /* times a device was masked because it rang too often */
};

struct irq_vpe {
	uint16_t id;   /* vPEID, unique in the machine */
	unsigned core; /* where it is pinned */
	void *pending_table;
	bool resident;
	bool impdef_unused; /* GICR_VPENDBASER.IDAI: the table holds architected bits only */
};

struct irq_path; /* gic/gic.h */
struct its_batch;

/* Everything the machine holds for one partition's message interrupts. Opaque but for counters. */
struct irq_partition {
	struct lock lock;
	partition_id_t owner;
	unsigned vcpus;
	struct irq_vpe vpes[GUEST_MAX_VCPUS];
	struct guest_memory memory;
	const char *why_injected; /* one word; NULL: the direct path */
	const struct irq_path *path;
	struct its_batch *batch; /* commands to the physical ITS, not sent yet */
	void *property_table;	 /* the vPEs' configuration, ours: a checked copy of the guest's */
	struct irq_device devices[IRQ_PARTITION_MAX_DEVICES];
	struct irq_event events[IRQ_PARTITION_SLOTS];
	/* From here to `counters`: as the guest wrote it, zeroed by a reset. */
	struct irq_collection collections[IRQ_PARTITION_COLLECTIONS];
	/* virtual ITS registers */
	uint32_t ctlr;
	uint64_t cbaser, cwriter, creadr, baser[8];
	/* virtual redistributor LPI registers */
	uint64_t propbaser;
	uint64_t pendbaser[GUEST_MAX_VCPUS];
	bool lpis_enabled[GUEST_MAX_VCPUS];
	struct irq_counters counters;
	struct log_quota quota; /* of lines the guest can provoke */
};

/*
 * At boot, once: takes vPE ids and tables, VMAPPs each vPE to its core. `core_of_vcpu` has `vcpus`
 * entries. Out of vPE ids or of memory for them: one log line, and the injected path.
 */
enum status MUST_USE irq_partition_init(struct irq_partition *partition, partition_id_t owner,
					const struct guest_memory *memory, unsigned vcpus,
					const unsigned *core_of_vcpu);

/*
 * Back to power-on: unmaps every event (DISCARD), forgets collections, clears registers, scrubs
 * pending and property tables. Bound devices stay bound. No vCPU may run meanwhile. `pause` is
 * called, with no lock held, between steps that are bounded whatever the partition has: a few
 * events, a vPE. STATUS_STATE: a vPE is resident.
 */
enum status MUST_USE irq_partition_reset(struct irq_partition *partition, void (*pause)(void));

/*
 * On the vCPU's core, before it runs and after it stopped: GICR_VPROPBASER and GICR_VPENDBASER.
 * Nothing but a check on the injected path.
 * STATUS_STATE: it is so already, or another vPE holds the core.
 */
enum status MUST_USE irq_vcpu_resident(struct irq_partition *partition, unsigned vcpu);
enum status MUST_USE irq_vcpu_nonresident(struct irq_partition *partition, unsigned vcpu);

/*
 * Gives a function's events to the partition: allocates (first time) and clears the ITT, MAPD.
 * The guest addresses it by `virtual_device`. STATUS_BUSY: bound already; STATUS_RANGE: too many
 * vectors or DeviceID beyond GITS_TYPER.Devbits; STATUS_INVALID: DeviceID 0 is kept unmapped;
 * STATUS_NO_MEMORY: the partition, or the machine, has no room for another device.
 */
enum status MUST_USE irq_device_bind(struct irq_partition *partition, device_id_t device,
				     device_id_t virtual_device, unsigned vectors);

/*
 * The mirror image, strictly: DISCARD each event, MAPD V=0, SYNC. Afterwards no event can land. On
 * STATUS_TIMEOUT or STATUS_HARDWARE the device stays bound for good: nobody may have it. No vCPU
 * may run meanwhile; `pause` as above.
 */
enum status MUST_USE irq_device_unbind(struct irq_partition *partition, device_id_t device,
				       void (*pause)(void));

/*
 * Event `event` of a bound device happens, as if the device had sent it: any core. Dropped while
 * the guest has not mapped it.
 */
void irq_device_raise(struct irq_partition *partition, device_id_t device, unsigned event);

/*
 * Injected path, on the core that acknowledged physical LPI `intid`: partition *
 * IRQ_PARTITION_SLOTS + slot, which is pending now unless it is none of the partition's; or a
 * number beyond all slots. A device that rings STORM_LIMIT times in less than STORM_WINDOW_NS is
 * masked for as long (gic/injected.c); what it sends meanwhile stays pending, once.
 */
uint32_t irq_route_taken(unsigned core, uint32_t intid);
/* What the sink's alarm asked for: devices that were masked by `core` ring again. */
void irq_route_alarm(unsigned core);

/*
 * The guest's virtual ITS control frame: `offset` within GITS_ base, `size` 4 or 8 (others read 0
 * and drop). A write to GITS_CWRITER processes a slice of the queue, bounded in guest and in
 * physical commands; what is left goes on at each read of GITS_CREADR, which a guest polls.
 */
uint64_t vits_read(struct irq_partition *partition, uint32_t offset, unsigned size);
void vits_write(struct irq_partition *partition, uint32_t offset, unsigned size, uint64_t value);

/* The LPI part of the guest's redistributor frame; others are the hypervisor's. */
uint64_t vredist_lpi_read(const struct irq_partition *partition, unsigned vcpu, uint32_t offset);
void vredist_lpi_write(struct irq_partition *partition, unsigned vcpu, uint32_t offset,
		       unsigned size, uint64_t value);
void vredist_lpi_enable(struct irq_partition *partition, unsigned vcpu, bool enable);

#endif
