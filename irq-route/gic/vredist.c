/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LPI registers of the guest's redistributors. The configuration table is common to all of them
 * (GICR_TYPER.CommonLPIAff = 0). The guest's pending tables are never used: the vPEs have ours.
 */
#include "gic.h"

#define ATTRIBUTES (GICR_TABLE_INNER_CACHE | GICR_TABLE_SHAREABILITY | GICR_TABLE_OUTER_CACHE)

static bool is_common(uint32_t offset)
{
	return (offset & ~7u) == GICR_PROPBASER.offset;
}

uint64_t vredist_lpi_read(const struct irq_partition *partition, unsigned vcpu, uint32_t offset)
{
	uint64_t value = is_common(offset)	   ? partition->propbaser
			 : vcpu < partition->vcpus ? partition->pendbaser[vcpu]
						   : 0;

	return offset & 4 ? value >> 32 : value;
}

/* Not to be moved while in use, the common one by any vCPU (GICR_PROPBASER: UNPREDICTABLE). */
void vredist_lpi_write(struct irq_partition *partition, unsigned vcpu, uint32_t offset,
		       unsigned size, uint64_t value)
{
	bool in_use = vcpu >= partition->vcpus || size < 4;

	lock_acquire(&partition->lock);
	for (unsigned i = 0; i < partition->vcpus; i++) {
		in_use |= partition->lpis_enabled[i] && (i == vcpu || is_common(offset));
	}
	value = gic_merge(vredist_lpi_read(partition, vcpu, offset & ~7u), offset, size, value);
	if (!in_use && is_common(offset)) {
		partition->propbaser = value & (GICR_PROP_ID_BITS | GICR_PROP_ADDRESS | ATTRIBUTES);
	} else if (!in_use) {
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
