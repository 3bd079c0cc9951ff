/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries, bit by bit, and XSA-445's class: the depth stated must be the depth of the tables. */
#include "smmu_fixture.h"

#include "ste.h"

static const unsigned output_bits[] = {32, 36, 40, 42, 44, 48};

static void words(void **state)
{
	struct iommu_tables tables = {{0xabcd}, {0x123456789000}, 44, 0};
	struct ste ste = ste_stage2(&tables, PHYSICAL_SIZE_48);

	(void)state;
	assert_int_equal(ste.dword[0], 0xd);
	assert_int_equal(ste.dword[1], 1ull << 44 | 1u << 19);
	/* S2R, S2AA64, S2PS=5, SH=3, OR=IR=1, SL0=2, T0SZ=20 */
	assert_int_equal(ste.dword[2], 1ull << 58 | 1ull << 51 | 5ull << 48 | 3ull << 44 |
					       1ull << 42 | 1ull << 40 | 2ull << 38 | 20ull << 32 |
					       0xabcd);
	assert_int_equal(ste.dword[3], 0x123456789000);
	for (unsigned i = 4; i < STE_DWORDS; i++) {
		assert_int_equal(ste.dword[i], 0);
	}
}

static bool fits(unsigned level, unsigned input, unsigned output)
{
	static const unsigned least[] = {40, 31, 25}, most[] = {48, 39, 30};

	return level <= 2 && input >= least[level] && input <= most[level] && input <= output &&
	       (level || output >= 44);
}

/* All levels, widths and output sizes; the model judges by the specification's own formula. */
static void every_geometry(void **state)
{
	unsigned accepted = 0;

	for (unsigned size = 0; size <= PHYSICAL_SIZE_48; size++) {
		fixture_reset(state);
		device.idr5 = 0x10 | size;
		for (unsigned level = 0; level < 256; level++) {
			for (unsigned input = 0; input < 256; input++) {
				struct iommu_tables tables = {
					{1}, {0x40000000}, (uint8_t)input, (uint8_t)level};
				bool ok = ste_check_tables(&tables, size) == STATUS_OK;

				assert_int_equal(ok, fits(level, input, output_bits[size]));
				if (ok && !fixture_stage1) {
					struct ste ste = ste_stage2(&tables, size);

					assert_int_equal(model_smmu_meaning(&device, ste.dword),
							 MODEL_STE_STAGE2);
					accepted++;
				}
			}
		}
	}
	assert_true(accepted > 60 || fixture_stage1);
}

static void roots_out_of_reach_or_misaligned(void **state)
{
	struct iommu_tables tables = {{1}, {0}, 31, 1};

	(void)state;
	for (unsigned size = 0; size <= PHYSICAL_SIZE_48; size++) {
		uint64_t end = 1ull << output_bits[size];

		tables.root.v = end - 4096;
		assert_int_equal(ste_check_tables(&tables, size), STATUS_OK);
		tables.root.v = end;
		assert_int_equal(ste_check_tables(&tables, size), STATUS_INVALID);
		tables.root.v = 1ull << 63;
		assert_int_equal(ste_check_tables(&tables, size), STATUS_INVALID);
	}
	for (unsigned bit = 0; bit < 12; bit++) {
		tables.root.v = 0x40000000 | 1u << bit;
		assert_int_equal(ste_check_tables(&tables, 5), STATUS_INVALID);
	}
}

/* The first and the last page and block of the input range arrive; one byte beyond does not. */
static void walk_is_as_deep_as_stated(unsigned level, unsigned input)
{
	struct iommu_tables tables = new_tables(7, level, input);
	uint64_t top = (1ull << input) - 4096, middle = 1ull << (input - 1);

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
	for (unsigned bit = input; bit < 64; bit++) {
		assert_int_equal(model_smmu_access(&device, 3, 1ull << bit, false).event, 0x10);
	}
	assert_int_equal(iommu_detach(sid(3), &tables, P0), STATUS_OK);
}

static void walks(void **state)
{
	for (unsigned size = 0; size <= 7; size++) {
		unsigned bits = output_bits[size < 5 ? size : 5];

		for (unsigned level = 0; level <= 2; level++) {
			for (unsigned input = 25; input <= 48; input++) {
				if (!fits(level, input, bits)) {
					continue;
				}
				fixture_reset(state);
				device.idr5 = 0x70 | size;
				assert_int_equal(start_smmu(4), STATUS_OK);
				walk_is_as_deep_as_stated(level, input);
				assert_int_equal(fixture_check(state), 0);
			}
		}
	}
}

/* An output address beyond the SMMU's reach is no wrap-around. */
static void output_is_limited(void **state)
{
	struct iommu_tables tables;

	(void)state;
	device.idr5 = 0x70;
	assert_int_equal(start_smmu(4), STATUS_OK);
	tables = new_tables(7, 1, 32);
	map_at(&tables, 3, 0x5000, 1ull << 32 | 0x3000, MAP_RW);
	map_at(&tables, 3, 0x6000, 0x3000, MAP_RW | MAP_NO_AF);
	assert_int_equal(iommu_attach(sid(3), &tables, P0), STATUS_OK);
	assert_int_equal(model_smmu_access(&device, 3, 0x5000, true).event, 0x11);
	assert_int_equal(model_smmu_access(&device, 3, 0x6000, true).event, 0x12);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_reset, fixture_check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(words), TEST(every_geometry),    TEST(roots_out_of_reach_or_misaligned),
		TEST(walks), TEST(output_is_limited),
	};

	return run_on_both_stages(tests);
}
