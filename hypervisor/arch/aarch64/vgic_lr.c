/* SPDX-License-Identifier: BSD-2-Clause */
/* List registers: how a virtual interrupt reaches the running vCPU (Arm IHI 0069 12.4). */
#include "core.h"
#include "sysreg.h"
#include "vgic.h"

#define CONTROL_GROUP1 BIT(1) /* GICD_CTLR.EnableGrp1 */

#define LR_CASES(op)                                                                               \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13)    \
		op(14) op(15)

static uint64_t lr_read(unsigned n)
{
	switch (n) {
#define CASE(number)                                                                               \
	case number:                                                                               \
		return sysreg_read(ICH_LR##number##_EL2);
		LR_CASES(CASE)
#undef CASE
	default:
		return 0;
	}
}

static void lr_write(unsigned n, uint64_t value)
{
	switch (n) {
#define CASE(number)                                                                               \
	case number:                                                                               \
		sysreg_write(ICH_LR##number##_EL2, value);                                         \
		break;
		LR_CASES(CASE)
#undef CASE
	default:
		break;
	}
}

static unsigned lr_count(void)
{
	unsigned count = (unsigned)field_get(ICH_VTR_LISTREGS, sysreg_read(ICH_VTR_EL2)) + 1;

	return count < VGIC_LRS ? count : VGIC_LRS;
}

static struct vgic_bank *bank_of(struct vcpu *vcpu, unsigned index)
{
	struct vgic *gic = &vcpu->partition->gic;

	return index < 32	     ? &vcpu->gic.private
	       : index < VGIC_INTIDS ? &gic->spis[index / 32 - 1]
				     : &gic->lpis[index / 32 - VGIC_BANKS];
}

/*
 * What could go into a list register. A held one that is pending has left its last: it follows a
 * physical interrupt, which the guest has ended since.
 */
static uint32_t candidates(const struct vgic_bank *bank)
{
	return (bank->pending | (bank->line & bank->level)) & bank->enabled & bank->group1 &
	       ~(bank->queued & ~bank->held);
}

/*
 * A list register that the guest is done with, or that is taken from it. What waited for that and
 * is another vCPU's now, can go there.
 */
static void retire(struct vcpu *vcpu, unsigned n)
{
	unsigned index = vcpu->gic.in_lr[n];
	struct vgic_bank *bank = bank_of(vcpu, index);
	uint32_t bit = 1u << index % 32;

	bank->active &= ~bit;
	bank->queued &= ~bit;
	vcpu->gic.used &= ~(1u << n);
	if (index >= 32 && bank->target[index % 32] != vcpu->index && candidates(bank) & bit) {
		vgic_wake(&vcpu->partition->vcpus[bank->target[index % 32]]);
	}
}

/*
 * What has not been taken yet waits outside of its list register: it may have become disabled or
 * another vCPU's. A level comes from its line. An LPI that was cleared meanwhile is nothing.
 */
static void take_back(struct vcpu *vcpu, unsigned n)
{
	unsigned index = vcpu->gic.in_lr[n];
	bool pending = lr_read(n) & ICH_LR_PENDING;

	lr_write(n, 0);
	if (index == VGIC_VOID) {
		vcpu->gic.used &= ~(1u << n);
		return;
	}
	if (pending) {
		struct vgic_bank *bank = bank_of(vcpu, index);

		bank->pending |= 1u << index % 32 & ~(bank->level & ~bank->held);
		if (index >= VGIC_INTIDS) {
			vcpu->partition->gic.lpis_waiting |= 1u << (index - VGIC_INTIDS) / 32;
		}
	}
	retire(vcpu, n);
}

/*
 * What the guest did with one used list register since we last looked. An LPI has no active state:
 * once taken, its list register is free, though it may say active until the guest's EOI. Another
 * one that is pending besides waits for the end of this, which is when we look again.
 */
static void fold_back(struct vcpu *vcpu, unsigned n)
{
	unsigned index = vcpu->gic.in_lr[n];
	uint64_t lr = lr_read(n);

	if (index >= VGIC_INTIDS || !(lr & ICH_LR_ACTIVE)) {
		take_back(vcpu, n);
		return;
	}
	struct vgic_bank *bank = bank_of(vcpu, index);
	uint32_t bit = 1u << index % 32;

	bank->active |= bit;
	if ((bank->pending & bit) && !(lr & ICH_LR_HW)) {
		lr_write(n, lr | ICH_LR_EOI);
	}
}

static unsigned intid_of(const struct vcpu *vcpu, unsigned index)
{
	return index < VGIC_INTIDS ? index : vcpu->partition->gic.lpi_intid[index - VGIC_INTIDS];
}

static inline uint64_t lr_pending(const struct vgic_bank *bank, unsigned index, unsigned intid)
{
	return ICH_LR_PENDING | ICH_LR_GROUP1 | intid |
	       field_prep(ICH_LR_PRIORITY, bank->priority[index % 32]);
}

/* A guest's own timer or wire: the physical interrupt is deactivated with its EOI. */
static inline uint64_t lr_held(unsigned intid)
{
	return ICH_LR_HW | field_prep(ICH_LR_PINTID, intid);
}

static void queue(struct vcpu *vcpu, unsigned n, unsigned index)
{
	struct vgic_bank *bank = bank_of(vcpu, index);
	unsigned intid = intid_of(vcpu, index);
	uint32_t bit = 1u << index % 32;

	uint64_t lr = lr_pending(bank, index, intid);

	if (bank->held & bit) {
		lr |= lr_held(intid < 32 ? intid
					 : vcpu->partition->gic.wires[intid - 32 - GUEST_INTX_SPI]);
	} else if (bank->level & bit) {
		lr |= ICH_LR_EOI; /* look at the line again then */
	}
	lr_write(n, lr);
	bank->pending &= ~bit;
	bank->queued |= index < VGIC_INTIDS ? bit : 0;
	vcpu->gic.in_lr[n] = (uint16_t)index;
	vcpu->gic.used |= 1u << n;
}

/* Two list registers must not hold the same INTID, and a guest may give two events one. */
static bool holds(const struct vcpu *vcpu, unsigned intid)
{
	for (uint32_t left = vcpu->gic.used; left; left &= left - 1) {
		if ((uint32_t)lr_read((unsigned)__builtin_ctz(left)) == intid) {
			return true;
		}
	}
	return false;
}

static void consider(struct vcpu *vcpu, unsigned b, int *best, unsigned *best_priority)
{
	const struct vgic_bank *bank = bank_of(vcpu, b * 32);

	for (uint32_t left = candidates(bank); left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);

		if ((b == 0 || bank->target[i] == vcpu->index) &&
		    bank->priority[i] < *best_priority) {
			*best_priority = bank->priority[i];
			*best = (int)(b * 32 + i);
		}
	}
}

/* The most urgent interrupt that waits for this vCPU: its index, or -1. */
static int most_urgent(struct vcpu *vcpu)
{
	struct vgic *gic = &vcpu->partition->gic;
	unsigned priority = 256;
	int best = -1;

	for (unsigned b = 0; b < VGIC_BANKS; b++) {
		consider(vcpu, b, &best, &priority);
	}
	for (uint32_t left = gic->lpis_waiting; left; left &= left - 1) {
		unsigned b = (unsigned)__builtin_ctz(left);

		if (gic->lpis[b].pending) {
			consider(vcpu, VGIC_BANKS + b, &best, &priority);
		} else {
			gic->lpis_waiting &= ~(1u << b);
		}
	}
	return best;
}

/*
 * When to look again because an interrupt found no free list register: as soon as none is pending
 * any more. If none is now, all are active, and that condition would hold at once and for ever.
 */
static uint64_t refill_reason(const struct vcpu *vcpu)
{
	for (uint32_t left = vcpu->gic.used; left; left &= left - 1) {
		if (lr_read((unsigned)__builtin_ctz(left)) & ICH_LR_PENDING) {
			return ICH_HCR_NPIE;
		}
	}
	return ICH_HCR_UIE;
}

/*
 * The common cases need no search: a private interrupt goes into the first list register, an LPI
 * into the second. They are that one's lane: it may be written when the guest is done with it, and
 * `express` says that nothing else is in a list register, and nothing waits for one.
 */
#define LANES	     2
#define LANE_PRIVATE 0
#define LANE_LPI     1

static unsigned lane_of(unsigned index)
{
	return index < 32 ? LANE_PRIVATE : index >= VGIC_INTIDS ? LANE_LPI : LANES;
}

/* Its own lane, or one that is nobody's, or any. */
static unsigned choose(unsigned index, uint32_t free)
{
	unsigned lane = lane_of(index);
	uint32_t others = free >> LANES << LANES;

	return free >> lane & 1 ? lane : (unsigned)__builtin_ctz(others ? others : free);
}

static bool only_lanes(const struct vcpu *vcpu)
{
	for (uint32_t left = vcpu->gic.used; left; left &= left - 1) {
		unsigned n = (unsigned)__builtin_ctz(left);

		if (n >= LANES || lane_of(vcpu->gic.in_lr[n]) != n) {
			return false;
		}
	}
	return true;
}

/* The most urgent go into list registers; who finds none free waits for a maintenance interrupt. */
void vgic_sync(struct vcpu *vcpu)
{
	struct vgic *gic = &vcpu->partition->gic;
	uint32_t all = (1u << lr_count()) - 1;
	bool crowded = false;
	int index;

	lock_acquire(&gic->lock);
	for (uint32_t left = vcpu->gic.used; left; left &= left - 1) {
		fold_back(vcpu, (unsigned)__builtin_ctz(left));
	}
	while ((gic->control & CONTROL_GROUP1) && !crowded && (index = most_urgent(vcpu)) >= 0) {
		if (index >= VGIC_INTIDS && holds(vcpu, intid_of(vcpu, (unsigned)index))) {
			bank_of(vcpu, (unsigned)index)->pending &= ~(1u << index % 32);
		} else if (vcpu->gic.used == all) {
			crowded = true;
		} else {
			queue(vcpu, choose((unsigned)index, all & ~vcpu->gic.used),
			      (unsigned)index);
		}
	}
	vcpu->gic.express = (gic->control & CONTROL_GROUP1) && !crowded && only_lanes(vcpu);
	sysreg_write(ICH_HCR_EL2, ICH_HCR_EN | (crowded ? refill_reason(vcpu) : 0));
	lock_release(&gic->lock);
}

/* Without the lock: only this core writes what it looks at. */
static inline bool inject_private(struct vcpu *vcpu, unsigned intid, uint64_t kind)
{
	struct vgic_cpu *cpu = &vcpu->gic;
	uint32_t bit = 1u << intid;

	if (!cpu->express || !(cpu->private.enabled & cpu->private.group1 & bit) ||
	    !(sysreg_read(ICH_ELRSR_EL2) & 1)) {
		return false;
	}
	sysreg_write(ICH_LR0_EL2, lr_pending(&cpu->private, intid, intid) | kind);
	cpu->private.queued = bit;
	cpu->private.active = 0;
	cpu->in_lr[LANE_PRIVATE] = (uint16_t)intid;
	cpu->used |= 1u << LANE_PRIVATE;
	return true;
}

/*
 * With the lock, for the vCPU that runs here. What the guest has taken is done with, whatever
 * became of it: an LPI has no active state.
 */
static inline bool inject_lpi(struct vgic_cpu *cpu, const struct vgic *gic, unsigned slot)
{
	const struct vgic_bank *bank = &gic->lpis[slot / 32];

	if (!cpu->express || sysreg_read(ICH_LR1_EL2) & ICH_LR_PENDING) {
		return false;
	}
	sysreg_write(ICH_LR1_EL2, lr_pending(bank, slot, gic->lpi_intid[slot]));
	cpu->in_lr[LANE_LPI] = (uint16_t)(VGIC_INTIDS + slot);
	cpu->used |= 1u << LANE_LPI;
	return true;
}

/* With the lock, which it releases: what is none is dropped, what is disabled wakes nobody. */
__attribute__((noinline)) static void latch_lpi(struct partition *partition, unsigned slot)
{
	struct vgic *gic = &partition->gic;
	struct vgic_bank *bank = &gic->lpis[slot / 32];
	uint32_t bit = 1u << slot % 32 & bank->group1;

	bank->pending |= bit;
	gic->lpis_waiting |= 1u << slot / 32;
	if (bank->enabled & bit) {
		vgic_wake(&partition->vcpus[bank->target[slot % 32]]);
	}
	lock_release(&gic->lock);
}

void vgic_lpi_pend(struct partition *partition, unsigned slot)
{
	struct vgic *gic = &partition->gic;
	const struct vgic_bank *bank = &gic->lpis[slot / 32];
	struct vcpu *here = this_vcpu();

	lock_acquire(&gic->lock);
	if ((bank->enabled & bank->group1 & 1u << slot % 32) &&
	    here == &partition->vcpus[bank->target[slot % 32]] &&
	    inject_lpi(&here->gic, gic, slot)) {
		lock_release(&gic->lock);
		return;
	}
	latch_lpi(partition, slot);
}

__attribute__((noinline)) static void latch_private(struct vcpu *vcpu, unsigned intid)
{
	lock_acquire(&vcpu->partition->gic.lock);
	vcpu->gic.private.pending |= 1u << intid;
	vgic_wake(vcpu);
	lock_release(&vcpu->partition->gic.lock);
}

void vgic_inject_timer(struct vcpu *vcpu, unsigned intid)
{
	if (!inject_private(vcpu, intid, lr_held(intid))) {
		latch_private(vcpu, intid);
	}
}

void vgic_set_line(struct partition *partition, unsigned intid, bool level)
{
	struct vgic_bank *bank = &partition->gic.spis[intid / 32 - 1];
	uint32_t bit = 1u << intid % 32;

	lock_acquire(&partition->gic.lock);
	bool rises = level && !(bank->line & bit);
	unsigned target = bank->target[intid % 32];

	vgic_set_bit(&bank->line, bit, level);
	lock_release(&partition->gic.lock);
	if (rises && target < partition->config->vcpus) {
		vgic_wake(&partition->vcpus[target]);
	}
}

void vgic_send_sgi(struct vcpu *from, uint64_t value)
{
	struct partition *partition = from->partition;
	unsigned intid = value >> 24 & 15;
	bool others = value & BIT(40);
	uint64_t cluster = (value >> 16 & 0xff) | (value >> 24 & 0xff00) | (value >> 32 & 0xff0000);
	uint64_t list = (value & 0xffff) << 16 * (value >> 44 & 15 ? 1 : 0);

	for (unsigned i = 0; i < partition->config->vcpus; i++) {
		struct vcpu *to = &partition->vcpus[i];

		if (others ? to == from : cluster != 0 || !(list >> i & 1)) {
			continue;
		}
		if (to != from || !inject_private(to, intid, 0)) {
			latch_private(to, intid);
		}
	}
}

/* A priority that an earlier life never dropped would hold back every interrupt of this one. */
static void clear_active_priorities(void)
{
	unsigned bits = (unsigned)field_get(ICH_VTR_PREBITS, sysreg_read(ICH_VTR_EL2)) + 1;

	sysreg_write(ICH_AP0R0_EL2, 0);
	sysreg_write(ICH_AP1R0_EL2, 0);
	if (bits >= 6) {
		sysreg_write(ICH_AP0R1_EL2, 0);
		sysreg_write(ICH_AP1R1_EL2, 0);
	}
	if (bits >= 7) {
		sysreg_write(ICH_AP0R2_EL2, 0);
		sysreg_write(ICH_AP0R3_EL2, 0);
		sysreg_write(ICH_AP1R2_EL2, 0);
		sysreg_write(ICH_AP1R3_EL2, 0);
	}
}

void vgic_cpu_start(struct vcpu *vcpu)
{
	for (unsigned n = 0; n < lr_count(); n++) {
		lr_write(n, 0);
	}
	vcpu->gic.used = 0;
	clear_active_priorities();
	sysreg_write(ICH_VMCR_EL2, 0);
	sysreg_write(ICH_HCR_EL2, ICH_HCR_EN);
	isb();
	vgic_sync(vcpu);
}

void vgic_cpu_stop(struct vcpu *vcpu)
{
	lock_acquire(&vcpu->partition->gic.lock);
	for (uint32_t left = vcpu->gic.used; left; left &= left - 1) {
		take_back(vcpu, (unsigned)__builtin_ctz(left));
	}
	vcpu->gic.express = false;
	vcpu->gic.private.pending &= ~vcpu->gic.private.held;
	sysreg_write(ICH_HCR_EL2, 0);
	lock_release(&vcpu->partition->gic.lock);
	gic_quiesce_private(this_core());
}
