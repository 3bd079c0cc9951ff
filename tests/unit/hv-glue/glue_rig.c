/* SPDX-License-Identifier: BSD-2-Clause */
#include "glue_rig.h"

#include <libfdt.h>
#include <string.h>

#include "its_commands.h"
#include "model_pci_host.h"
#include "tree.h"

#define SMMU_BASE 0x9050000
#define DOORBELL  GUEST_ITS_DOORBELL /* the machine's is where the guest's is */
#define QUEUE	  (GUEST_RAM_BASE + 0x10000)
#define PROPERTY  (GUEST_RAM_BASE + 0x40000)
#define VECTORS	  3

struct model_smmu rig_smmu;
struct model_pci *rig_pci;
struct model_pci_function *rig_igb, *rig_nvme, *rig_behind, *rig_far, *rig_edu;
struct hv_hooks rig_hooks;
bool rig_stage1;
uint8_t rig_bus_first;

static uint8_t fdt[4096];

/* --- the machine --- */

static struct model_pci_function *add_nvme(struct model_pci_function *parent, uint8_t devfn,
					   uint16_t device)
{
	struct model_pci_function *f = model_pci_endpoint(rig_pci, parent, devfn, 0x1b36, device);

	model_pci_bar(f, 0, MODEL_PCI_MEM64, 0x4000);
	model_pci_msix(f, 0x40, 8, 0, 0);
	return f;
}

static void add_functions(void)
{
	struct model_pci_function *port =
		model_pci_bridge(rig_pci, NULL, 0x08, MODEL_PCI_ROOT_PORT);

	model_pci_acs(port, 0x148, 0x1d);
	rig_igb = model_pci_igb(rig_pci, port, 0);
	port = model_pci_bridge(rig_pci, NULL, 0x10, MODEL_PCI_ROOT_PORT);
	model_pci_acs(port, 0x148, 0x1d);
	rig_nvme = add_nvme(port, 0, 0x0010);
	model_pci_express(rig_nvme, 0x80, 0, true);
	port = model_pci_bridge(rig_pci, NULL, 0x18, MODEL_PCI_CONVENTIONAL);
	rig_behind = add_nvme(port, 0x08, 0x0011);
	port = model_pci_bridge(rig_pci, NULL, 0x20, MODEL_PCI_ROOT_PORT);
	rig_far = add_nvme(port, 0, 0x0012);
	model_pci_express(rig_far, 0x80, 0, true);
	rig_edu = model_pci_endpoint(rig_pci, NULL, 0x28, 0x1234, 0x11e8);
	model_pci_bar(rig_edu, 0, MODEL_PCI_MEM32, 0x100000);
	model_pci_capability(rig_edu, 0x05, 0x40);
	model_pci_poke(rig_edu, 0x42, 2, 0x0080); /* MSI, one vector, 64-bit */
}

void rig_build(void)
{
	models_reset();
	hv_host_reset();
	memset(&glue, 0, sizeof(glue));
	rig_pci = model_pci_new(MODEL_PCI_ECAM, rig_bus_first, 255);
	add_functions();
}

static void controller(const char *name, const char *cells, uint32_t phandle)
{
	tree_node(name);
	tree_u32(cells, 1);
	tree_u32("phandle", phandle);
	tree_close();
}

/* As QEMU's `virt` has it: lines 35 to 38 by slot and pin. */
static void interrupt_map(void)
{
	fdt32_t map[16][9] = {{0}};

	for (unsigned i = 0; i < 16; i++) {
		map[i][0] = cpu_to_fdt32((i / 4) << 11);
		map[i][3] = cpu_to_fdt32(i % 4 + 1);
		map[i][4] = cpu_to_fdt32(3);
		map[i][7] = cpu_to_fdt32(3 + (i / 4 + i % 4) % 4);
		map[i][8] = cpu_to_fdt32(4);
	}
	TREE_CELLS("interrupt-map-mask", 0x1800, 0, 0, 7);
	tree_bytes("interrupt-map", map, sizeof(map));
}

