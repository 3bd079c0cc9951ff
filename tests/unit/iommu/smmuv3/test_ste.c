/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries, bit by bit, and XSA-445's class: the depth stated is the depth of the tables. */
#include "smmu_fixture.h"

#include "ste.h"

#define INPUT 39

static void words(void **state)
{
	struct iommu_tables tables = {{0xabcd}, {0x123456789000}};
	struct ste ste = ste_stage2(&tables, PHYSICAL_SIZE_48);

	(void)state;
	assert_int_equal(ste.dword[0], 0xd);
	assert_int_equal(ste.dword[1], 1ull << 44 | 1u << 19);
	/* S2R, S2AA64, S2PS=5, SH=3, OR=IR=1, SL0=1, T0SZ=25 */
	assert_int_equal(ste.dword[2], 1ull << 58 | 1ull << 51 | 5ull << 48 | 3ull << 44 |
					       1ull << 42 | 1ull << 40 | 1ull << 38 | 25ull << 32 |
					       0xabcd);
	assert_int_equal(ste.dword[3], 0x123456789000);
	for (unsigned i = 4; i < STE_DWORDS; i++) {
		assert_int_equal(ste.dword[i], 0);
	}
}

/* The first and the last page and block of the input range arrive; one byte beyond does not. */
static void walk_is_as_deep_as_stated(void)
{
	struct iommu_tables tables = new_tables(7);
	uint64_t top = (1ull << INPUT) - 4096, middle = 1ull << (INPUT - 1);

	map_at(&tables, 3, 0, 0x11000, MAP_RW);
	map_at(&tables, 3, top, 0x22000, MAP_RW);
	map_at(&tables, 2, middle, 0x600000, MAP_RW);
	assert_int_equal(iommu_attach(sid(3), &tables, P0), STATUS_OK);
	assert_true(reaches(3, 0x10, 0x11010));
	assert_true(reaches(3, top + 0xfff, 0x22fff));
	assert_true(reaches(3, middle + 0x1ff123, 0x7ff123));
	assert_true(aborts(3, 0x1000));
	assert_true(aborts(3, top - 4096));
	assert_true(aborts(3, top + 4096));
	for (unsigned bit = INPUT; bit < 64; bit++) {
		assert_int_equal(model_smmu_access(&device, 3, 1ull << bit, false).event, 0x10);
	}
	assert_int_equal(iommu_detach(sid(3), &tables, P0), STATUS_OK);
}

/* Whatever the SMMU's output size is; 6 and 7 are 52 bits and more. */
static void walks(void **state)
{
	for (unsigned size = 2; size <= 7; size++) {
		fixture_reset(state);
		device.idr5 = 0x70 | size;
		assert_int_equal(start_smmu(4), STATUS_OK);
		walk_is_as_deep_as_stated();
		assert_int_equal(fixture_check(state), 0);
	}
}

/* An output address beyond the SMMU's reach is no wrap-around. */
static void output_is_limited(void **state)
{
	struct iommu_tables tables;

	(void)state;
	device.idr5 = 0x72;
	assert_int_equal(start_smmu(4), STATUS_OK);
	tables = new_tables(7);
	map_at(&tables, 3, 0x5000, 1ull << 40 | 0x3000, MAP_RW);
	map_at(&tables, 3, 0x6000, 0x3000, MAP_RW | MAP_NO_AF);
	assert_int_equal(iommu_attach(sid(3), &tables, P0), STATUS_OK);
	assert_int_equal(model_smmu_access(&device, 3, 0x5000, true).event, 0x11);
	assert_int_equal(model_smmu_access(&device, 3, 0x6000, true).event, 0x12);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_reset, fixture_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(words),
		TEST(walks),
		TEST(output_is_limited),
	};

	return run_on_both_stages(tests);
}
