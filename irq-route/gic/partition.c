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

/* All that its guest wrote: the members from `collections` up to `counters`. */
static void forget(struct irq_partition *partition)
{
	const size_t first = offsetof(struct irq_partition, collections);

	routes_forget(partition);
	memset((char *)partition + first, 0, offsetof(struct irq_partition, counters) - first);
}

/* The vPEs one by one, then what they have in common. */
static enum status reset_step(struct irq_partition *partition, unsigned step)
{
	bool direct = !partition->why_injected;

	if (step < partition->vcpus) {
		return direct ? vpe_unmap(partition, step) : STATUS_OK;
	}
	forget(partition);
	return direct ? vpes_map(partition) : STATUS_OK;
}

enum status irq_partition_reset(struct irq_partition *partition, void (*pause)(void))
{
	for (unsigned i = 0; i < partition->vcpus; i++) {
		if (partition->vpes[i].resident) {
			return STATUS_STATE;
		}
	}
	enum status status = routes_close_in_steps(partition, 0, IRQ_PARTITION_SLOTS, pause);

	for (unsigned step = 0; status == STATUS_OK && step <= partition->vcpus; step++) {
		lock_acquire(&partition->lock);
		status = reset_step(partition, step);
		lock_release(&partition->lock);
		pause();
	}
	return status;
}
