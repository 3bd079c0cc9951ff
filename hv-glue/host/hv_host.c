/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "guest_map.h"

#define ENTRIES 512
#define TABLE	3ull			      /* and a page, at the last level */
#define LEAF	(TABLE | 3ull << 8 | BIT(10)) /* inner shareable, accessed */
#define NORMAL	(15ull << 2)
#define DEVICE	(1ull << 2)
#define READ	BIT(6)
#define WRITE	BIT(7)
/* Stage 1: unprivileged, not global, never executed. */
#define STAGE1_LEAF (TABLE | BIT(6) | 3ull << 8 | BIT(10) | BIT(11) | 3ull << 53)

enum { ROOT, LOW, LOW_PAGES, HIGH, RAM_PAGES, TABLES };

static struct partition {
	char name[16];
	unsigned vcpus, cores[GUEST_MAX_VCPUS];
	bool service;
	struct hv_device_request devices[HV_MAX_DEVICES];
	unsigned device_count;
	struct guest_memory memory;
	struct hv_mmio_region traps[HV_HOST_TRAPS];
	unsigned trap_count;
	struct mapping {
		uint64_t ipa, pa, size;
	} mappings[HV_HOST_MAPPINGS];
	unsigned mapping_count;
	unsigned wires[GUEST_INTX_LINES];
} partitions[HV_MAX_PARTITIONS];

static unsigned char ram[HV_MAX_PARTITIONS][HV_HOST_RAM] __attribute__((aligned(4096)));
static uint64_t tables[HV_MAX_PARTITIONS][TABLES][ENTRIES] __attribute__((aligned(4096)));
static unsigned partition_count;
static unsigned fail_in;
static enum status fail_with;
static void (*map_hook)(void *);
static void *map_context;
static unsigned violations;
static const char *violation = "";

static void violate(const char *what)
{
	if (!violations++) {
		violation = what;
	}
}

/* A mistake in the test itself. */
static void must(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "hv_host: %s\n", what);
		abort();
	}
}

unsigned hv_host_violations(void)
{
	return violations;
}

const char *hv_host_violation(void)
{
	return violation;
}

/* --- set-up ---------------------------------------------------------------------------------- */

static struct hv_host_lpi lpis[HV_MAX_PARTITIONS][HV_LPI_SLOTS];
static uint64_t alarm_ns;

void hv_host_reset(void)
{
	memset(partitions, 0, sizeof(partitions));
	memset(ram, 0, sizeof(ram));
	memset(tables, 0, sizeof(tables));
	memset(lpis, 0, sizeof(lpis));
	alarm_ns = 0;
	partition_count = 0;
	fail_in = 0;
	map_hook = NULL;
	violations = 0;
	violation = "";
}

static volatile void *ram_at(void *context, ipa_t ipa, size_t size)
{
	return range_inside(ipa.v, size, GUEST_RAM_BASE, HV_HOST_RAM)
		       ? (unsigned char *)context + (ipa.v - GUEST_RAM_BASE)
		       : NULL;
}

/* RAM, and the doorbell to write to; which stage is known once the IOMMU is up. */
static void build_tables(unsigned number)
{
	uint64_t(*t)[ENTRIES] = tables[number];
	uint64_t ram_leaf = LEAF | NORMAL | READ | WRITE, doorbell_leaf = LEAF | DEVICE | WRITE;

	if (iommu_stage1()) {
		ram_leaf = STAGE1_LEAF;
		doorbell_leaf = STAGE1_LEAF | IOMMU_ATTR_DEVICE << 2;
	}

	t[ROOT][GUEST_ITS_DOORBELL >> 30] = pa_of(t[LOW]).v | TABLE;
	t[LOW][GUEST_ITS_DOORBELL >> 21 & 511] = pa_of(t[LOW_PAGES]).v | TABLE;
	t[LOW_PAGES][GUEST_ITS_DOORBELL >> 12 & 511] = GUEST_ITS_DOORBELL | doorbell_leaf;
	t[ROOT][GUEST_RAM_BASE >> 30] = pa_of(t[HIGH]).v | TABLE;
	t[HIGH][0] = pa_of(t[RAM_PAGES]).v | TABLE;
	for (unsigned i = 0; i < HV_HOST_RAM / PAGE_SIZE; i++) {
		t[RAM_PAGES][i] = (pa_of(ram[number]).v + i * PAGE_SIZE) | ram_leaf;
	}
}

partition_id_t hv_host_partition(const char *name, unsigned vcpus, unsigned first_core)
{
	unsigned number = partition_count++;

	must(number < HV_MAX_PARTITIONS, "too many partitions");
	struct partition *partition = &partitions[number];

	snprintf(partition->name, sizeof(partition->name), "%s", name);
	partition->vcpus = vcpus;
	for (unsigned v = 0; v < vcpus; v++) {
		partition->cores[v] = first_core + v;
	}
	partition->memory = (struct guest_memory){ram[number], ram_at};
	return (partition_id_t){(uint8_t)number};
}

struct hv_device_request *hv_host_function(partition_id_t id, const char *label, rid_t rid)
{
	struct partition *partition = &partitions[id.v];

