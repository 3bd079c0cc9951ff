/* SPDX-License-Identifier: BSD-2-Clause */
/* A partition's interrupts as a whole: which path they take, and back to power-on. */
#include "gic.h"

#include <string.h>

static struct its_batch batches[IRQ_ROUTE_MAX_PARTITIONS];

/* Directly when the machine can and has vPEs left. */
static void choose_path(struct irq_partition *partition)
{
	partition->why_injected = gic.why_injected;
	if (!partition->why_injected && vpes_take(partition) != STATUS_OK) {
		partition->why_injected = "no-vpes-left";
		log_warn("partition %u: no vPEs or no memory left for them: its devices' "
			 "interrupts are injected by the hypervisor",
			 partition->owner.v);
	}
	partition->path = partition->why_injected ? &irq_injected : &irq_direct;
}

enum status irq_partition_init(struct irq_partition *partition, partition_id_t owner,
			       const struct guest_memory *memory, unsigned vcpus,
			       const unsigned *core_of_vcpu)
{
	memset(partition, 0, sizeof(*partition));
	if (!gic.ready) {
		return STATUS_UNSUPPORTED;
	}
	if (!vcpus || vcpus > GUEST_MAX_VCPUS || owner.v >= IRQ_ROUTE_MAX_PARTITIONS) {
		return STATUS_RANGE;
	}
	partition->owner = owner;
	partition->memory = *memory;
	partition->batch = &batches[owner.v];
	*partition->batch = (struct its_batch){.count = 0};
	partition->vcpus = vcpus;
	for (unsigned i = 0; i < vcpus; i++) {
		if (core_of_vcpu[i] >= gic.core_count) {
			return STATUS_RANGE;
		}
		if (!gic.cores[core_of_vcpu[i]].takes_lpis) {
			return STATUS_UNSUPPORTED;
		}
		partition->vpes[i].core = core_of_vcpu[i];
	}
	choose_path(partition);
	gic.partitions[owner.v] = partition;
	return partition->why_injected ? STATUS_OK : vpes_map(partition);
}

static void forget(struct irq_partition *partition)
{
	routes_forget(partition);
	memset(partition->collections, 0, sizeof(partition->collections));
	memset(partition->baser, 0, sizeof(partition->baser));
	memset(partition->pendbaser, 0, sizeof(partition->pendbaser));
	memset(partition->lpis_enabled, 0, sizeof(partition->lpis_enabled));
	partition->ctlr = 0;
	partition->cbaser = 0;
	partition->cwriter = 0;
	partition->creadr = 0;
	partition->propbaser = 0;
}

static enum status reset_locked(struct irq_partition *partition)
{
	for (unsigned i = 0; i < partition->vcpus; i++) {
		if (partition->vpes[i].resident) {
			return STATUS_STATE;
		}
	}
	routes_close_all(partition);
	enum status status = routes_finish(partition);

	if (status == STATUS_OK && !partition->why_injected) {
		status = vpes_unmap(partition);
	}
	if (status != STATUS_OK) {
		return status;
	}
	forget(partition);
	return partition->why_injected ? STATUS_OK : vpes_map(partition);
}

enum status irq_partition_reset(struct irq_partition *partition)
{
	lock_acquire(&partition->lock);
	enum status status = reset_locked(partition);
	lock_release(&partition->lock);
	return status;
}
