/* SPDX-License-Identifier: BSD-2-Clause */
/* Set-up of the partitions at boot: memory, stage 2 tables, the guest's emulated devices, images.
 */
#include <string.h>

#include "arch.h"
#include "log.h"
#include "partition.h"

void free_memory_remove(struct ranges *memory, uint64_t base, uint64_t size)
{
	uint64_t end = base + size < base ? UINT64_MAX : base + size;

	for (unsigned i = 0; i < memory->count; i++) {
		uint64_t from = memory->ranges[i].base, to = from + memory->ranges[i].size;

		if (end <= from || base >= to) {
			continue;
		}
		memory->ranges[i].size = base > from ? base - from : 0;
		if (end < to && memory->count < MAX_RANGES) {
			memory->ranges[memory->count].base = end;
			memory->ranges[memory->count++].size = to - end;
		}
	}
}

/* At `*base` if it is pinned there, else anywhere. */
static bool find_memory(const struct ranges *memory, uint64_t size, bool pinned, uint64_t *base)
{
	for (unsigned i = 0; i < memory->count; i++) {
		if (!pinned) {
			*base = align_up(memory->ranges[i].base, STAGE2_BLOCK);
		}
		if (range_inside(*base, size, memory->ranges[i].base, memory->ranges[i].size)) {
			return true;
		}
	}
	return false;
}

static enum status take_memory(struct partition *partition, struct ranges *memory)
{
	const struct partition_config *config = partition->config;
	uint64_t base = config->memory_at.v;

	if (!find_memory(memory, config->memory_size, config->memory_pinned, &base)) {
		log_error("%s: no room for its %lu MiB%s; give the machine more memory or the "
			  "partition less",
			  config->name, config->memory_size >> 20,
			  config->memory_pinned ? " at memory-at" : "");
		return STATUS_NO_SPACE;
	}
	free_memory_remove(memory, base, config->memory_size);
	partition->memory = (pa_t){base};
	return STATUS_OK;
}

static volatile void *guest_at(void *context, ipa_t ipa, size_t size)
{
	const struct partition *partition = context;

	if (!range_inside(ipa.v, size, GUEST_RAM_BASE, partition->config->memory_size)) {
		return NULL;
	}
	return va_of((pa_t){partition->memory.v + (ipa.v - GUEST_RAM_BASE)});
}

/* RAM for both; the doorbell for devices only. The RAM parts of stage 2 are the same tables. */
static enum status build_tables(struct partition *partition, pa_t doorbell)
{
	enum status status;

	partition->cpu_root = stage2_new_root();
	partition->device_root = stage2_new_root();
	if (!partition->cpu_root || !partition->device_root) {
		return STATUS_NO_MEMORY;
	}
	status = partition_map_memory(partition);
	if (status == STATUS_OK && doorbell.v) {
		status = stage2_map(partition->device_root, (ipa_t){GUEST_ITS_DOORBELL}, doorbell,
				    PAGE_SIZE, iommu_stage1() ? STAGE1_DOORBELL : STAGE2_DOORBELL);
	}
	return status;
}

static void trap_emulated_devices(struct partition *partition)
{
	const struct hv_mmio_region regions[] = {
		{{GUEST_GICD_BASE},
		 GUEST_GICD_SIZE,
		 HV_EXIT_OTHER,
		 partition,
		 vgic_distributor_read,
		 vgic_distributor_write},
		{{GUEST_GICR_BASE},
		 GUEST_GICR_STRIDE * partition->config->vcpus,
		 HV_EXIT_OTHER,
		 partition,
		 vgic_redistributor_read,
		 vgic_redistributor_write},
		{{GUEST_UART_BASE},
		 GUEST_UART_SIZE,
		 HV_EXIT_CONSOLE,
		 partition,
		 vuart_read,
		 vuart_write},
	};

	memcpy(partition->traps, regions, sizeof(regions));
	partition->trap_count = ARRAY_SIZE(regions);
}

static enum status check_images(struct partition *partition, struct dt_node fit)
{
	const struct partition_config *config = partition->config;
	enum status status = STATUS_OK;

	for (unsigned i = 0; i < CONFIG_IMAGES && status == STATUS_OK; i++) {
		const char *name = config->images[i].name;

		/* An image that partitions share is hashed once. */
		for (unsigned k = 0; k < partition->id.v; k++) {
			if (!strcmp(partitions[k].config->images[i].name, name)) {
				partition->images[i] = partitions[k].images[i];
			}
		}
		if (name[0] && !partition->images[i].data) {
			status = fit_image(fit, name, &partition->images[i]);
		}
	}
	if (status != STATUS_OK) {
		log_error("%s: its images cannot be used: %s", config->name, status_name(status));
	}
	return status;
}

void partitions_init(const struct config *config, struct ranges *memory, pa_t doorbell)
{
	partition_count = config->partition_count;
	for (unsigned i = 0; i < partition_count; i++) {
		struct partition *partition = &partitions[i];

		partition->config = &config->partitions[i];
		partition->id = (partition_id_t){(uint8_t)i};
		partition->guest_memory = (struct guest_memory){partition, guest_at};
		partition->gic.has_lpis = doorbell.v != 0;
		for (unsigned v = 0; v < partition->config->vcpus; v++) {
			struct vcpu *vcpu = &partition->vcpus[v];

			*vcpu = (struct vcpu){.partition = partition,
					      .index = v,
					      .core = partition->config->cores[v]};
			cores[vcpu->core].vcpu = vcpu;
		}
		vgic_reset(partition);
		trap_emulated_devices(partition);
		if (take_memory(partition, memory) != STATUS_OK ||
		    build_tables(partition, doorbell) != STATUS_OK) {
			partition->state = PARTITION_CRASHED;
		}
	}
}

unsigned partitions_check_images(struct dt_node fit)
{
	unsigned good = 0;

	for (unsigned i = 0; i < partition_count; i++) {
		struct partition *partition = &partitions[i];

		partition->startable = partition->state != PARTITION_CRASHED &&
				       check_images(partition, fit) == STATUS_OK;
		if (!partition->startable) {
			partition->state = PARTITION_CRASHED;
		}
		good += partition->startable && !partition->config->service;
	}
	return good;
}
