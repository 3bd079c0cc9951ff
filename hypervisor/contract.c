/* SPDX-License-Identifier: BSD-2-Clause */
/* hv.h, supplied by this hypervisor. */
#include "hv.h"

#include "arch.h"
#include "log.h"
#include "partition.h"

static struct partition *partition_of(partition_id_t id)
{
	return &partitions[id.v];
}

unsigned hv_partition_count(void)
{
	return partition_count;
}

const char *hv_partition_name(partition_id_t partition)
{
	return partition.v < partition_count ? partition_of(partition)->config->name : "nobody";
}

struct hv_partition hv_partition(partition_id_t partition)
{
	const struct partition_config *config = partition_of(partition)->config;

	return (struct hv_partition){config->service, config->vcpus, config->device_count,
				     config->cores, config->devices};
}

const struct guest_memory *hv_guest_memory(partition_id_t partition)
{
	return &partition_of(partition)->guest_memory;
}

/* A BAR is aligned to its size: all its tables come before its first page, or nothing is mapped. */
_Static_assert(GUEST_PCI_MMIO_BASE + GUEST_PCI_MMIO_SIZE <= GIB(1), "BARs lie in one GiB");

enum status hv_map_device(partition_id_t partition, ipa_t ipa, pa_t pa, uint64_t size)
{
	return stage2_map(partition_of(partition)->cpu_root, ipa, pa, size, STAGE2_DEVICE);
}

void hv_unmap_device(partition_id_t id, ipa_t ipa, uint64_t size)
{
	struct partition *partition = partition_of(id);
	uint64_t step = size < STAGE2_BLOCK ? KIB(64) : STAGE2_BLOCK;

	for (uint64_t at = 0; at < size; at += step) {
		stage2_unmap(partition->cpu_root, (ipa_t){ipa.v + at},
			     size - at < step ? size - at : step, partition_vmid(partition));
		hv_pause();
	}
}

void hv_map_registers(pa_t pa, uint64_t size)
{
	mmu_map(pa, align_up(size, PAGE_SIZE), MAP_CONFIG); /* I/O writes are waited for, too */
}

void hv_device_tables(partition_id_t id, struct iommu_tables *tables)
{
	const struct partition *partition = partition_of(id);

	*tables = (struct iommu_tables){
		.vmid = partition_vmid(partition),
		.root = pa_of(partition->device_root),
	};
}

/* Only the partition's own core takes it, so nobody else pays for its interrupts. */
void hv_wire(partition_id_t id, unsigned line, intid_t physical)
{
	struct partition *partition = partition_of(id);
	struct vgic *gic = &partition->gic;

	if (gic->wires[line] && !physical.v) {
		gic_disable_spi(gic->wires[line]);
	}
	gic->wires[line] = (uint16_t)physical.v;
	if (physical.v) {
		gic->spis[0].held |= VGIC_INTX_BIT(line);
		gic_enable_spi(physical.v, &cores[partition->config->cores[0]]);
	}
}

enum status hv_trap_region(partition_id_t id, const struct hv_mmio_region *region)
{
	struct partition *partition = partition_of(id);

	if (partition->trap_count == PARTITION_TRAPS) {
		return STATUS_NO_MEMORY;
	}
	partition->traps[partition->trap_count++] = *region;
	return STATUS_OK;
}

void hv_lpi_route(partition_id_t partition, unsigned slot, unsigned vcpu, uint32_t intid,
		  uint8_t property)
{
	vgic_lpi_route(partition_of(partition), slot, vcpu, intid, property);
}

void hv_lpi_clear(partition_id_t partition, unsigned slot)
{
	vgic_lpi_clear(partition_of(partition), slot);
}
