/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breaks F25, on both paths: what was pending survives its partition's restart.
 * wraps: its_batch_add vpe_unmap hv_lpi_route vgic_reset
 */
#include "gic.h"
#include "partition.h"

#include <string.h>

void __real_its_batch_add(struct its_batch *batch, struct its_command command);
void __wrap_its_batch_add(struct its_batch *batch, struct its_command command);
enum status __real_vpe_unmap(struct irq_partition *partition, unsigned vcpu);
enum status __wrap_vpe_unmap(struct irq_partition *partition, unsigned vcpu);
void __real_hv_lpi_route(partition_id_t partition, unsigned slot, unsigned vcpu, uint32_t intid,
			 uint8_t property);
void __wrap_hv_lpi_route(partition_id_t partition, unsigned slot, unsigned vcpu, uint32_t intid,
			 uint8_t property);
void __real_vgic_reset(struct partition *partition);
void __wrap_vgic_reset(struct partition *partition);

void __wrap_its_batch_add(struct its_batch *batch, struct its_command command)
{
	if (field_get(ITS_W0_OPCODE, command.word[0]) != ITS_DISCARD) {
		__real_its_batch_add(batch, command);
	}
}

enum status __wrap_vpe_unmap(struct irq_partition *partition, unsigned vcpu)
{
	static uint8_t pending[GIC_PENDING_SIZE];
	void *table = partition->vpes[vcpu].pending_table;
	enum status status;

	memcpy(pending, table, sizeof(pending));
	status = __real_vpe_unmap(partition, vcpu);
	memcpy(table, pending, sizeof(pending));
	return status;
}

void __wrap_hv_lpi_route(partition_id_t partition, unsigned slot, unsigned vcpu, uint32_t intid,
			 uint8_t property)
{
	if (intid) {
		__real_hv_lpi_route(partition, slot, vcpu, intid, property);
	}
}

void __wrap_vgic_reset(struct partition *partition)
{
	static struct vgic before;

	before = partition->gic;
	__real_vgic_reset(partition);
	memcpy(partition->gic.lpis, before.lpis, sizeof(before.lpis));
	memcpy(partition->gic.lpi_intid, before.lpi_intid, sizeof(before.lpi_intid));
}