	must(partition->device_count < HV_MAX_DEVICES, "too many devices");
	struct hv_device_request *request = &partition->devices[partition->device_count++];

	snprintf(request->label, sizeof(request->label), "%s", label);
	request->function = rid;
	return request;
}

struct hv_device_request *hv_host_vf(partition_id_t id, const char *label, rid_t pf, uint16_t index)
{
	struct hv_device_request *request = hv_host_function(id, label, pf);

	request->wants_vf = true;
	request->vf_index = index;
	return request;
}

struct hv_device_request *hv_host_request(partition_id_t partition, unsigned device)
{
	must(device < partitions[partition.v].device_count, "no such device");
	return &partitions[partition.v].devices[device];
}

/* --- what a test asks ------------------------------------------------------------------------ */

unsigned char *hv_host_ram(partition_id_t partition, uint64_t ipa)
{
	must(range_inside(ipa, 1, GUEST_RAM_BASE, HV_HOST_RAM), "not RAM of a partition");
	return &ram[partition.v][ipa - GUEST_RAM_BASE];
}

bool hv_host_owns(partition_id_t partition, uint64_t pa)
{
	return range_inside(pa, 1, pa_of(ram[partition.v]).v, HV_HOST_RAM);
}

unsigned hv_host_mapped(partition_id_t partition)
{
	return partitions[partition.v].mapping_count;
}

bool hv_host_lookup(partition_id_t id, uint64_t ipa, uint64_t *pa)
{
	const struct partition *partition = &partitions[id.v];

	for (unsigned i = 0; i < partition->mapping_count; i++) {
		const struct mapping *mapping = &partition->mappings[i];

		if (range_inside(ipa, 1, mapping->ipa, mapping->size)) {
			*pa = mapping->pa + (ipa - mapping->ipa);
			return true;
		}
	}
	return false;
}

void hv_host_fail_map(unsigned nth, enum status status)
{
	fail_in = nth;
	fail_with = status;
}

void hv_host_on_map(void (*hook)(void *), void *context)
{
	map_hook = hook;
	map_context = context;
}

static const struct hv_mmio_region *trap_at(partition_id_t id, uint64_t ipa, unsigned size)
{
	const struct partition *partition = &partitions[id.v];

	must(is_aligned(ipa, size), "a misaligned access never gets here");
	for (unsigned i = 0; i < partition->trap_count; i++) {
		const struct hv_mmio_region *region = &partition->traps[i];

		if (range_inside(ipa, size, region->base.v, region->size)) {
			return region;
		}
	}
	return NULL;
}

bool hv_host_read(partition_id_t id, uint64_t ipa, unsigned size, uint64_t *value)
{
	const struct hv_mmio_region *region = trap_at(id, ipa, size);

	if (region) {
		*value = region->read(region->context, ipa - region->base.v, size);
		*value &= ~0ull >> (64 - 8 * size);
	}
	return region;
}

bool hv_host_write(partition_id_t id, uint64_t ipa, unsigned size, uint64_t value)
{
	const struct hv_mmio_region *region = trap_at(id, ipa, size);

	if (region) {
		region->write(region->context, ipa - region->base.v, size,
			      value & ~0ull >> (64 - 8 * size));
	}
	return region;
}

/* --- hv.h ------------------------------------------------------------------------------------ */

unsigned hv_partition_count(void)
{
	return partition_count;
}

const char *hv_partition_name(partition_id_t partition)
{
	return partition.v < partition_count ? partitions[partition.v].name : "nobody";
}

void hv_host_service(partition_id_t partition)
{
	partitions[partition.v].service = true;
}

struct hv_partition hv_partition(partition_id_t id)
{
	const struct partition *partition = &partitions[id.v];

	return (struct hv_partition){partition->service, partition->vcpus, partition->device_count,
				     partition->cores, partition->devices};
}

const struct guest_memory *hv_guest_memory(partition_id_t partition)
{
	return &partitions[partition.v].memory;
}

static bool overlaps(const struct mapping *mapping, uint64_t ipa, uint64_t size)
{
	return ipa < mapping->ipa + mapping->size && mapping->ipa < ipa + size;
}

enum status hv_map_device(partition_id_t id, ipa_t ipa, pa_t pa, uint64_t size)
{
	struct partition *partition = &partitions[id.v];

	if (!size || !is_aligned(ipa.v | pa.v | size, PAGE_SIZE) ||
	    !range_inside(ipa.v, size, GUEST_PCI_MMIO_BASE, GUEST_PCI_MMIO_SIZE)) {
		violate("mapped for a guest: not whole pages, or not where its MMIO is");
		return STATUS_INVALID;
	}
	if (fail_in && --fail_in == 0) {
		return fail_with;
	}
	for (unsigned i = 0; i < partition->mapping_count; i++) {
		if (overlaps(&partition->mappings[i], ipa.v, size)) {
			return STATUS_BUSY;
		}
	}
	if (partition->mapping_count == HV_HOST_MAPPINGS) {
		return STATUS_NO_MEMORY;
	}
	partition->mappings[partition->mapping_count++] = (struct mapping){ipa.v, pa.v, size};
	if (map_hook) {
		map_hook(map_context);
	}
	return STATUS_OK;
}

