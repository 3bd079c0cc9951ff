/* SPDX-License-Identifier: BSD-2-Clause */
/* Brings the legs up, in the order that leaves no DMA unfenced, and hands the hooks out. */
#include "glue.h"

#include <string.h>

#include "hooks.h"
#include "log.h"

struct glue glue NOINIT;

_Static_assert(HV_LPI_SLOTS == IRQ_PARTITION_SLOTS, "a slot for every event");

static unsigned char iommu_memory[IOMMU_ARENA_SIZE] NOINIT __attribute__((aligned(65536)));
static unsigned char irq_memory[IRQ_ROUTE_ARENA_SIZE] NOINIT __attribute__((aligned(65536)));

struct vf_pool *glue_pool_of(const struct pci_function *pf)
{
	for (unsigned i = 0; i < glue.pool_count; i++) {
		if (glue.pools[i].pf == pf) {
			return &glue.pools[i];
		}
	}
	return NULL;
}

/* As many VFs of this PF as the highest index asked for, of those that it can have. */
static unsigned vfs_wanted(const struct pci_function *pf)
{
	unsigned limit = pf->total_vfs < VF_POOL_MAX ? pf->total_vfs : VF_POOL_MAX;
	unsigned wanted = 0;

	for (unsigned n = 0; n < glue.assignment_count; n++) {
		const struct hv_device_request *r = glue.assignments[n].request;

		if (r->wants_vf && glue.assignments[n].function == pf && r->vf_index < limit &&
		    r->vf_index >= wanted) {
			wanted = r->vf_index + 1u;
		}
	}
	return wanted;
}

static void enable_vfs(struct pci_function *pf, unsigned count)
{
	enum status status;

	if (glue.pool_count == GLUE_POOLS) {
		log_error("%s: VFs of more than %u functions", pci_name(pf->rid), GLUE_POOLS);
		return;
	}
	status = pci_function_reset(&glue.bus, pf->rid, pf->caps.express);
	if (status == STATUS_OK || status == STATUS_UNSUPPORTED) {
		status = vf_enable(&glue.pools[glue.pool_count], &glue.bus, pf, count);
	}
	if (status != STATUS_OK) {
		log_error("%s: cannot enable %u VFs: %s; partitions that want one run without",
			  pci_name(pf->rid), count, status_name(status));
		return;
	}
	glue.pool_count++;
	log_info("%s: %u VFs enabled", pci_name(pf->rid), count);
}

static void start_pci(const struct dt_walk *bridge)
{
	struct pci_host host;
	enum status status = pci_host_from_fdt(&host, bridge);

	for (unsigned i = 0; status == STATUS_OK && i < host.window_count; i++) {
		struct pci_window *w = &host.windows[i];

		if (range_inside(WIRES_BASE, WIRES_SIZE, w->cpu_base.v, w->size)) {
			w->size = WIRES_BASE - w->cpu_base.v;
		}
		if (host.windows[i].space == PCI_SPACE_IO) {
			hv_map_registers(host.windows[i].cpu_base, host.windows[i].size);
		}
	}
	if (status == STATUS_OK) {
		status = pci_bus_enumerate(&glue.bus, &host);
	}
	if (status != STATUS_OK) {
		log_warn("PCI: %s; %u functions are usable", status_name(status),
			 glue.bus.function_count);
	}
}

/* Who asks for what: from here on a request's function is what the machine has, or NULL. */
static void collect_assignments(void)
{
	for (unsigned p = 0; p < hv_partition_count(); p++) {
		partition_id_t id = {(uint8_t)p};
		struct partition_side *side = &glue.sides[p];
		struct hv_partition partition = hv_partition(id);

		pci_virt_init(&side->bridge, &glue.bus, id);
		side->assignments = &glue.assignments[glue.assignment_count];
		while (side->count < partition.device_count) {
			const struct hv_device_request *r = &partition.devices[side->count];
			struct pci_function *f = pci_bus_find(&glue.bus, r->function);

			side->assignments[side->count++] = (struct assignment){
				.request = r,
				.function = f && f->header_type == 0 ? f : NULL,
				.owner = id,
				.slot = side->count,
			};
			glue.assignment_count++;
		}
	}
}