static void write_fdt(unsigned iommu_buses, unsigned msi_rids)
{
	tree_begin(fdt, sizeof(fdt), 0, 0);
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	tree_node("pcie@10000000");
	tree_text("compatible", "pci-host-ecam-generic");
	tree_u32("#address-cells", 3);
	tree_u32("#size-cells", 2);
	TREE_CELLS("reg", 0x40, 0x10000000, 0, (256u - rig_bus_first) << 20);
	TREE_CELLS("bus-range", rig_bus_first, 255);
	TREE_CELLS("ranges", 0x1000000, 0, 0, 0, 0x3eff0000, 0, 0x10000, 0x2000000, 0, 0x10000000,
		   0, 0x10000000, 0, 0x2eff0000, 0x3000000, 0x80, 0, 0x80, 0, 0x80, 0);
	TREE_CELLS("iommu-map", 0, 1, RIG_STREAM_BASE, iommu_buses << 8);
	TREE_CELLS("msi-map", 0, 2, 0, msi_rids);
	interrupt_map();
	tree_close();
	controller("smmu", "#iommu-cells", 1);
	controller("its", "#msi-cells", 2);
	controller("intc", "#address-cells", 3);
	tree_end();
}

enum status rig_start_with(const struct rig_options *options)
{
	write_fdt(options->iommu_buses ? options->iommu_buses : 4,
		  options->msi_rids ? options->msi_rids : 0x10000);

	struct dt_walk bridge = tree_find(fdt, "pci-host-ecam-generic");
	struct glue_machine machine = {
		.host_bridge = &bridge,
		.smmu = {SMMU_BASE},
		.smmu_size = options->no_smmu ? 0 : MODEL_SMMU_SIZE,
		.its = {options->no_its ? 0 : MODEL_ITS_BASE},
		.cores = RIG_CORES,
		.wires = options->wires,
		.wire_count = options->wire_count,
	};

	if (!options->no_smmu) {
		model_smmu_add(&rig_smmu, SMMU_BASE);
		if (rig_stage1) {
			rig_smmu.idr0 &= ~1u;
		}
	}
	model_its_start(&(struct model_its_config){
		.cores = RIG_CORES,
		.page_code = 3,
		.no_virtual = options->no_gicv4,
		.hang_at = options->its_hang_at,
		.stall_at = options->its_stall_at,
	});
	for (unsigned i = 0; i < RIG_CORES; i++) {
		machine.redistributors[i].base = MODEL_GICR_BASE + i * MODEL_GICR_STRIDE;
	}
	enum status status = glue_start(&machine, &rig_hooks);

	for (unsigned i = 0; status == STATUS_OK && i < RIG_CORES; i++) {
		status = rig_hooks.core_up(i);
	}
	if (status == STATUS_OK) {
		rig_hooks.cores_up();
	}
	return status;
}

void rig_start(void)
{
	assert_int_equal(rig_start_with(&(struct rig_options){0}), STATUS_OK);
	assert_true(glue.iommu_ready && glue.irq_ready);
}

void rig_check(void)
{
	assert_string_equal(model_pci_violation(rig_pci), "");
	assert_string_equal(rig_smmu.violations ? rig_smmu.violation : "", "");
	assert_int_equal(model_its_complaints(), 0);
	assert_string_equal(hv_host_violation(), "");
}

int rig_tear_down(void **state)
{
	(void)state;
	if (rig_pci) {
		model_pci_free(rig_pci);
	}
	rig_pci = NULL;
	return 0;
}

struct model_pci_function *rig_vf(unsigned index)
{
	return model_pci_vf(rig_igb, index);
}

const struct vf *rig_pool_vf(unsigned index)
{
	return vf_by_index(&glue.pools[0], (uint16_t)index);
}

const struct assignment *rig_assignment(partition_id_t partition, unsigned index)
{
	return &glue.sides[partition.v].assignments[index];
}

void rig_ask(partition_id_t partition, unsigned device, bool ask)
{
	struct assignment *a = &glue.sides[partition.v].assignments[device];

	a->function = ask ? pci_bus_find(&glue.bus, a->request->function) : NULL;
}

/* --- devices --- */

static uint32_t stream_of(rid_t rid)
{
	return rid.v + RIG_STREAM_BASE;
}

unsigned rig_its_commands(void)
{
	unsigned count = 0;

	for (unsigned opcode = 0; opcode < 64; opcode++) {
		count += model_its_count(opcode);
	}
	return count;
}

