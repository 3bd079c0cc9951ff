/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual GICv3 of a partition: distributor, redistributors and list registers (Arm IHI 0069).
 * LPIs are here only when hardware cannot land them without us: irq-route/ says which slot is which
 * LPI (hv.h), and slots are banks like the SPIs', with an INTID for each bit.
 * Lock: one for each partition, around every change of a field below. Reads of one word need none.
 * A vCPU's own core also uses its list registers, and what is said of them here, without.
 */
#ifndef CW_VGIC_H
#define CW_VGIC_H

#include <stdbool.h>
#include <stdint.h>

#include "guest_map.h"
#include "lock.h"

#define VGIC_SPI_BANKS 2 /* 64 SPIs */
#define VGIC_BANKS     (1 + VGIC_SPI_BANKS)
#define VGIC_INTIDS    (32 * VGIC_BANKS)
#define CONFIG_EDGES   0xaaaaaaaau
#define VGIC_LPI_BANKS 8  /* 256 slots */
#define VGIC_LRS       16 /* architectural maximum */
#define VGIC_VOID      UINT16_MAX

struct partition;
struct vcpu;

/*
 * 32 interrupts, a bit each: bank 0 is a vCPU's SGIs and PPIs, then come the SPIs, then slots of
 * LPIs. An interrupt's index is 32 * bank + bit; up to the SPIs it is the INTID.
 */
struct vgic_bank {
	uint32_t group1, enabled, level; /* as the guest configured them; level: not edge */
	uint32_t config[2];		 /* the same as ICFGR has it */
	uint32_t pending;		 /* latched */
	uint32_t line;			 /* level of the input */
	uint32_t queued;		 /* in a list register, pending or active; not LPIs */
	uint32_t active;
	uint32_t held; /* follow a physical interrupt: software does not clear them */
	union {
		uint8_t priority[32];
		uint64_t priorities[4]; /* little endian: the same, eight at a time */
	};
	uint8_t target[32]; /* SPIs: vCPU index */
};

struct vgic_cpu {
	struct vgic_bank private;
	/*
	 * The interrupt in each used list register: its index, or VGIC_VOID when it was cleared
	 * meanwhile. Written by the vCPU's core, an LPI's with the lock; voided by any.
	 */
	uint16_t in_lr[VGIC_LRS];
	uint32_t used;
	bool express; /* nothing is in the way of one more: see vgic_lr.c */
	bool asleep, lpis_enabled;
};

struct vgic {
	struct lock lock;
	uint32_t control;
	struct vgic_bank spis[VGIC_SPI_BANKS];
	struct vgic_bank lpis[VGIC_LPI_BANKS]; /* group1: the slot is an LPI */
	uint16_t lpi_intid[VGIC_LPI_BANKS * 32];
	uint32_t lpis_waiting;		  /* a bit for each bank that may have pending ones */
	bool has_lpis;			  /* the machine can deliver them */
	uint16_t wires[GUEST_INTX_LINES]; /* the physical SPI behind each line; 0: none */
};

#define VGIC_INTX_BIT(line) (1u << (GUEST_INTX_SPI + (line))) /* in the first bank of SPIs */

static inline void vgic_set_bit(uint32_t *bits, uint32_t bit, bool on)
{
	*bits = on ? *bits | bit : *bits & ~bit;
}

void vgic_reset(struct partition *partition);

/* Guest accesses to GICD_ and the redistributor frames. `context` is the partition. */
uint64_t vgic_distributor_read(void *context, uint64_t offset, unsigned size);
void vgic_distributor_write(void *context, uint64_t offset, unsigned size, uint64_t value);
uint64_t vgic_redistributor_read(void *context, uint64_t offset, unsigned size);
void vgic_redistributor_write(void *context, uint64_t offset, unsigned size, uint64_t value);

/*
 * The register blocks a bank has in either frame: GICx_IGROUPR … ICFGR. What is not one of them
 * reads as zero and ignores writes. Write: true when something changed.
 */
uint64_t vgic_bank_read(const struct vgic_bank *bank, uint64_t offset, unsigned size);
bool vgic_bank_write(struct vgic_bank *bank, uint64_t offset, unsigned size, uint64_t value);

/* The level of an SPI's line; its target is kicked. Any core. */
void vgic_set_line(struct partition *partition, unsigned intid, bool level);
/* A timer of the running vCPU, on its core: the physical interrupt is active until the guest's EOI.
 */
void vgic_inject_timer(struct vcpu *vcpu, unsigned intid);
/*
 * On the core that took a physical SPI; false: it is none of the partition's. It stays active until
 * the guest ends the virtual one, which deactivates it (the list register's HW bit): a line that is
 * stuck comes again only when the guest asks for it.
 */
bool vgic_take_wire(struct partition *partition, unsigned physical);
/* ICC_SGI1R_EL1 as the guest wrote it. */
void vgic_send_sgi(struct vcpu *from, uint64_t value);

/* A slot's LPI, and its pending state: hv_lpi_route(), hv_lpi_clear(), the hook `lpi`. */
void vgic_lpi_route(struct partition *partition, unsigned slot, unsigned vcpu, uint32_t intid,
		    uint8_t property);
void vgic_lpi_clear(struct partition *partition, unsigned slot);
void vgic_lpi_pend(struct partition *partition, unsigned slot);
/* Has the vCPU's core look at what is pending, before the guest goes on. */
void vgic_wake(struct vcpu *vcpu);

/* On the vCPU's core, when it was alerted: list registers ↔ state. */
void vgic_sync(struct vcpu *vcpu);
/* On the vCPU's core, before it runs and after it stopped. */
void vgic_cpu_start(struct vcpu *vcpu);
void vgic_cpu_stop(struct vcpu *vcpu);

#endif
