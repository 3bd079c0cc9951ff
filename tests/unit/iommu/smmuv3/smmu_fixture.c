/* SPDX-License-Identifier: BSD-2-Clause */
#include "smmu_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define POOL_PAGES 4096 /* 16 MiB */

struct model_smmu device;
struct arena smmu_arena;
bool fixture_stage1;

static unsigned char *pool;
static unsigned pool_used;

uint64_t *low_page(void)
{
	assert_true(pool_used < POOL_PAGES);
	return memset(pool + (size_t)pool_used++ * 4096, 0, 4096);
}

int fixture_reset(void **state)
{
	(void)state;
	if (!pool) {
		pool = mmap(NULL, POOL_PAGES * 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		assert_ptr_not_equal(pool, MAP_FAILED);
	}
	size_t gap =
		(size_t)(-(uintptr_t)pool & (MIB(4) - 1)); /* the arena's base is 4 MiB-aligned */

	models_reset();
	model_smmu_add(&device, SMMU_BASE);
	if (fixture_stage1) { /* as QEMU's */
		device.idr0 = 0x0d44101a;
		device.idr3 = 0x1404;
	}
	smmu_arena = (struct arena){pool + gap, IOMMU_ARENA_SIZE, 0};
	pool_used = (unsigned)((gap + IOMMU_ARENA_SIZE) / 4096);
	return 0;
}

enum status start_smmu(unsigned stream_id_bits)
{
	struct iommu_config config = {
		.registers = {SMMU_BASE},
		.registers_size = MODEL_SMMU_SIZE,
		.tables = &smmu_arena,
		.stream_id_bits = stream_id_bits,
	};

	return iommu_init(&config);
}

int fixture_start(void **state)
{
	fixture_reset(state);
	assert_int_equal(start_smmu(10), STATUS_OK);
	return 0;
}

int fixture_check(void **state)
{
	(void)state;
	if (device.violations) {
		print_error("SMMU: %u violations, the first: %s\n", device.violations,
			    device.violation);
	}
	return device.violations != 0;
}

struct iommu_tables new_tables(uint16_t vmid)
{
	return (struct iommu_tables){
		.vmid = {vmid},
		.root = pa_of(low_page()),
	};
}

static uint64_t *entry_at(const struct iommu_tables *tables, unsigned level, uint64_t ipa)
{
	uint64_t *table = va_of(tables->root);

	for (unsigned at = 1;; at++) {
		uint64_t *entry = &table[ipa >> (39 - 9 * at) & 511];

		if (at == level) {
			return entry;
		}
		if (!*entry) {
			*entry = pa_of(low_page()).v | 3;
		}
		table = va_of((pa_t){*entry & 0xfffffffff000});
	}
}

void map_at(const struct iommu_tables *tables, unsigned level, uint64_t ipa, uint64_t pa, int how)
{
	uint64_t leaf = pa | (level == 3 ? 3u : 1u) | (how & MAP_NO_AF ? 0 : 1u << 10) | 3u << 8;

	if (fixture_stage1) { /* AP[1], AP[2], nG */
		leaf |= (how & MAP_R ? 1u << 6 : 0) | (how & MAP_W ? 0 : 1u << 7) | 1u << 11;
	} else {
		leaf |= (how & MAP_R ? 1u << 6 : 0) | (how & MAP_W ? 1u << 7 : 0) | 0xfu << 2;
	}
	*entry_at(tables, level, ipa) = leaf;
}

void unmap_at(const struct iommu_tables *tables, unsigned level, uint64_t ipa)
{
	*entry_at(tables, level, ipa) = 0;
}

bool reaches(uint32_t stream, uint64_t address, uint64_t pa)
{
	struct model_smmu_result read = model_smmu_access(&device, stream, address, false);
	struct model_smmu_result write = model_smmu_access(&device, stream, address, true);

	return read.passed && !read.bypassed && read.pa == pa && write.passed && write.pa == pa;
}

bool aborts(uint32_t stream, uint64_t address)
{
	return !model_smmu_access(&device, stream, address, false).passed &&
	       !model_smmu_access(&device, stream, address, true).passed;
}