unsigned rig_cached(partition_id_t partition)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MODEL_SMMU_TLB; i++) {
		count += rig_smmu.tlb[i].valid && rig_smmu.tlb[i].vmid == partition.v + 1;
	}
	return count;
}

enum model_smmu_meaning rig_stream_meaning(rid_t rid)
{
	const uint64_t *table = va_of((pa_t){rig_smmu.strtab_base & BITS(51, 6)});

	return model_smmu_meaning(&rig_smmu, table + 8ul * stream_of(rid));
}

bool rig_stream_open(rid_t rid, uint64_t ipa)
{
	return model_smmu_access(&rig_smmu, stream_of(rid), ipa, false).passed ||
	       model_smmu_access(&rig_smmu, stream_of(rid), ipa, true).passed;
}

static struct model_smmu_result dma(const struct model_pci_function *f, uint64_t ipa)
{
	if (!model_pci_masters(f)) {
		return (struct model_smmu_result){0};
	}
	return model_smmu_access(&rig_smmu, stream_of((rid_t){model_pci_requester(f)}), ipa, true);
}

bool rig_dma(const struct model_pci_function *f, uint64_t ipa)
{
	return dma(f, ipa).passed;
}

bool rig_dma_lands(const struct model_pci_function *f, partition_id_t partition, uint64_t ipa)
{
	struct model_smmu_result result = dma(f, ipa);

	return result.passed && !result.bypassed && hv_host_owns(partition, result.pa);
}

struct model_its_delivery rig_msi(const struct model_pci_function *f, uint32_t event)
{
	struct model_smmu_result result = dma(f, GUEST_ITS_DOORBELL + 0x40);

	if (!result.passed || result.pa != DOORBELL + 0x40) {
		return (struct model_its_delivery){.dropped = true};
	}
	return model_its_msi(model_pci_requester(f), event);
}

/* --- guests --- */

static uint64_t ecam(unsigned device, unsigned reg)
{
	return GUEST_ECAM_BASE + ((uint64_t)(device + 1) << 15) + reg;
}

uint32_t rig_config_read(partition_id_t partition, unsigned device, unsigned reg, unsigned size)
{
	uint64_t value = 0;

	assert_true(hv_host_read(partition, ecam(device, reg), size, &value));
	return (uint32_t)value;
}

void rig_config_write(partition_id_t partition, unsigned device, unsigned reg, unsigned size,
		      uint32_t value)
{
	assert_true(hv_host_write(partition, ecam(device, reg), size, value));
}

static void its_write(partition_id_t partition, unsigned reg, unsigned size, uint64_t value)
{
	assert_true(hv_host_write(partition, GUEST_ITS_BASE + reg, size, value));
}

static uint64_t its_read(partition_id_t partition, unsigned reg)
{
	uint64_t value = 0;

	assert_true(hv_host_read(partition, GUEST_ITS_BASE + reg, 8, &value));
	return value;
}

static void command(partition_id_t partition, struct its_command words)
{
	uint64_t writer = its_read(partition, 0x88);

	memcpy(hv_host_ram(partition, QUEUE + writer), &words, sizeof(words));
	writer = (writer + sizeof(words)) % 0x1000;
	its_write(partition, 0x88, 8, writer);
	for (unsigned i = 0; i < 16 && its_read(partition, 0x90) != writer; i++) {
	}
}

void rig_guest_boot(partition_id_t p)
{
	its_write(p, 0x100, 8, GITS_TABLE_VALID | (GUEST_RAM_BASE + 0x80000));
	its_write(p, 0x108, 8, GITS_TABLE_VALID | (GUEST_RAM_BASE + 0x90000));
	its_write(p, 0x80, 8, GITS_TABLE_VALID | QUEUE);
	its_write(p, 0x88, 8, 0);
	its_write(p, 0, 4, 1);
	memset(hv_host_ram(p, PROPERTY), 0xa1, 8192);
	rig_hooks.vcpu_enter(p, 0);
	/* As a 32-bit guest might: the halves of PROPBASER one by one. */
	rig_hooks.lpi_write(p, 0, 0x70, (PROPERTY | (IRQ_LPI_BITS - 1)) & 0xffffffff, 4);
	rig_hooks.lpi_write(p, 0, 0x74, PROPERTY >> 32, 4);
	assert_int_equal(rig_hooks.lpi_read(p, 0, 0x70), PROPERTY | (IRQ_LPI_BITS - 1));
	rig_hooks.lpi_enable(p, 0, true);
	command(p, its_mapc(0, 0));
}

