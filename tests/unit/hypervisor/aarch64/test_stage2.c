/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of stage2.c, walked by the SMMU's model while they change: a block is given up and
 * given back, and at no moment does a device miss its neighbours, whatever the SMMU has cached and
 * whatever its level of break-before-make (IDR3.BBML). F38.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch.h"
#include "hv_host.h"
#include "iommu.h"
#include "model_smmu.h"
#include "models.h"
#include "partition.h"

#define SMMU_BASE 0x9050000
#define BLOCKS	  4
#define SIZE	  (BLOCKS * STAGE2_BLOCK)
#define RAM	  ((pa_t){GIB(3) - MIB(4)}) /* over the end of a GiB; never read or written */
#define STREAM	  ((stream_id_t){5})
#define DOORBELL  0x8090000ull

static unsigned char arena_memory[IOMMU_ARENA_SIZE] __attribute__((aligned(4194304)));
static const struct partition_config config = {.name = "p", .memory_size = SIZE};
static struct model_smmu device;
static struct arena arena;
static struct partition partition;
static struct iommu_tables tables;
static unsigned flushes;
static uint64_t looked_at; /* this block may be there or not */

void stage2_flush(vmid_t vmid)
{
	assert_int_equal(vmid.v, partition_vmid(&partition).v);
	flushes++;
}

static bool reaches(uint64_t ipa, bool write)
{
	struct model_smmu_result found = model_smmu_access(&device, STREAM.v, ipa, write);

	assert_true(!found.passed || found.pa == RAM.v + (ipa - GUEST_RAM_BASE));
	return found.passed;
}

static uint64_t block_at(unsigned n)
{
	return GUEST_RAM_BASE + n * STAGE2_BLOCK;
}

static void assert_reached(bool all)
{
	for (unsigned n = 0; n < BLOCKS; n++) {
		for (uint64_t at = 0; at < STAGE2_BLOCK; at += STAGE2_BLOCK / 4) {
			bool found = reaches(block_at(n) + at, n % 2);

			assert_true(found || (!all && block_at(n) == looked_at));
		}
	}
	assert_true(reaches(block_at(BLOCKS) - 1, true) || block_at(BLOCKS - 1) == looked_at);
	assert_false(reaches(block_at(0) - 1, true));
	assert_false(reaches(block_at(BLOCKS), true));
}

/* Each store, barrier and clean is a moment at which the device acts. */
static void act(void *context)
{
	(void)context;
	assert_reached(false);
}

/* A partition on an SMMU with this level, stage 1 alone or both; its devices hold all of it. */
static void start(unsigned level, bool stage1)
{
	models_reset();
	hv_host_reset();
	model_smmu_add(&device, SMMU_BASE);
	device.idr3 = (device.idr3 & ~0x1800u) | level << 11;
	device.idr0 &= stage1 ? ~1u : ~0u;
	arena = (struct arena){arena_memory, sizeof(arena_memory), 0};
	assert_int_equal(
		iommu_init(&(struct iommu_config){{SMMU_BASE}, MODEL_SMMU_SIZE, &arena, 8}),
		STATUS_OK);
	partition = (struct partition){.config = &config, .memory = RAM};
	partition.cpu_root = stage2_new_root();
	partition.device_root = stage2_new_root();
	assert_int_equal(partition_map_memory(&partition), STATUS_OK);
	tables = (struct iommu_tables){partition_vmid(&partition), pa_of(partition.device_root)};
	assert_int_equal(iommu_attach(STREAM, &tables, (partition_id_t){0}), STATUS_OK);
	assert_reached(true);
}

static void over_all_levels(void (*test)(void))
{
	for (unsigned level = 0; level < 3; level++) {
		for (unsigned stage1 = 0; stage1 < 2; stage1++) {
			start(level, stage1);
			test();
			models_observer(NULL, NULL);
			assert_string_equal(device.violation, "");
		}
	}
}

