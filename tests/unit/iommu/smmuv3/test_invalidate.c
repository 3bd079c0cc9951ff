/* SPDX-License-Identifier: BSD-2-Clause */
/* After iommu_invalidate() nothing old in the range is used: F27, F38. */
#include "smmu_fixture.h"

#include <stdlib.h>

#include "commands.h"

#define IPA 0x40000000ull

static void start_with(void **state, bool has_range)
{
	fixture_reset(state);
	device.idr3 = has_range ? 1u << 10 : 0;
	assert_int_equal(start_smmu(10), STATUS_OK);
}

static struct iommu_tables attached(uint16_t vmid, uint32_t stream)
{
	struct iommu_tables tables = new_tables(vmid);

	assert_int_equal(iommu_attach(sid(stream), &tables, P0), STATUS_OK);
	return tables;
}

static void unmapped_page_is_gone(void **state)
{
	for (int range = 0; range <= 1; range++) {
		start_with(state, range);
		struct iommu_tables a = attached(1, 5);

		map_at(&a, 3, IPA, 0x123000, MAP_RW);
		map_at(&a, 3, IPA + 4096, 0x124000, MAP_RW);
		assert_true(reaches(5, IPA, 0x123000) && reaches(5, IPA + 4096, 0x124000));
		unmap_at(&a, 3, IPA);
		assert_true(reaches(5, IPA, 0x123000)); /* stale, as it may be */
		assert_int_equal(iommu_invalidate(&a, (ipa_t){IPA}, 4096), STATUS_OK);
		assert_true(aborts(5, IPA));
		assert_true(reaches(5, IPA + 4096, 0x124000));
		assert_int_equal(fixture_check(state), 0);
	}
}

static void permission_is_taken_away(void **state)
{
	for (int range = 0; range <= 1; range++) {
		start_with(state, range);
		struct iommu_tables a = attached(1, 5);

		map_at(&a, 2, IPA, 0x600000, MAP_RW);
		assert_true(reaches(5, IPA + 0x1ff000, 0x7ff000));
		map_at(&a, 2, IPA, 0x600000, MAP_R);
		/* any one page of a block takes the block */
		assert_int_equal(iommu_invalidate(&a, (ipa_t){IPA + 0x100000}, 4096), STATUS_OK);
		assert_int_equal(model_smmu_access(&device, 5, IPA, true).event, 0x13);
		assert_true(model_smmu_access(&device, 5, IPA, false).passed);
	}
}

static void mutant_without_tlbi_is_caught(void **state) /* F38 */
{
	for (int range = 0; range <= 1; range++) {
		start_with(state, range);
		struct iommu_tables a = attached(1, 5);

		map_at(&a, 3, IPA, 0x123000, MAP_RW);
		assert_true(reaches(5, IPA, 0x123000));
		unmap_at(&a, 3, IPA);
		device.ignore_opcode = fixture_stage1 ? CMD_TLBI_NH_VA : CMD_TLBI_S2_IPA;
		assert_int_equal(iommu_invalidate(&a, (ipa_t){IPA}, 4096), STATUS_OK);
		assert_true(reaches(5, IPA, 0x123000));
	}
}

/* Marks the whole address space of two VMIDs as cached, in pieces; sees what an invalidation left.
 */
static void fill(uint64_t ipa, uint64_t piece)
{
	for (unsigned i = 0; i < MODEL_SMMU_TLB; i++) {
		device.tlb[i] = (struct model_smmu_tlb){.valid = true,
							.stage1 = fixture_stage1,
							.vmid = (uint16_t)(1 + i % 2),
							.ipa = ipa + (i / 2) * piece,
							.size = piece};
	}
}

static void check(uint64_t ipa, uint64_t size, bool exact)
{
	for (unsigned i = 0; i < MODEL_SMMU_TLB; i++) {
		struct model_smmu_tlb *entry = &device.tlb[i];
		bool inside = size && entry->ipa < ipa + size && ipa < entry->ipa + entry->size;

		if (entry->vmid == 2) {
			assert_true(entry->valid);
		} else if (inside) {
			assert_false(entry->valid);
		} else if (exact) {
			assert_true(entry->valid);
		}
	}
}

static void every_range_exactly(void **state)
{
	srand(1);
	for (int range = 0; range <= 1; range++) {
		start_with(state, range);
		struct iommu_tables a = new_tables(1);

		for (unsigned round = 0; round < 3000; round++) {
			uint64_t first = (uint64_t)rand() % 600;
			uint64_t pages = range ? (uint64_t)rand() % 200 : (uint64_t)rand() % 40;
			uint64_t ipa = IPA + first * 4096, size = pages * 4096;

			fill(IPA, 4096);
			assert_int_equal(iommu_invalidate(&a, (ipa_t){ipa}, size), STATUS_OK);
			check(ipa, size, range || pages <= 32);
		}
		assert_int_equal(fixture_check(state), 0);
	}
}

static void large_and_odd_ranges(void **state)
{
	static const struct {
		uint64_t ipa, size;
	} cases[] = {
		{0, 0},
		{IPA + 1, 1},
		{IPA + 4095, 2},
		{IPA, GIB(4)},
		{IPA, GIB(4) - 4096},
		{IPA, GIB(4) + 4096},
		{0, 1ull << 48},
		{0, UINT64_MAX},
		{UINT64_MAX - 4095, 4096},
		{UINT64_MAX, 2},
		{IPA, UINT64_MAX - IPA},
	};

	for (int range = 0; range <= 1; range++) {
		start_with(state, range);
		struct iommu_tables a = new_tables(1);

		for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
			uint64_t before = iommu_totals().commands;

			fill(IPA, MIB(16));
			assert_int_equal(iommu_invalidate(&a, (ipa_t){cases[i].ipa}, cases[i].size),
					 STATUS_OK);
			check(cases[i].ipa, cases[i].size, false);
			assert_true(iommu_totals().commands - before <= 33); /* bounded */
		}
	}
}

static void range_commands_are_few(void **state)
{
	struct iommu_tables a = new_tables(1);

	start_with(state, true);
	for (uint64_t pages = 1; pages < 100000; pages = pages * 3 / 2 + 1) {
		uint64_t before = iommu_totals().commands;

		assert_int_equal(iommu_invalidate(&a, (ipa_t){IPA}, pages * 4096), STATUS_OK);
		assert_true(iommu_totals().commands - before <= 6);
	}
	assert_int_equal(device.consumed[CMD_TLBI_S12_VMALL] + device.consumed[CMD_TLBI_NH_ASID],
			 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_reset, fixture_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unmapped_page_is_gone),	     TEST(permission_is_taken_away),
		TEST(mutant_without_tlbi_is_caught), TEST(every_range_exactly),
		TEST(large_and_odd_ranges),	     TEST(range_commands_are_few),
	};

	return run_on_both_stages(tests);
}