void rig_guest_halt(partition_id_t p)
{
	rig_hooks.vcpu_leave(p, 0);
}

void rig_guest_map(partition_id_t p, unsigned device, unsigned events)
{
	const device_id_t name = {(device + 1) << 3};

	rig_config_write(p, device, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	command(p, its_mapd(name, events > 4 ? 3 : 2, (pa_t){0x40000000}));
	for (uint32_t event = 0; event < events; event++) {
		struct its_command mapti = its_event_command(ITS_MAPTI, name, (event_id_t){event});

		mapti.word[1] |= (uint64_t)(RIG_VLPI + 8 * device + event) << 32;
		command(p, mapti);
	}
}

void rig_guest_event(partition_id_t p, unsigned opcode, unsigned device, uint32_t event)
{
	command(p,
		its_event_command(opcode, (device_id_t){(device + 1) << 3}, (event_id_t){event}));
}

void rig_guest_drive(partition_id_t p, unsigned device)
{
	rig_guest_map(p, device, VECTORS);
}

void rig_guest_run(partition_id_t p)
{
	rig_guest_boot(p);
	for (unsigned i = 0; i < hv_partition(p).device_count; i++) {
		if (rig_config_read(p, i, PCI_VENDOR_ID, 2) != 0xffff) {
			rig_guest_drive(p, i);
		}
	}
}

/* --- what must hold --- */

void rig_assert_works(partition_id_t p, unsigned device, struct model_pci_function *f)
{
	const struct assignment *a = rig_assignment(p, device);
	struct model_its_delivery delivery = rig_msi(f, 1);
	uint64_t pa;

	assert_true(rig_dma_lands(f, p, RIG_MEMORY));
	assert_false(rig_dma(f, GUEST_RAM_BASE + HV_HOST_RAM));
	assert_false(rig_dma(f, GUEST_RAM_BASE - 1));
	assert_false(rig_dma(f, GUEST_UART_BASE));
	assert_false(delivery.dropped);
	assert_int_equal(delivery.vpe, glue.sides[p.v].irq.vpes[0].id);
	assert_int_equal(delivery.vlpi, RIG_VLPI + 8 * device + 1);
	assert_true(model_its_signalled(delivery.vpe, delivery.vlpi));
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		const struct pci_bar *bar = &a->identity.bars[i];

		if (bar->space >= PCI_SPACE_MEM32) {
			uint32_t shown = rig_config_read(p, device, PCI_BAR0 + 4 * i, 4) & ~15u;

			assert_true(hv_host_lookup(p, shown, &pa));
			assert_int_equal(pa, bar->cpu_address.v);
			assert_true(hv_host_lookup(p, shown + bar->size - 1, &pa));
		}
	}
}

void rig_assert_hidden(partition_id_t p, unsigned device, struct model_pci_function *f)
{
	const struct assignment *a = rig_assignment(p, device);
	uint64_t pa;

	assert_false(a->attached);
	assert_int_equal(rig_config_read(p, device, PCI_VENDOR_ID, 4), 0xffffffff);
	assert_false(rig_dma(f, RIG_MEMORY));
	assert_true(rig_msi(f, 0).dropped);
	assert_true(f->gone || !(model_pci_peek(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER));
	for (unsigned i = 0; i < PCI_BUS_BARS; i++) {
		const struct pci_bar *bar = &a->identity.bars[i];

		if (bar->space >= PCI_SPACE_MEM32) {
			assert_false(hv_host_lookup(p, bar->cpu_address.v, &pa));
		}
	}
}

void rig_assert_gone(partition_id_t p, unsigned device, struct model_pci_function *f)
{
	rid_t rid = {model_pci_requester(f)};

	rig_assert_hidden(p, device, f);
	assert_false(rig_stream_open(rid, RIG_MEMORY));
	assert_false(rig_stream_open(rid, GUEST_ITS_DOORBELL + 0x40));
	assert_int_equal(rig_stream_meaning(rid), MODEL_STE_ABORT);
	for (unsigned i = 0; i < 32; i++) {
		assert_true(model_its_msi(rid.v, i).dropped);
	}
	assert_false(model_its_device_mapped(rid.v));
}
