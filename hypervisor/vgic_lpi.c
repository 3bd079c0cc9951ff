/* SPDX-License-Identifier: BSD-2-Clause */
/* LPIs that are injected: what each slot is, and is it pending (hv.h, hv_lpi_route). */
#include "vgic.h"

#include "arch.h"
#include "bits.h"
#include "partition.h"

#define PROPERTY_ENABLE	  BIT(0)
#define PROPERTY_PRIORITY 0xf8u /* of bits 7:2, the five that list registers have at least */

_Static_assert(HV_LPI_SLOTS == VGIC_LPI_BANKS * 32, "a bit for each slot");

static void set(uint32_t *bits, uint32_t bit, bool on)
{
	*bits = on ? *bits | bit : *bits & ~bit;
}

void vgic_lpi_route(struct partition *partition, unsigned slot, unsigned vcpu, uint32_t intid,
		    uint8_t property)
{
	struct vgic *gic = &partition->gic;
	struct vgic_bank *bank = &gic->lpis[slot / 32];
	uint32_t bit = 1u << slot % 32;

	lock_acquire(&gic->lock);
	unsigned before = bank->target[slot % 32];
	bool queued = bank->queued & bit;

	if (gic->lpi_intid[slot] != intid) { /* what was pending was another one */
		bank->pending &= ~bit;
		bank->voided |= bank->queued & bit;
		gic->lpi_intid[slot] = (uint16_t)intid;
	}
	bank->priority[slot % 32] = property & PROPERTY_PRIORITY;
	bank->target[slot % 32] = (uint8_t)vcpu;
	set(&bank->group1, bit, intid != 0);
	set(&bank->enabled, bit, property & PROPERTY_ENABLE);

	bool waits = bank->pending & bit;
	lock_release(&gic->lock);
	if (queued) {
		vgic_wake(&partition->vcpus[before]);
	}
	if (waits) {
		vgic_wake(&partition->vcpus[vcpu]);
	}
}

/* Straight into a list register when the vCPU runs here and nothing is in the way. */
static bool offer(struct vcpu *vcpu, const struct vgic_bank *bank, unsigned slot)
{
	uint32_t bit = 1u << slot % 32;

	return vcpu == this_core()->vcpu && (vcpu->partition->gic.control & BIT(1)) &&
	       (bank->enabled & bit) && !(bank->pending & bit) &&
	       __atomic_load_n(&vcpu->state, __ATOMIC_RELAXED) == VCPU_RUNNING &&
	       vgic_lr_offer(vcpu, VGIC_INTIDS + slot);
}

void vgic_lpi_pend(struct partition *partition, unsigned slot, bool pending)
{
	struct vgic *gic = &partition->gic;
	struct vgic_bank *bank = &gic->lpis[slot / 32];
	uint32_t bit = 1u << slot % 32;

	lock_acquire(&gic->lock);
	struct vcpu *vcpu = &partition->vcpus[bank->target[slot % 32]];
	bool look = false;

	if (!pending) {
		look = bank->queued & bit;
		bank->pending &= ~bit;
		bank->voided |= bank->queued & bit;
	} else if ((bank->group1 & bit) && !offer(vcpu, bank, slot)) {
		look = bank->enabled & bit;
		bank->pending |= bit;
		gic->lpis_waiting |= 1u << slot / 32;
	}
	lock_release(&gic->lock);
	if (look) {
		vgic_wake(vcpu);
	}
}