static void start_vfs(void)
{
	for (unsigned i = 0; i < glue.bus.function_count; i++) {
		unsigned wanted = vfs_wanted(&glue.bus.functions[i]);

		if (wanted) {
			enable_vfs(&glue.bus.functions[i], wanted);
		}
	}
}

/* Enough bits for every id that the buses there are can send. */
static unsigned id_bits(const struct pci_id_map *maps, unsigned count)
{
	unsigned buses = glue.bus.bus_count ? glue.bus.bus_count : 1;
	uint32_t end = (glue.bus.host.bus_first + buses) * 256u; /* of requester ids */
	unsigned bits = 8;

	for (unsigned i = 0; i < count; i++) {
		const struct pci_id_map *map = &maps[i];
		uint32_t used = end > map->rid_base ? end - map->rid_base : 0;
		uint64_t streams =
			(uint64_t)map->out_base + (used < map->length ? used : map->length);

		while (used && bits < 16 && streams > 1ull << bits) {
			bits++;
		}
	}
	return bits;
}

static bool is_ready(const char *leg, enum status status)
{
	if (status != STATUS_OK) {
		log_error("%s: %s; no device will be given to any partition", leg,
			  status_name(status));
	}
	return status == STATUS_OK;
}

static void start_iommu(const struct glue_machine *machine)
{
	const struct pci_host *host = &glue.bus.host;
	struct iommu_config config = {machine->smmu, machine->smmu_size, &glue.iommu_arena,
				      id_bits(host->iommu_map, host->iommu_map_count)};

	glue.iommu_arena = (struct arena){iommu_memory, sizeof(iommu_memory), 0};
	glue.iommu_ready =
		is_ready("SMMU", machine->smmu_size ? iommu_init(&config) : STATUS_NOT_FOUND);
}

static void start_irq_route(const struct glue_machine *machine)
{
	struct irq_route_config config = {
		.its = machine->its,
		.cores = machine->cores,
		.device_bits = id_bits(glue.bus.host.msi_map, glue.bus.host.msi_map_count),
		.sink = {hv_lpi_route, hv_lpi_clear, hv_alarm, hooks_storm},
		.tables = &glue.irq_arena,
	};

	glue.irq_arena = (struct arena){irq_memory, sizeof(irq_memory), 0};
	memcpy(config.redistributors, machine->redistributors, sizeof(config.redistributors));
	glue.irq_ready =
		is_ready("ITS", machine->its.base ? irq_route_init(&config) : STATUS_NOT_FOUND);
}

void glue_start_interrupts(void)
{
	for (unsigned i = 0; i < hv_partition_count() && glue.irq_ready; i++) {
		partition_id_t id = {(uint8_t)i};
		struct irq_partition *irq = &glue.sides[i].irq;
		struct hv_partition partition = hv_partition(id);
		enum status status = irq_partition_init(irq, id, hv_guest_memory(id),
							partition.vcpus, partition.cores);

		glue.sides[i].irq_ready = status == STATUS_OK;
		if (status != STATUS_OK) {
			log_error("%s: no virtual ITS: %s", hv_partition_name(id),
				  status_name(status));
		}
	}
}

enum status glue_start(const struct glue_machine *machine, struct hv_hooks *hooks)
{
	enum status status = STATUS_OK;

	memset(&glue, 0, offsetof(struct glue, bus.functions));
	if (machine->smmu_size && iommu_block_all(machine->smmu) != STATUS_OK) {
		return STATUS_HARDWARE; /* DMA may be open: nothing is safe to start */
	}
	start_pci(machine->host_bridge);
	collect_assignments();
	start_vfs();
	wires_init(machine);
	start_iommu(machine);
	start_irq_route(machine);
	for (unsigned i = 0; i < hv_partition_count() && status == STATUS_OK; i++) {
		status = hooks_trap((partition_id_t){(uint8_t)i}, &glue.sides[i]);
	}
	hooks_fill(hooks);
	glue.dump_pci = machine->dump_pci;
	return status;
}
