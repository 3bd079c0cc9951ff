/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this folder share; nobody else sees it. */
#ifndef CW_GIC_H
#define CW_GIC_H

#include "irq_route.h"
#include "its_commands.h"

#define GIC_TABLE_ALIGN	  KIB(64) /* satisfies every table's alignment and page size */
#define GIC_PROPERTY_SIZE ((1u << IRQ_LPI_BITS) - LPI_FIRST) /* one byte for each LPI */
#define GIC_PENDING_SIZE  ((1u << IRQ_LPI_BITS) / 8)	     /* one bit for each INTID */
#define GIC_TIMEOUT_NS	  100000000ull

struct gic_core {
	mmio_t frame;
	uint64_t rdbase; /* RDbase[51:16] of ITS commands */
	bool dirty_while_valid;
	bool takes_lpis; /* irq_route_core_init() succeeded */
	void *pending_table;
};

struct gic {
	bool clean_tables; /* the GIC does not snoop: clean what it reads */
	mmio_t its;
	struct arena *tables;
	struct gic_core cores[IRQ_ROUTE_MAX_CORES];
	unsigned core_count;
	unsigned itt_entry_size;
	unsigned event_bits; /* most that MAPD may ask for */
	uint64_t device_limit;
	uint64_t vpe_limit;
	uint16_t vpes_taken;  /* boot only: no lock */
	void *property_table; /* of physical LPIs: enabled are those of events on the injected path
			       */
	const char *why_injected; /* one word for the report; NULL: vPEs there are */
	struct irq_sink sink;
	struct irq_partition *partitions[IRQ_ROUTE_MAX_PARTITIONS]; /* by owner */
	/* Injected path: interrupts of each device, below the limit; cores may lose some. */
	uint32_t taken[IRQ_ROUTE_MAX_PARTITIONS * IRQ_PARTITION_MAX_DEVICES];
};

extern struct gic gic;

/* --- its_queue.c: the command queue. Its lock is the innermost. ------------------------------- */

#define ITS_BATCH 32

/* Commands gathered and sent together: a partition's, with its lock. Zero: none. */
struct its_batch {
	struct its_command commands[ITS_BATCH];
	unsigned count;
	unsigned total; /* ever added, for bounds */
	uint32_t vcpus; /* that need a sync, see routes.c */
};

enum status MUST_USE its_queue_init(void);
void its_batch_add(struct its_batch *batch, struct its_command command);
/* Sends what is left and waits until the ITS has taken every command. */
enum status MUST_USE its_batch_run(struct its_batch *batch);

/* --- redistributor.c ----------------------------------------------------------------------------
 */

/* Says why this core's vCPUs need the injected path, if they do: `why_injected`. */
enum status MUST_USE redistributor_probe(unsigned core, mmio_t frame, bool rdbase_is_address);
/*
 * Writes a register that holds a table's address, as shareable and cacheable; when the GIC does not
 * take that, it does not snoop: as neither, and the table is cleaned. `cache` is the register's
 * field; all have shareability in the same place. Returns what the register says then.
 */
uint64_t gic_set_table(mmio_t frame, reg64_t reg, uint64_t value, uint64_t cache, const void *table,
		       size_t size);
/* Cleans a table for a GIC that does not snoop; publishing is the register write's business. */
void gic_clean(const volatile void *p, size_t size);

/* --- vpe.c: of the direct path -----------------------------------------------------------------
 */

/* Ids and tables for its vCPUs. STATUS_NO_MEMORY: no more of them. */
enum status MUST_USE vpes_take(struct irq_partition *partition);
/* Scrubs the property table and maps all vPEs; unmaps one and scrubs its pending table. */
enum status MUST_USE vpes_map(struct irq_partition *partition);
enum status MUST_USE vpe_unmap(struct irq_partition *partition, unsigned vcpu);

/* --- devices.c ----------------------------------------------------------------------------------
 */

enum status MUST_USE devices_init(void); /* nothing taken yet */

/* --- routes.c: events of a partition on the physical ITS. The caller holds its lock. -----------
 */

/*
 * The two paths, direct.c and injected.c: what an event needs on the physical ITS. The event's
 * entry says where it goes; routes.c has set it, and sees to the syncs.
 */
typedef void route_fn(struct irq_partition *partition, unsigned slot);
struct irq_path {
	route_fn *open, *move;
	route_fn *close;     /* before its DISCARD; NULL: nothing */
	route_fn *configure; /* the guest's configuration byte changed, or may have */
};
extern const struct irq_path irq_direct, irq_injected;

static inline struct irq_device *slot_device(struct irq_partition *partition, unsigned slot)
{
	return &partition->devices[slot / IRQ_DEVICE_MAX_EVENTS];
}

static inline unsigned first_slot(const struct irq_partition *partition,
				  const struct irq_device *device)
{
	return (unsigned)(device - partition->devices) * IRQ_DEVICE_MAX_EVENTS;
}

/* A command about the slot's event; `operand` and `target` are OR-ed into words 1 and 2. */
void route_command(struct irq_partition *partition, unsigned slot, unsigned opcode,
		   uint64_t operand, uint64_t target);
/* The guest's configuration byte of a routed event: priority and enable as they count now. */
uint8_t route_property(const struct irq_partition *partition, const struct irq_event *event);

/*
 * To where the event's collection points, with the guest's property; nowhere unless both are
 * mapped. The guest's ITS is enabled.
 */
void route_update(struct irq_partition *partition, unsigned slot);
void route_close(struct irq_partition *partition, unsigned slot);
/* A routed event: to another vCPU. */
void route_move(struct irq_partition *partition, unsigned slot, unsigned vcpu);
/* INT or CLEAR of a routed event. */
void route_signal(struct irq_partition *partition, unsigned slot, unsigned opcode);
/* Reads the guest's configuration byte of a routed event again; of every event of a vCPU. */
void route_configure(struct irq_partition *partition, unsigned slot);
void route_reload_vcpu(struct irq_partition *partition, unsigned vcpu);
/* Closes some events; a few at a time, without the caller's lock; opens every one that can be. */
void routes_close(struct irq_partition *partition, unsigned first, unsigned count);
enum status MUST_USE routes_close_in_steps(struct irq_partition *partition, unsigned first,
					   unsigned count, void (*pause)(void));
void routes_open_all(struct irq_partition *partition);
/* What the guest said of devices and events, once nothing is routed. */
void routes_forget(struct irq_partition *partition);
/* Syncs what was touched and waits. */
enum status MUST_USE routes_finish(struct irq_partition *partition);

/* What a register of 64 bits is to hold after a guest's write of all of it, or of one half. */
static inline uint64_t gic_merge(uint64_t old, uint32_t offset, unsigned size, uint64_t value)
{
	unsigned shift = offset & 4 ? 32 : 0;

	return size == 8 ? value
			 : (old & ~((uint64_t)UINT32_MAX << shift)) | (value & UINT32_MAX) << shift;
}

/* --- vits_commands.c -------------------------------------------------------------------------- */

/* Only a device that attach gave to this partition, by the name it was given there. */
struct irq_device *vits_find_device(struct irq_partition *partition, uint64_t virtual_device);

/* One guest command, already copied. STATUS_OK, a refusal, or the hardware's failure. */
enum status MUST_USE vits_command(struct irq_partition *partition,
				  const struct its_command *command);

/* --- vits_queue.c --------------------------------------------------------------------------- */

/* Takes a slice of the guest's queue, when there is one and its ITS is enabled. */
void vits_queue_process(struct irq_partition *partition);

#endif
