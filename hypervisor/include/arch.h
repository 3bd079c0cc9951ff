/* SPDX-License-Identifier: BSD-2-Clause */
/* What the portable part of the hypervisor asks of the architecture. */
#ifndef CW_ARCH_H
#define CW_ARCH_H

#include "mmio.h"
#include "partition.h"
#include "status.h"
#include "types.h"

#define ARCH_MAX_CORES 16

/* One physical core. */
struct core {
	unsigned number;
	uint64_t affinity; /* MPIDR affinity fields */
	bool online;	   /* atomic */
	struct vcpu *vcpu; /* pinned here, or NULL */
	mmio_t redistributor;
};

extern struct core cores[ARCH_MAX_CORES];
extern unsigned core_count;

struct core *this_core(void);

/* --- memory of EL2 -------------------------------------------------------------------------- */

/* CONFIG: PCI configuration space, whose writes are waited for (nGnRnE). */
enum map_kind { MAP_CODE, MAP_READ_ONLY, MAP_DATA, MAP_DEVICE, MAP_CONFIG };

/* Identity-maps [at, at+size), page-aligned; parts mapped already stay as they are. */
void mmu_map(pa_t at, uint64_t size, enum map_kind kind);

/* --- stage 2 -------------------------------------------------------------------------------- */

/* STAGE1: for a root that only an SMMU without stage 2 walks (iommu_stage1()). */
enum stage2_kind { STAGE2_RAM, STAGE2_DEVICE, STAGE2_DOORBELL, STAGE1_RAM, STAGE1_DOORBELL };

#define STAGE2_INPUT_BITS 39
#define STAGE2_BLOCK	  MIB(2)

/* A level 1 table, zero: everything faults. NULL: the pool is exhausted. */
void *stage2_new_root(void);
/* Pages taken from the pool so far, by all. */
unsigned stage2_tables_used(void);
/*
 * In blocks of 2 MiB where they fit. What is mapped there already, the same, stays; STATUS_BUSY:
 * something else is. Takes interrupts in between.
 */
enum status MUST_USE stage2_map(void *root, ipa_t ipa, pa_t pa, uint64_t size,
				enum stage2_kind kind);
/*
 * Breaks the mapping of [ipa, ipa+size), a range that was mapped as such or whole blocks of it, and
 * drops it from all cores' TLBs for `vmid`. A block is never split: one that is cut goes whole.
 */
void stage2_unmap(void *root, ipa_t ipa, uint64_t size, vmid_t vmid);
/* Makes `to` point at the tables that `from` has for [ipa, ipa+size), GiB-aligned. */
void stage2_share(void *to, const void *from, ipa_t ipa, uint64_t size);
/* Everything a vCPU of this partition may have cached, on all cores. */
void stage2_flush(vmid_t vmid);

/* --- the boot --- from start.S, on the boot core, with the MMU on and .bss zero ------------- */

_Noreturn void boot_main(const void *fdt);

/* --- cores ----------------------------------------------------------------------------------- */

/*
 * Fills cores[]: the boot core first, then in the device tree's order, each with the redistributor
 * of its affinity. Returns how many have one.
 */
unsigned cores_find(const uint64_t *affinities, unsigned count, const struct ranges *gicr);
/* This core's own registers and redistributor; `core` becomes this_core(). */
void core_init(struct core *core);
/* By firmware; it runs core_loop() once its `online` is set. */
enum status MUST_USE core_power_on(struct core *core);
/* Interrupts `core` so that it looks at its requests. */
void core_kick(unsigned core);
/* Runs what this core is asked to run, for ever. */
_Noreturn void core_loop(void);
/* Drops the current stack and goes to core_loop(). */
_Noreturn void core_leave_guest(void);

/* --- the physical interrupt controller ------------------------------------------------------- */

void gic_distributor_init(mmio_t distributor);
void gic_core_init(struct core *core);
void gic_enable_spi(unsigned intid, const struct core *core);
/* It is neither enabled nor active when this returns. */
void gic_disable_spi(unsigned intid);
void gic_quiesce_private(struct core *core);

/* On the boot core, which takes it from now on, if there is such an interrupt. */
void interrupt_listen(const struct machine_interrupt *interrupt, void (*handler)(void),
		      enum hv_exit_class exit_class);

/* --- time ------------------------------------------------------------------------------------ */

static inline uint64_t counter_ticks(void)
{
	uint64_t value;

	__asm__ volatile("mrs %0, cntpct_el0" : "=r"(value));
	return value;
}
uint64_t counter_frequency(void);

/* Memory that was written as data and cleaned may now be fetched. */
void arch_publish_code(void);

/* --- firmware -------------------------------------------------------------------------------- */

_Noreturn void firmware_power_off(bool failed);

/* Prints why, then powers the machine off with a failing status. */
#define panic(...) (log_error("panic: " __VA_ARGS__), firmware_power_off(true))

#endif