static void release_and_restart(void)
{
	for (unsigned n = 0; n < BLOCKS; n++) {
		unsigned used = stage2_tables_used();

		looked_at = block_at(n);
		models_observer(act, NULL);
		assert_int_equal(partition_release_block(&partition, (ipa_t){looked_at}),
				 STATUS_OK);
		for (uint64_t at = 0; at < STAGE2_BLOCK; at += PAGE_SIZE) {
			assert_false(reaches(looked_at + at, true));
		}
		act(NULL);
		assert_true(partition.released);
		assert_int_equal(partition_map_memory(&partition), STATUS_OK);
		models_observer(NULL, NULL);
		assert_reached(true);
		assert_int_equal(stage2_tables_used(), used);
	}
}

static void a_block_goes_and_comes_back_below_a_device(void **state)
{
	(void)state;
	flushes = 0;
	over_all_levels(release_and_restart);
	assert_int_equal(flushes, 3 * BLOCKS * (1 + 2)); /* of stage 1, two trees */
}

static void release_twice(void)
{
	looked_at = block_at(1);
	for (unsigned n = 0; n < 2; n++) {
		assert_int_equal(partition_release_block(&partition, (ipa_t){looked_at}),
				 STATUS_OK);
		assert_false(reaches(looked_at, false));
		act(NULL);
	}
}

static void twice_is_once(void **state)
{
	(void)state;
	over_all_levels(release_twice);
}

/* That the model sees what must not be: a split as a CPU's break-before-make would do it. */
static void a_split_is_seen(void **state)
{
	(void)state;
	for (unsigned level = 0; level < 3; level++) {
		start(level, false);
		uint64_t *root = partition.device_root;
		uint64_t *entry = va_of((pa_t){root[1] & 0xfffffffff000ull});
		uint64_t block = *entry, *pages = stage2_new_root();

		for (unsigned i = 0; i < 512; i++) {
			pages[i] = (block | 2) + i * PAGE_SIZE;
		}
		*entry = 0;
		assert_true(reaches(block_at(0), true)); /* cached: nothing is seen */
		*entry = pa_of(pages).v | 3;
		assert_true(reaches(block_at(0), true));
		assert_int_equal(device.violations != 0, level < 2);
	}
}

/* --- what is mapped where -------------------------------------------------------------------- */

static uint64_t *leaf(void *root, uint64_t ipa)
{
	uint64_t *entry = (uint64_t *)root + (ipa >> 30);

	for (unsigned shift = 21; shift >= 12 && (*entry & 3) == 3; shift -= 9) {
		entry = (uint64_t *)va_of((pa_t){*entry & 0xfffffffff000ull}) +
			(ipa >> shift & 511);
	}
	return entry;
}

static void blocks_where_they_fit_and_pages_elsewhere(void **state)
{
	(void)state;
	void *root = stage2_new_root();
	ipa_t at = {0x10000000 - PAGE_SIZE};

	assert_int_equal(stage2_map(root, at, (pa_t){at.v}, MIB(2) + 2 * PAGE_SIZE, STAGE2_DEVICE),
			 STATUS_OK);
	assert_int_equal(*leaf(root, at.v) & 3, 3);
	assert_int_equal(*leaf(root, at.v + PAGE_SIZE) & 3, 1);
	assert_int_equal(*leaf(root, at.v + PAGE_SIZE + MIB(2)) & 3, 3);
	assert_int_equal(*leaf(root, at.v + 2 * PAGE_SIZE + MIB(2)), 0);
	assert_int_equal(*leaf(root, at.v - PAGE_SIZE), 0);
	/* The same again is nothing; anything else finds it busy. */
	assert_int_equal(stage2_map(root, at, (pa_t){at.v}, PAGE_SIZE, STAGE2_DEVICE), STATUS_OK);
	assert_int_equal(stage2_map(root, at, (pa_t){0}, PAGE_SIZE, STAGE2_DEVICE), STATUS_BUSY);
	assert_int_equal(stage2_map(root, at, (pa_t){at.v}, PAGE_SIZE, STAGE2_RAM), STATUS_BUSY);
	assert_int_equal(
		stage2_map(root, (ipa_t){0x10000000}, (pa_t){0x10000000}, PAGE_SIZE, STAGE2_DEVICE),
		STATUS_BUSY); /* a page of a block */
	partition = (struct partition){.config = &config};
	stage2_unmap(root, at, MIB(2) + 2 * PAGE_SIZE, partition_vmid(&partition));
	for (uint64_t ipa = at.v; ipa <= at.v + MIB(2) + 2 * PAGE_SIZE; ipa += PAGE_SIZE) {
		assert_int_equal(*leaf(root, ipa), 0);
	}
}

