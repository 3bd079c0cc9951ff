/* SPDX-License-Identifier: BSD-2-Clause */
/* The vPEs of a partition: one for each vCPU, mapped to its core (IHI 0069H chapter 6, VMAPP). */
#include "gic.h"

#include <string.h>

static uint16_t vpes_taken; /* boot only: no lock */

void vpes_init(void)
{
	vpes_taken = 0;
}

static uint64_t vpe_rdbase(const struct irq_vpe *vpe)
{
	return gic.cores[vpe->core].rdbase;
}

/* The tables are clean and published. VINVALL: nothing cached of an earlier owner survives. */
static void vpe_map(const struct irq_partition *partition, const struct irq_vpe *vpe)
{
	its_batch_add(partition->batch,
		      its_vmapp(vpe->id, vpe_rdbase(vpe), pa_of(vpe->pending_table), IRQ_LPI_BITS));
	its_batch_add(partition->batch, its_vpe_command(ITS_VINVALL, vpe->id));
	its_batch_add(partition->batch, its_vpe_command(ITS_VSYNC, vpe->id));
}

/* VSYNC: what is in flight lands first. SYNC: the redistributor has let go of the tables. */
static void vpe_unmap(const struct irq_partition *partition, const struct irq_vpe *vpe)
{
	its_batch_add(partition->batch, its_vpe_command(ITS_VSYNC, vpe->id));
	its_batch_add(partition->batch, its_vunmapp(vpe->id));
	its_batch_add(partition->batch, its_sync(vpe_rdbase(vpe)));
}

static void scrub(struct irq_partition *partition)
{
	memset(partition->property_table, 0, GIC_PROPERTY_SIZE);
	gic_clean(partition->property_table, GIC_PROPERTY_SIZE);
	for (unsigned i = 0; i < partition->vcpus; i++) {
		struct irq_vpe *vpe = &partition->vpes[i];

		memset(vpe->pending_table, 0, GIC_PENDING_SIZE);
		gic_clean(vpe->pending_table, GIC_PENDING_SIZE);
		vpe->impdef_unused = true;
	}
	arch_publish();
}

enum status vpes_map(struct irq_partition *partition)
{
	scrub(partition);
	for (unsigned i = 0; i < partition->vcpus; i++) {
		vpe_map(partition, &partition->vpes[i]);
	}
	return its_batch_run(partition->batch);
}

enum status vpes_unmap(struct irq_partition *partition)
{
	for (unsigned i = 0; i < partition->vcpus; i++) {
		vpe_unmap(partition, &partition->vpes[i]);
	}
	return its_batch_run(partition->batch);
}

enum status vpes_take(struct irq_partition *partition)
{
	partition->property_table = arena_take(gic.tables, GIC_PROPERTY_SIZE, PAGE_SIZE);
	bool complete = partition->property_table && vpes_taken + partition->vcpus <= gic.vpe_limit;

	for (unsigned i = 0; complete && i < partition->vcpus; i++) {
		partition->vpes[i].pending_table =
			arena_take(gic.tables, GIC_PENDING_SIZE, GIC_TABLE_ALIGN);
		partition->vpes[i].id = vpes_taken;
		complete = partition->vpes[i].pending_table != NULL;
		vpes_taken += complete;
	}
	return complete ? STATUS_OK : STATUS_NO_MEMORY;
}
