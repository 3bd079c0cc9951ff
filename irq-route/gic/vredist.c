/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LPI registers of the guest's redistributors. The configuration table is common to all of them
 * (GICR_TYPER.CommonLPIAff = 0). The guest's pending tables are never used: the vPEs have ours.
 */
#include "gic.h"

#define ATTRIBUTES (GICR_TABLE_INNER_CACHE | GICR_TABLE_SHAREABILITY | GICR_TABLE_OUTER_CACHE)

uint64_t vredist_lpi_propbaser(const struct irq_partition *partition)
{
	return partition->propbaser;
}

/* Not to be moved while any vCPU uses it (GICR_PROPBASER: UNPREDICTABLE). */
void vredist_lpi_set_propbaser(struct irq_partition *partition, uint64_t value)
{
	bool in_use = false;

	lock_acquire(&partition->lock);
	for (unsigned i = 0; i < partition->vcpus; i++) {
		in_use |= partition->lpis_enabled[i];
	}
	if (!in_use) {
		partition->propbaser = value & (GICR_PROP_ID_BITS | GICR_PROP_ADDRESS | ATTRIBUTES);
	}
	lock_release(&partition->lock);
}

uint64_t vredist_lpi_pendbaser(const struct irq_partition *partition, unsigned vcpu)
{
	return vcpu < partition->vcpus ? partition->pendbaser[vcpu] : 0;
}

void vredist_lpi_set_pendbaser(struct irq_partition *partition, unsigned vcpu, uint64_t value)
{
	lock_acquire(&partition->lock);
	if (vcpu < partition->vcpus && !partition->lpis_enabled[vcpu]) {
		partition->pendbaser[vcpu] = value & (GICR_PEND_ADDRESS | ATTRIBUTES);
	}
	lock_release(&partition->lock);
}

void vredist_lpi_enable(struct irq_partition *partition, unsigned vcpu, bool enable)
{
	lock_acquire(&partition->lock);
	if (vcpu < partition->vcpus && partition->lpis_enabled[vcpu] != enable) {
		partition->lpis_enabled[vcpu] = enable;
		route_reload_vcpu(partition, vcpu);
		/* A failed ITS has said so, and delivers nothing. */
		(void)!routes_finish(partition);
	}
	lock_release(&partition->lock);
}
