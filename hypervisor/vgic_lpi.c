/* SPDX-License-Identifier: BSD-2-Clause */
/* LPIs that are injected: what each slot is, and is it pending (hv.h, hv_lpi_route). */
#include "vgic.h"

#include "bits.h"
#include "partition.h"

#define PROPERTY_ENABLE	  BIT(0)
#define PROPERTY_PRIORITY 0xf8u /* of bits 7:2, the five that list registers have at least */

_Static_assert(HV_LPI_SLOTS == VGIC_LPI_BANKS * 32, "a bit for each slot");

/* Whoever has it in a list register looks at that again; `drop`: it does not count there. */
static void recall(struct partition *partition, unsigned slot, bool drop)
{
	for (unsigned v = 0; v < partition->config->vcpus; v++) {
		struct vcpu *vcpu = &partition->vcpus[v];

		for (uint32_t left = vcpu->gic.used; left; left &= left - 1) {
			uint16_t *index = &vcpu->gic.in_lr[__builtin_ctz(left)];

			if (*index == VGIC_INTIDS + slot) {
				*index = drop ? VGIC_VOID : *index;
				vgic_wake(vcpu);
			}
		}
	}
}

void vgic_lpi_route(struct partition *partition, unsigned slot, unsigned vcpu, uint32_t intid,
		    uint8_t property)
{
	struct vgic *gic = &partition->gic;
	struct vgic_bank *bank = &gic->lpis[slot / 32];
	uint32_t bit = 1u << slot % 32;

	lock_acquire(&gic->lock);
	bool another = gic->lpi_intid[slot] != intid; /* what was pending was not this one */

	recall(partition, slot, another);
	vgic_set_bit(&bank->pending, bit, bank->pending & bit && !another);
	gic->lpi_intid[slot] = (uint16_t)intid;
	bank->priority[slot % 32] = property & PROPERTY_PRIORITY;
	bank->target[slot % 32] = (uint8_t)vcpu;
	vgic_set_bit(&bank->group1, bit, intid != 0);
	vgic_set_bit(&bank->enabled, bit, property & PROPERTY_ENABLE);
	if (bank->pending & bit) {
		vgic_wake(&partition->vcpus[vcpu]);
	}
	lock_release(&gic->lock);
}

void vgic_lpi_clear(struct partition *partition, unsigned slot)
{
	lock_acquire(&partition->gic.lock);
	recall(partition, slot, true);
	vgic_set_bit(&partition->gic.lpis[slot / 32].pending, 1u << slot % 32, false);
	lock_release(&partition->gic.lock);
}