/* Models are reached everywhere. */
void hv_map_registers(pa_t pa, uint64_t size)
{
	(void)pa, (void)size;
}

/* No two lines have the same. */
void hv_wire(partition_id_t id, unsigned line, intid_t physical)
{
	if (line >= GUEST_INTX_LINES || (physical.v && physical.v < 32)) {
		violate("no line, or no interrupt");
		return;
	}
	for (unsigned i = 0; physical.v && i < HV_MAX_PARTITIONS * GUEST_INTX_LINES; i++) {
		if (partitions[i / GUEST_INTX_LINES].wires[i % GUEST_INTX_LINES] == physical.v &&
		    i != id.v * GUEST_INTX_LINES + line) {
			violate("an interrupt is wired twice");
		}
	}
	if (physical.v && partitions[id.v].wires[line] &&
	    partitions[id.v].wires[line] != physical.v) {
		violate("a line has two interrupts");
	}
	partitions[id.v].wires[line] = physical.v;
}

unsigned hv_host_wire(partition_id_t id, unsigned line)
{
	return partitions[id.v].wires[line];
}

void hv_unmap_device(partition_id_t id, ipa_t ipa, uint64_t size)
{
	struct partition *partition = &partitions[id.v];

	for (unsigned i = 0; i < partition->mapping_count; i++) {
		struct mapping *mapping = &partition->mappings[i];

		if (mapping->ipa == ipa.v && mapping->size == size) {
			*mapping = partition->mappings[--partition->mapping_count];
			return;
		}
	}
	violate("unmapped what was not mapped so");
}

void hv_device_tables(partition_id_t partition, struct iommu_tables *out)
{
	build_tables(partition.v);
	*out = (struct iommu_tables){
		.vmid = {(uint16_t)(partition.v + 1)},
		.root = pa_of(tables[partition.v][ROOT]),
	};
}

enum status hv_trap_region(partition_id_t id, const struct hv_mmio_region *region)
{
	struct partition *partition = &partitions[id.v];

	for (unsigned i = 0; i < partition->trap_count; i++) {
		const struct hv_mmio_region *other = &partition->traps[i];

		if (region->base.v < other->base.v + other->size &&
		    other->base.v < region->base.v + region->size) {
			violate("trapped twice");
		}
	}
	if (partition->trap_count == HV_HOST_TRAPS) {
		return STATUS_NO_MEMORY;
	}
	partition->traps[partition->trap_count++] = *region;
	return STATUS_OK;
}

/* --- injected LPIs --------------------------------------------------------------------------- */

const struct hv_host_lpi *hv_host_lpi(partition_id_t partition, unsigned slot)
{
	return &lpis[partition.v][slot];
}

unsigned hv_host_lpis_pending(partition_id_t partition, unsigned vcpu)
{
	unsigned count = 0;

	for (unsigned i = 0; i < HV_LPI_SLOTS; i++) {
		count += lpis[partition.v][i].pending && lpis[partition.v][i].vcpu == vcpu;
	}
	return count;
}

uint64_t hv_host_alarm(void)
{
	return alarm_ns;
}

void hv_lpi_route(partition_id_t partition, unsigned slot, unsigned vcpu, uint32_t intid,
		  uint8_t property)
{
	if (partition.v >= HV_MAX_PARTITIONS || slot >= HV_LPI_SLOTS) {
		violate("an LPI of no partition, or no slot of it");
		return;
	}
	struct hv_host_lpi *lpi = &lpis[partition.v][slot];

	if ((intid && (intid < 8192 || intid >> 14)) || vcpu >= GUEST_MAX_VCPUS) {
		violate("what is no LPI, or of no vCPU, was routed");
	}
	lpi->pending &= lpi->intid == intid;
	lpi->intid = intid;
	lpi->vcpu = vcpu;
	lpi->property = property;
}

unsigned hv_host_pauses, hv_host_agains;

void (*hv_host_turn)(void);

bool hv_again(void)
{
	if (hv_host_turn) {
		hv_host_turn();
	}
	return hv_host_agains && hv_host_agains-- > 0;
}

void hv_pause(void)
{
	hv_host_pauses++;
}

void hv_lpi_clear(partition_id_t partition, unsigned slot)
{
	if (partition.v >= HV_MAX_PARTITIONS || slot >= HV_LPI_SLOTS) {
		violate("an LPI of no partition, or no slot of it");
		return;
	}
	lpis[partition.v][slot].pending = false;
}

void hv_host_lpi_taken(uint32_t number)
{
	if (number >= HV_LPI_ALL_SLOTS) {
		return;
	}
	struct hv_host_lpi *lpi = &lpis[number / HV_LPI_SLOTS][number % HV_LPI_SLOTS];

	lpi->pending = lpi->intid != 0;
}

unsigned hv_alarm(uint64_t ns)
{
	alarm_ns = alarm_ns ? alarm_ns : ns;
	return 0;
}
