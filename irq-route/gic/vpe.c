/* SPDX-License-Identifier: BSD-2-Clause */
/* The vPEs of a partition: one for each vCPU, mapped to its core (IHI 0069H chapter 6, VMAPP). */
#include "gic.h"

#include <string.h>

/* Its table is clean, and is published with the commands. */
static void scrub(struct irq_vpe *vpe)
{
	memset(vpe->pending_table, 0, GIC_PENDING_SIZE);
	gic_clean(vpe->pending_table, GIC_PENDING_SIZE);
	vpe->impdef_unused = true;
}

/* VINVALL: nothing cached of an earlier owner survives. */
enum status vpes_map(struct irq_partition *partition)
{
	struct its_batch *batch = partition->batch;

	memset(partition->property_table, 0, GIC_PROPERTY_SIZE);
	gic_clean(partition->property_table, GIC_PROPERTY_SIZE);
	for (unsigned i = 0; i < partition->vcpus; i++) {
		const struct irq_vpe *vpe = &partition->vpes[i];

		its_batch_add(batch, its_vmapp(vpe->id, gic.cores[vpe->core].rdbase,
					       pa_of(vpe->pending_table), IRQ_LPI_BITS));
		its_batch_add(batch, its_vpe_command(ITS_VINVALL, vpe->id));
		its_batch_add(batch, its_vpe_command(ITS_VSYNC, vpe->id));
	}
	return its_batch_run(batch);
}

/* VSYNC: what is in flight lands first. SYNC: the redistributor has let go of the table. */
enum status vpe_unmap(struct irq_partition *partition, unsigned vcpu)
{
	struct irq_vpe *vpe = &partition->vpes[vcpu];

	its_batch_add(partition->batch, its_vpe_command(ITS_VSYNC, vpe->id));
	its_batch_add(partition->batch, its_vpe_command(ITS_VMAPP, vpe->id));
	its_batch_add(partition->batch, its_sync(gic.cores[vpe->core].rdbase));
	enum status status = its_batch_run(partition->batch);

	if (status == STATUS_OK) {
		scrub(vpe);
	}
	return status;
}

enum status vpes_take(struct irq_partition *partition)
{
	partition->property_table = arena_take(gic.tables, GIC_PROPERTY_SIZE, PAGE_SIZE);
	bool complete =
		partition->property_table && gic.vpes_taken + partition->vcpus <= gic.vpe_limit;

	for (unsigned i = 0; complete && i < partition->vcpus; i++) {
		struct irq_vpe *vpe = &partition->vpes[i];

		vpe->pending_table = arena_take(gic.tables, GIC_PENDING_SIZE, GIC_TABLE_ALIGN);
		vpe->id = gic.vpes_taken;
		complete = vpe->pending_table != NULL;
		if (complete) {
			scrub(vpe);
			gic.vpes_taken++;
		}
	}
	return complete ? STATUS_OK : STATUS_NO_MEMORY;
}