/* BARs as pci/bus places them, each aligned to its size: one goes whole, and nothing beside it. */
static void a_bar_goes_alone(void **state)
{
	static const struct {
		uint64_t at, size;
	} bars[] = {{0x10000000, PAGE_SIZE}, {0x10001000, PAGE_SIZE}, {0x10010000, KIB(64)},
		    {0x10080000, KIB(512)},  {0x10200000, MIB(2)},    {0x10400000, MIB(4)},
		    {0x10800000, PAGE_SIZE}, {0x20000000, MIB(256)}};
	void *root = stage2_new_root();
	unsigned used = 0;

	(void)state;
	partition = (struct partition){.config = &config};
	for (unsigned gone = 0; gone <= ARRAY_SIZE(bars); gone++) {
		for (unsigned i = 0; i < ARRAY_SIZE(bars); i++) {
			assert_int_equal(stage2_map(root, (ipa_t){bars[i].at}, (pa_t){bars[i].at},
						    bars[i].size, STAGE2_DEVICE),
					 STATUS_OK);
		}
		used = used ? used : stage2_tables_used();
		if (gone < ARRAY_SIZE(bars)) {
			stage2_unmap(root, (ipa_t){bars[gone].at}, bars[gone].size,
				     partition_vmid(&partition));
		}
		for (unsigned i = 0; i < ARRAY_SIZE(bars); i++) {
			for (uint64_t at = 0; at < bars[i].size; at += PAGE_SIZE) {
				assert_int_equal(*leaf(root, bars[i].at + at) & 1, i != gone);
			}
		}
	}
	assert_int_equal(stage2_tables_used(), used);
}

/* A GiB at a GiB: still blocks of 2 MiB, for one of them may be given up. */
static void no_block_is_larger(void **state)
{
	(void)state;
	void *root = stage2_new_root();
	unsigned used = stage2_tables_used();

	assert_int_equal(stage2_map(root, (ipa_t){GIB(1)}, (pa_t){GIB(2)}, GIB(2), STAGE2_RAM),
			 STATUS_OK);
	assert_int_equal(stage2_tables_used(), used + 2);
	for (uint64_t at = 0; at < GIB(2); at += MIB(2)) {
		assert_int_equal(*leaf(root, GIB(1) + at) & 0xfffffffff003ull, GIB(2) + at + 1);
	}
}

static void what_is_no_range_is_refused(void **state)
{
	(void)state;
	void *root = stage2_new_root();
	const struct {
		uint64_t ipa, pa, size;
	} wrong[] = {
		{0x1001, 0x1000, 0x1000},	    {0x1000, 0x1001, 0x1000},
		{0x1000, 0x1000, 0x1001},	    {1ull << 39, 0x1000, 0x1000},
		{(1ull << 39) - 0x1000, 0, 0x2000}, {0x1000, 0, ~0xfffull},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(stage2_map(root, (ipa_t){wrong[i].ipa}, (pa_t){wrong[i].pa},
					    wrong[i].size, STAGE2_RAM),
				 STATUS_INVALID);
	}
}

/* Last, for it uses the pool up: an error, and nothing beyond it. */
static void the_pool_ends(void **state)
{
	(void)state;
	void *root = stage2_new_root(), *last = NULL;

	for (void *table = root; table; table = stage2_new_root()) {
		last = table;
	}
	assert_ptr_not_equal(last, root);
	assert_int_equal(
		stage2_map(root, (ipa_t){DOORBELL}, (pa_t){DOORBELL}, PAGE_SIZE, STAGE2_DOORBELL),
		STATUS_NO_MEMORY);
	assert_int_equal(*leaf(root, DOORBELL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_goes_and_comes_back_below_a_device),
		cmocka_unit_test(twice_is_once),
		cmocka_unit_test(a_split_is_seen),
		cmocka_unit_test(blocks_where_they_fit_and_pages_elsewhere),
		cmocka_unit_test(a_bar_goes_alone),
		cmocka_unit_test(no_block_is_larger),
		cmocka_unit_test(what_is_no_range_is_refused),
		cmocka_unit_test(the_pool_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
